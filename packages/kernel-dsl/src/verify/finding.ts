import { DslError } from '../errors/index.ts';
import type { ErrorId, Note } from '../errors/index.ts';
import type { KernelIR, Loc } from '../ir/index.ts';
import type { Place } from './program.ts';
import type { Counterexample } from './search.ts';

/** What verification may find. */
export type FindingId = Extract<ErrorId, `KD-V-${string}`>;

/** Something that is wrong with a kernel, or that could not be shown to be right. */
export interface Finding {
  readonly id: FindingId;
  /** Is it shown to go wrong, or only not shown to go well? */
  readonly verdict: 'refuted' | 'open';
  readonly message: string;
  readonly fix: string;
  readonly loc: Loc | undefined;
  /** The schedule call that made the place, and where that call stands. */
  readonly step: string | undefined;
  readonly stepLoc: Loc | undefined;
  /** Other places that take part, and the counterexample in words. */
  readonly notes: readonly Note[];
  readonly counterexample: Counterexample | undefined;
}

const assignment = (values: Readonly<Record<string, number>>): string => Object.entries(values).map(([n, x]) => `${n} = ${x}`).join(', ');

/** A finding in the catalogue's words. */
export function finding(
  k: KernelIR, id: FindingId, verdict: Finding['verdict'], args: Readonly<Record<string, string | number>>, at: Pick<Place, 'loc' | 'step'>,
  more: { readonly notes?: readonly Note[]; readonly counterexample?: Counterexample | undefined } = {},
): Finding {
  const c = more.counterexample, example = c && [assignment(c.sizes), assignment(c.scalars), assignment(c.at)].filter((x) => x !== '').join(', ');
  const notes: Note[] = [...(example ? [{ text: `e.g. ${example}` }] : []), ...(more.notes ?? [])];
  const stepLoc = k.steps?.find((s) => s.call === at.step)?.loc, e = new DslError(id, args, { loc: at.loc, step: at.step, stepLoc, notes });
  return { id, verdict, message: e.text, fix: e.fix, loc: at.loc, step: at.step, stepLoc, notes, counterexample: c };
}

/** A finding as the error with which the kernel is refused. */
export const errorOf = (f: Finding): DslError => new DslError(f.id, {}, { loc: f.loc, step: f.step, stepLoc: f.stepLoc, notes: f.notes, text: f.message, fix: f.fix });
