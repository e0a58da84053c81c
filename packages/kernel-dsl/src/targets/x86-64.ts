import { COMMON_CFLAGS } from './target.ts';
import type { Target } from './target.ts';

/** Any 64-bit x86 processor: SSE2, 16 registers of 16 bytes, no fused multiply-add. */
export const x86_64: Target = { isa: 'x86-64', arch: 'x64', vecBytes: 16, fma: false, vectorRegisters: 16, features: ['sse2'], adds: [], instructions: [], cflags: COMMON_CFLAGS };
