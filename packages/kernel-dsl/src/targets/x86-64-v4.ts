import { AVX512 } from '../instructions/index.ts';
import type { Target } from './target.ts';
import { x86_64_v3 } from './x86-64-v3.ts';

/** AVX-512 (F, BW, DQ, VL, CD): 32 registers of 64 bytes. Skylake-X, Zen 4 and later. Compilers prefer 256 bits unless told otherwise. */
export const x86_64_v4: Target = {
  isa: 'x86-64-v4', arch: 'x64', vecBytes: 64, fma: true, vectorRegisters: 32,
  features: [...x86_64_v3.features, 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'avx512cd'],
  adds: [], instructions: [...x86_64_v3.instructions, ...AVX512],
  cflags: [...x86_64_v3.cflags, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512cd', '-mprefer-vector-width=512'],
};
