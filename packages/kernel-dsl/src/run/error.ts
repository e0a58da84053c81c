import { CATALOGUE, renderReport } from '../errors/index.ts';
import type { ErrorId, Report, SourceReader } from '../errors/index.ts';
import type { Loc } from '../ir/index.ts';

/** The identity of a fault that the interpreter reports. */
export type RunErrorId = Extract<ErrorId, `KD-RUN-${string}`>;

/** What a site may add to a {@link RunError}. */
export interface RunErrorDetail {
  readonly loc?: Loc | undefined;
  /** The schedule call that made the faulting node. */
  readonly step?: string | undefined;
  /** Name of the buffer, parameter or size at fault. */
  readonly buffer?: string | undefined;
  readonly index?: readonly number[] | undefined;
  readonly fix?: string | undefined;
  /** The loop variables at that moment, by name, outermost first. */
  readonly at?: Readonly<Record<string, number>> | undefined;
}

/**
 * A fault found while a kernel was interpreted: which (`id`), where in the author's source (`loc`), what was touched (`buffer`, `index`), and what to do (`fix`).
 *
 * `message` holds all of it as text, with the values of the loop variables at that moment.
 */
export class RunError extends Error implements Report {
  readonly id: RunErrorId;
  /** What happened, in a sentence. */
  readonly text: string;
  readonly loc: Loc | undefined;
  readonly step: string | undefined;
  readonly stepLoc: Loc | undefined = undefined;
  readonly notes: Report['notes'] = [];
  readonly buffer: string | undefined;
  readonly index: readonly number[] | undefined;
  readonly at: Readonly<Record<string, number>>;
  readonly fix: string;

  constructor(id: RunErrorId, what: string, d: RunErrorDetail = {}) {
    const fix = d.fix ?? CATALOGUE[id].fix;
    super(renderReport({ id, text: what, fix, loc: d.loc, step: d.step, stepLoc: undefined, notes: [] }));
    this.name = 'RunError';
    this.id = id;
    this.text = what;
    this.loc = d.loc;
    this.step = d.step;
    this.buffer = d.buffer;
    this.index = d.index;
    this.at = d.at ?? {};
    this.fix = fix;
  }
  /** The message with the author's line and a caret under the place; `source` gives the text of a file. */
  render(source: SourceReader): string {
    return renderReport(this, source);
  }
}
