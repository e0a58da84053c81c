import { AVX512_BF16 } from '../instructions/index.ts';
import type { Target } from './target.ts';
import { x86_64_v4_vnni } from './x86-64-v4-vnni.ts';

/** AVX-512 with VNNI and bf16: two products of bf16 per 32-bit lane in one instruction. Cooper Lake, Zen 4, Sapphire Rapids and later. */
export const x86_64_v4_bf16: Target = {
  ...x86_64_v4_vnni, isa: 'x86-64-v4-bf16', features: [...x86_64_v4_vnni.features, 'avx512_bf16'], adds: ['avx512_bf16'],
  instructions: [...x86_64_v4_vnni.instructions, ...AVX512_BF16], cflags: [...x86_64_v4_vnni.cflags, '-mavx512bf16'],
};
