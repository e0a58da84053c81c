import type { Target } from '../../src/targets/index.ts';
import type { Case } from '../emit/harness.ts';
/** Shared memory, barriers, exchanges, atomics. */
export declare const workgroupCases: (t: Target) => readonly Case[];
/** Each kernel of the corpus as it stands and with each of its schedules. */
export declare const corpusCases: (t: Target) => readonly Case[];
/** Vectors that are read and written in one statement: reversed in place, rows whose elements lie apart among them. */
export declare function inPlace(): Case;
