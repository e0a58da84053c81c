import type { Loc } from '../ir/index.ts';
import { CATALOGUE } from './catalogue.ts';
import type { ErrorId } from './catalogue.ts';
import { renderReport } from './render.ts';
import type { Note, Report, SourceReader } from './render.ts';

const fill = (text: string, args: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{\{|\}\}|\{(\w+)\}/g, (m, k: string | undefined) => (m === '{{' ? '{' : m === '}}' ? '}' : k !== undefined && k in args ? String(args[k]) : m));

/** Where an error is, and what there is to know beside the catalogue's words. */
export interface ErrorAt {
  readonly loc?: Loc | undefined;
  /** The schedule call that caused it. */
  readonly step?: string | undefined;
  readonly stepLoc?: Loc | undefined;
  readonly notes?: readonly Note[] | undefined;
  /** Words that are filled in already. */
  readonly text?: string | undefined;
  readonly fix?: string | undefined;
}

/**
 * A mistake in a kernel or a schedule, told in the author's words with the author's line.
 * @example try { … } catch (e) { if (e instanceof DslError) console.error(e.id, e.loc, e.fix) }
 */
export class DslError extends Error implements Report {
  readonly id: ErrorId;
  /** The catalogue's sentence, filled in. */
  readonly text: string;
  readonly fix: string;
  readonly loc: Loc | undefined;
  readonly step: string | undefined;
  readonly stepLoc: Loc | undefined;
  readonly notes: readonly Note[];
  constructor(id: ErrorId, args: Readonly<Record<string, string | number>>, at: ErrorAt = {}) {
    const report: Report = {
      id, text: at.text ?? fill(CATALOGUE[id].message, args), fix: at.fix ?? fill(CATALOGUE[id].fix, args), loc: at.loc, step: at.step, stepLoc: at.stepLoc, notes: at.notes ?? [],
    };
    super(renderReport(report));
    this.name = 'DslError';
    this.id = id;
    this.text = report.text;
    this.fix = report.fix;
    this.loc = report.loc;
    this.step = report.step;
    this.stepLoc = report.stepLoc;
    this.notes = report.notes;
  }
  /**
   * The message with the author's lines and a caret under each place.
   * @param source gives the text of a file
   * @example console.error(e.render((file) => readFileSync(file, 'utf8')))
   */
  render(source: SourceReader): string {
    return renderReport(this, source);
  }
}
