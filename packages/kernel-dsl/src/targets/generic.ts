import { COMMON_CFLAGS } from './target.ts';
import type { Target } from './target.ts';

/**
 * Any processor without a target of its own: vectors of 16 bytes, which a compiler maps on what is there. In practice that is RISC-V
 * or POWER, so fused multiply-add is taken as given; where it is missing, an exact sequence in doubles replaces it.
 */
export const generic: Target = { isa: 'generic', arch: undefined, vecBytes: 16, fma: true, vectorRegisters: 32, features: [], adds: [], instructions: [], cflags: COMMON_CFLAGS };
