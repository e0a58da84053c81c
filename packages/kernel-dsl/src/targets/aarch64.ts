import { NEON } from '../instructions/index.ts';
import { COMMON_CFLAGS } from './target.ts';
import type { Target } from './target.ts';

/** Any 64-bit ARM processor: NEON, 32 registers of 16 bytes, fused multiply-add. */
export const aarch64: Target = { isa: 'aarch64', arch: 'arm64', vecBytes: 16, fma: true, vectorRegisters: 32, features: ['asimd'], adds: [], instructions: NEON, cflags: COMMON_CFLAGS };
