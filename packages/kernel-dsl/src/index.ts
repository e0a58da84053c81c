/** The Quern kernel language: write a kernel once in TypeScript, schedule it, and emit C, OpenCL, CUDA and WGSL. */
import * as ir from './ir/index.ts';

export * from './lang/index.ts';
export * from './errors/index.ts';
export { schedule } from './schedule/index.ts';
export type { DealOptions, GridPlace, Schedule, ScheduledKernel, StageOptions, Step, Tail } from './schedule/index.ts';
export * from './library/index.ts';
export { AMX, AVX2, AVX512, AVX512_BF16, DOTPROD, I8MM, NEON, VNNI, fmla_f32x4, fmla_f64x2, instantiate, instr, masked_load_f32x16, masked_store_f32x16, matchInstruction, mmaNamed, q4_0, sdot_i32x4, smmla_i32, tdpbf16ps_32x32, tdpbusd_32x32, tf32, udot_i32x4, usdot_i32x4, usmmla_i32, vdpbf16ps_f32x16, vfmadd_f32x8, vfmadd_f64x4, vpdpbusd_i32x16, vpmaddwd_i32x8, wgmmaNamed } from './instructions/index.ts';
export type { ChunkFunction, InstrSpec, Matched, Mismatch } from './instructions/index.ts';
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
