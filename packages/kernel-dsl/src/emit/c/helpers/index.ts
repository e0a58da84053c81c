/** The small C functions that emitted kernels call: one instruction each where the machine has it, exact C everywhere else. */
export type { Helper, RenderedHelper } from './helper.ts';
export * from './arith.ts';
export * from './atomic.ts';
export * from './bits.ts';
export * from './convert.ts';
export * from './dot.ts';
export * from './memory.ts';
export * from './packed.ts';
export * from './reduce.ts';
export * from './shuffle.ts';
