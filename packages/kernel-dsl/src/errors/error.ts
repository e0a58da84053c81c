import type { Loc } from '../ir/index.ts';
import { showLoc } from '../ir/index.ts';
import { CATALOGUE } from './catalogue.ts';
import type { ErrorId } from './catalogue.ts';

const fill = (text: string, args: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{\{|\}\}|\{(\w+)\}/g, (m, k: string | undefined) => (m === '{{' ? '{' : m === '}}' ? '}' : k !== undefined && k in args ? String(args[k]) : m));

/**
 * A mistake in a kernel or a schedule, told in the author's words with the author's line.
 * @example try { … } catch (e) { if (e instanceof DslError) console.error(e.id, e.loc, e.fix) }
 */
export class DslError extends Error {
  readonly id: ErrorId;
  readonly fix: string;
  readonly loc: Loc | undefined;
  readonly step: string | undefined;
  constructor(id: ErrorId, args: Readonly<Record<string, string | number>>, at: { loc?: Loc; step?: string } = {}) {
    const fix = fill(CATALOGUE[id].fix, args);
    super(`${id} ${fill(CATALOGUE[id].message, args)}\n  --> ${showLoc(at.loc)}${at.step ? `\n  in ${at.step}` : ''}\n  fix: ${fix}`);
    this.name = 'DslError';
    this.id = id;
    this.fix = fix;
    this.loc = at.loc;
    this.step = at.step;
  }
}
