import type { Target } from '../../../targets/index.ts';
import type { Dialect, Helper } from './dialect.ts';

/** A helper as it stands in a text. */
export interface RenderedHelper { readonly name: string; readonly text: string; readonly uses: readonly string[] }

/** A helper whose text is the same in every language. */
export const helper = (name: string, signature: string, body: string | readonly string[], uses: readonly Helper[] = []): Helper =>
  ({ name, render: () => ({ signature, body: typeof body === 'string' ? [body] : body, uses }) });

/** The definition of a helper. */
export function rendered(h: Helper, d: Dialect, t: Target): RenderedHelper & { readonly needs: readonly Helper[]; readonly features: readonly string[] } {
  const { signature, body, uses = [], features = [] } = h.render(d, t);
  return { name: h.name, text: `${d.inline} ${signature} {\n${body.map((l) => `  ${l}\n`).join('')}}\n`, uses: uses.map((u) => u.name), needs: uses, features };
}

/** Helpers in an order in which each stands after those that it calls. */
export function ordered(all: ReadonlyMap<string, RenderedHelper>): readonly RenderedHelper[] {
  const out = new Map<string, RenderedHelper>();
  const put = (name: string): void => {
    const h = all.get(name);
    if (!h || out.has(name)) return;
    h.uses.forEach(put);
    out.set(name, h);
  };
  for (const name of [...all.keys()].sort()) put(name);
  return [...out.values()];
}
