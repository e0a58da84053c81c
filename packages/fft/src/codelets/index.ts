/** Codelets: discrete Fourier transforms without loops, built as graphs with exact constants and written into kernels. */
export { dft } from './dft.ts';
export type { Codelet } from './dft.ts';
export { count } from './dag.ts';
export type { Count } from './dag.ts';
export { toDoubles, toFloat, unitRoot } from './exact.ts';
export type { Fixed, FixedComplex } from './exact.ts';
export { writeCodelet } from './write.ts';
export type { ComplexVal, Real } from './write.ts';
