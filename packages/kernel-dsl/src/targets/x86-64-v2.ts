import type { Target } from './target.ts';
import { x86_64 } from './x86-64.ts';

/** SSE4.2 and POPCNT: rounding, blending and byte shuffles in registers of 16 bytes. Nehalem, Bulldozer and later. */
export const x86_64_v2: Target = {
  ...x86_64, isa: 'x86-64-v2', features: [...x86_64.features, 'ssse3', 'sse4_1', 'sse4_2', 'popcnt'], adds: ['sse4_1'],
  cflags: [...x86_64.cflags, '-mssse3', '-msse4.1', '-msse4.2', '-mpopcnt'],
};
