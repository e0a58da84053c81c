/** Instructions as data: what each computes as a kernel, how it is matched with loops, and its text for each target. */
export { BULK, CLUSTER_BARRIER, HOLD, LAUNCHES, MBARRIER, REGISTERS, WGMMA, WGMMAS, tf32, wgmmaNamed } from './cuda-hopper.ts';
export { WGMMAS_HELD, wgmmaHeld } from './cuda-hopper-held.ts';
export { COPIES, COPY_CHUNK, FETCH_CHUNK, STORE_CHUNK } from './cuda-chunks.ts';
export type { ChunkFunction } from './cuda-chunks.ts';
export { mmaNamed } from './cuda-mma.ts';
export { mmaQ4, q4_0 } from './cuda-mma-q4.ts';
export { instr } from './instr.ts';
export type { InstrSpec } from './instr.ts';
export { argsOf, matchInstruction } from './match.ts';
export type { Matched, Mismatch } from './match.ts';
export { instantiate } from './instantiate.ts';
export { AVX2, vfmadd_f32x8, vfmadd_f64x4, vpmaddwd_i32x8 } from './x86-avx2.ts';
export { AVX512, AVX512_BF16, VNNI, masked_load_f32x16, masked_store_f32x16, vdpbf16ps_f32x16, vpdpbusd_i32x16 } from './x86-avx512.ts';
export { AMX, tdpbf16ps_32x32, tdpbusd_32x32 } from './x86-amx.ts';
export { DOTPROD, I8MM, NEON, fmla_f32x4, fmla_f64x2, sdot_i32x4, smmla_i32, udot_i32x4, usdot_i32x4, usmmla_i32 } from './aarch64.ts';
