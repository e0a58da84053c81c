import { DOTPROD } from '../instructions/index.ts';
import { aarch64 } from './aarch64.ts';
import type { Target } from './target.ts';

/** NEON with dot products of bytes of one sign. Cortex-A75 and A55, Neoverse N1, Apple A11 and later. */
export const aarch64_dotprod: Target = {
  ...aarch64, isa: 'aarch64-dotprod', features: [...aarch64.features, 'asimddp'], adds: ['asimddp'], instructions: [...aarch64.instructions, ...DOTPROD],
  cflags: [...aarch64.cflags, '-march=armv8.2-a+dotprod'],
};
