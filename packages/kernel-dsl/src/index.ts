/** The Quern kernel language: write a kernel once in TypeScript, schedule it, and emit C, OpenCL, CUDA and WGSL. */
import * as ir from './ir/index.ts';

export * from './lang/index.ts';
export * from './errors/index.ts';
export { schedule } from './schedule/index.ts';
export type { DealOptions, GridPlace, Schedule, ScheduledKernel, StageOptions, Step, Tail } from './schedule/index.ts';
export * from './library/index.ts';
export * from './instructions/index.ts';
export * from './codelet/index.ts';
export * from './targets/index.ts';
export * from './emit/index.ts';
export { GPU_PASSES, lower, MAX_ULP, PASSES } from './passes/index.ts';
export type { LowerOptions, MathFn, Pass } from './passes/index.ts';
export { requireVerified, verify } from './verify/index.ts';
export type { Counterexample, Finding, FindingId, Verdict } from './verify/index.ts';
export { erf as erfReference, interpret, RunError, bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './run/index.ts';
export type { InterpretArg, InterpretOptions, TensorArg } from './run/index.ts';
export { printKernel, printKernelLines, printStmt, showLoc, specViolation } from './ir/index.ts';
export type { DType, Instruction, KernelIR, Loc, Passing, Phase, SourcedLine } from './ir/index.ts';
/** The IR's node types and builders, for those who write passes, instructions or emitters. */
export { ir };
