import { AMX } from '../instructions/index.ts';
import type { Target } from './target.ts';
import { x86_64_v4_bf16 } from './x86-64-v4-bf16.ts';

/** AMX: eight tiles of 16 x 64 bytes and their products, beside AVX-512. Sapphire Rapids and later Xeons; Linux grants the tiles on request. */
export const x86_64_amx: Target = {
  ...x86_64_v4_bf16, isa: 'x86-64-amx', features: [...x86_64_v4_bf16.features, 'amx_tile', 'amx_bf16', 'amx_int8'], adds: ['amx_tile'],
  instructions: [...x86_64_v4_bf16.instructions, ...AMX], cflags: [...x86_64_v4_bf16.cflags, '-mamx-tile', '-mamx-bf16', '-mamx-int8'],
};
