import { showLoc } from '../ir/index.ts';
import type { Loc } from '../ir/index.ts';

/** What can be wrong with a run; the key of the fix that is shown unless the site knows a better one. */
const FIXES = {
  'KD-RUN-ARG': 'Pass one argument per parameter, of the type and shape that the parameter declares.',
  'KD-RUN-SIZE': 'Pass tensors whose dimensions agree: dimensions with one name must be equal.',
  'KD-RUN-ALIAS': 'Give every tensor that the kernel writes memory of its own, each element at one place.',
  'KD-RUN-OOB': 'Guard the access with an if, or correct the index or the extent of the loop that makes it.',
  'KD-RUN-UNINIT': 'Write the cell before it is read, e.g. set an accumulator to its identity; declare a parameter whose old contents count as inout.',
  'KD-RUN-RACE': 'Make the iterations independent: move the parallel mark to a loop whose iterations touch cells of their own, or keep this loop sequential.',
  'KD-RUN-WHILE': 'Raise max, or make the condition fail sooner: emitted code stops at the bound without a word.',
  'KD-RUN-DIVERGED': 'Move it out of the branch or loop, so that all lanes come by together.',
  'KD-RUN-READONLY': 'Declare the parameter as out or inout, or write into another buffer.',
  'KD-RUN-ASSUME': 'Call the kernel with arguments that meet the assumption, or drop it from the kernel.',
  'KD-RUN-STEPS': 'Raise maxSteps, or run the kernel on smaller sizes.',
  'KD-RUN-RANGE': 'Keep i64 values within 2^53; for wrapping arithmetic use i32 or u32.',
  'KD-RUN-DIV': 'Guard the division so that an integer divisor is never zero.',
  'KD-RUN-SHIFT': 'Keep the shift between 0 and the number of bits minus one.',
  'KD-RUN-IR': 'The kernel is malformed: this is a fault of whatever built or rewrote it. Print it with printKernel and check it with specViolation.',
} as const;

/** The identity of a fault that the interpreter reports. */
export type RunErrorId = keyof typeof FIXES;

/** What a site may add to a {@link RunError}. */
export interface RunErrorDetail {
  readonly loc?: Loc | undefined;
  /** The schedule call that made the faulting node. */
  readonly step?: string | undefined;
  /** Name of the buffer, parameter or size at fault. */
  readonly buffer?: string | undefined;
  readonly index?: readonly number[] | undefined;
  readonly fix?: string | undefined;
}

/**
 * A fault found while a kernel was interpreted: which (`id`), where in the author's source (`loc`), what was touched (`buffer`, `index`), and what to do (`fix`).
 *
 * `message` holds all of it as text, with the values of the loop variables at that moment.
 */
export class RunError extends Error {
  readonly id: RunErrorId;
  readonly loc: Loc | undefined;
  readonly step: string | undefined;
  readonly buffer: string | undefined;
  readonly index: readonly number[] | undefined;
  readonly fix: string;

  constructor(id: RunErrorId, what: string, d: RunErrorDetail = {}) {
    const fix = d.fix ?? FIXES[id];
    super(`${id} ${what}\n  --> ${showLoc(d.loc)}${d.step ? `\n  in ${d.step}` : ''}\n  fix: ${fix}`);
    this.name = 'RunError';
    this.id = id;
    this.loc = d.loc;
    this.step = d.step;
    this.buffer = d.buffer;
    this.index = d.index;
    this.fix = fix;
  }
}
