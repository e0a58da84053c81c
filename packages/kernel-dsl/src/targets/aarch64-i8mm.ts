import { I8MM } from '../instructions/index.ts';
import { aarch64 } from './aarch64.ts';
import { aarch64_dotprod } from './aarch64-dotprod.ts';
import type { Target } from './target.ts';

/** NEON with products of byte matrices, also of mixed signs. Neoverse V1 and N2, Apple M2, Cortex-A510 and later. */
export const aarch64_i8mm: Target = {
  ...aarch64_dotprod, isa: 'aarch64-i8mm', features: [...aarch64_dotprod.features, 'i8mm'], adds: ['i8mm'], instructions: [...aarch64_dotprod.instructions, ...I8MM],
  cflags: [...aarch64.cflags, '-march=armv8.2-a+dotprod+i8mm'],
};
