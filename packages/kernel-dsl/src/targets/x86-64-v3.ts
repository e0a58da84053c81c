import { AVX2 } from '../instructions/index.ts';
import { COMMON_CFLAGS } from './target.ts';
import type { Target } from './target.ts';

const FLAGS = ['-mavx2', '-mfma', '-mf16c', '-mbmi', '-mbmi2'];

/** AVX2 with FMA and half-precision conversions: 16 registers of 32 bytes. Haswell, Zen and later. */
export const x86_64_v3: Target = {
  isa: 'x86-64-v3', arch: 'x64', vecBytes: 32, fma: true, vectorRegisters: 16, features: ['avx2', 'fma', 'f16c', 'bmi1', 'bmi2'],
  adds: [], instructions: AVX2, cflags: [...COMMON_CFLAGS, ...FLAGS],
};
