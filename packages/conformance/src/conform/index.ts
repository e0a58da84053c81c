/** Holds a kernel to its definition: on every backend and every instruction set of this CPU, over sizes, layouts and values that show mistakes. */
export { conform } from './conform.ts';
/** The same on a GPU. */
export { conformOn } from './on-device.ts';
export type { DeviceOptions } from './on-device.ts';
export type { Backend, Bound, BoundAt, ConformOptions, Oracle, OracleArg, OracleTensor, Subject } from './options.ts';
export type { BackendReport, ConformReport } from './report.ts';
export { ConformanceError } from './error.ts';
export type { Mismatch } from './error.ts';
