import { VNNI } from '../instructions/index.ts';
import type { Target } from './target.ts';
import { x86_64_v4 } from './x86-64-v4.ts';

/** AVX-512 with VNNI: four products of bytes per 32-bit lane in one instruction. Cascade Lake, Ice Lake, Zen 4 and later. */
export const x86_64_v4_vnni: Target = {
  ...x86_64_v4, isa: 'x86-64-v4-vnni', arch: 'x64', features: [...x86_64_v4.features, 'avx512_vnni'],
  adds: ['avx512_vnni'], instructions: [...x86_64_v4.instructions, ...VNNI], cflags: [...x86_64_v4.cflags, '-mavx512vnni'],
};
