import { DslError } from '../errors/index.ts';
import type { For } from '../ir/index.ts';
import { Axis, here } from '../lang/index.ts';

/** Which arguments of a verb are handles of loops: their positions, or `from` one on all of them. */
const HANDLES: Readonly<Record<string, readonly number[] | { readonly from: number }>> = {
  split: [0], tile: [0, 1], fuse: [0, 1], computeAt: [1], hoist: [1], pipeline: [0], reorder: { from: 0 }, unroll: [0], jam: [0], interleave: [0], vectorize: [0], parallel: [0], stage: [1], rfactor: [1], partials: [1], deal: [0], reverse: [0], tensorize: { from: 1 },
};

const shown = (x: unknown): string => (typeof x === 'string' ? `'${x}'` : x === null || typeof x !== 'object' ? String(x) : 'an object');

/** The verbs, each of which looks at its arguments first: types say what they are, but JavaScript and `undefined` handles come by too. */
export function guarded<T extends object>(verbs: T, running: () => boolean): T {
  const guard = (verb: string, f: (...args: unknown[]) => unknown) => (...args: unknown[]): unknown => {
    const handles = HANDLES[verb], loc = here();
    if (!running()) throw new DslError('KD-S-ENDED', { verb }, { loc, step: verb });
    const picked = handles === undefined ? [] : 'from' in handles ? args.slice(handles.from) : handles.map((i) => args[i]);
    const bad = picked.find((x) => !(x instanceof Axis));
    if (handles && picked.some((x) => !(x instanceof Axis))) throw new DslError('KD-S-AXIS', { verb, given: shown(bad) }, { loc, step: verb });
    if (verb === 'reorder') {
      const twice = (args as Axis[]).find((a, i) => args.indexOf(a) !== i);
      if (twice) throw new DslError('KD-S-TWICE', { axis: twice.name }, { loc, step: verb });
    }
    if (verb === 'split') {
      const tail = (args[2] as { tail?: unknown } | undefined)?.tail;
      if (tail !== undefined && !['clamp', 'peel', 'mask', 'pad'].includes(String(tail))) throw new DslError('KD-S-TAIL', { axis: (args[0] as Axis).name, tail: shown(tail) }, { loc, step: verb });
    }
    return f(...args);
  };
  return Object.fromEntries(Object.entries(verbs).map(([n, x]) => [n, typeof x === 'function' && n !== 'vec' ? guard(n, x as (...args: unknown[]) => unknown) : x as unknown])) as T;
}

/** Refuses to mark a loop that runs in a way of its own already. */
export function needPlain(loop: For, verb: string, at: { readonly loc: For['loc']; readonly step: string }): void {
  if (loop.loop !== 'seq') throw new DslError('KD-S-MARKED', { verb, axis: loop.v.name, kind: loop.loop }, at);
}
