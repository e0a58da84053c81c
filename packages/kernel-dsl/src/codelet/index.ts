/** Codelets: linear maps of complex numbers as graphs without loops, with exact constants, made small, put in order and written into kernels. */
export { codelet, count, embed, Graph, negate, reachable } from './graph.ts';
export type { Codelet, CodeletCount, Complex, GraphOptions, Signed } from './graph.ts';
export type { Node as CodeletNode } from './graph.ts';
export { divide, fixedOne, fromFraction, multiply, toDoubles, toFloat, unitRoot } from './exact.ts';
export type { Fixed, FixedComplex } from './exact.ts';
export { bisect } from './order.ts';
export { optimize, transpose } from './transpose.ts';
export { writeCodelet } from './write.ts';
export type { ComplexVal, Real } from './write.ts';
