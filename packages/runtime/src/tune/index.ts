/** Choosing between schedules by measuring them: a race that noise cannot win, and records of races as data. */
export { race } from './race.ts';
export type { RaceOptions, RaceResult, Runner, Timing } from './race.ts';
export { keyText, tuneKey } from './key.ts';
export type { TuneKey } from './key.ts';
export { parseRecords, readRecord, recordFor, recordPath, writeRecord } from './records.ts';
export type { TuneRecord } from './records.ts';
export { tune } from './tune.ts';
export type { Tunable, TuneOptions, TuneProgress } from './tune.ts';
