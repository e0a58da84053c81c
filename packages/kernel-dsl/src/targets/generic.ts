import { COMMON_CFLAGS } from './target.ts';
import type { Target } from './target.ts';

/**
 * Any processor that is not x86: vectors of 16 bytes, which a compiler maps on what is there. In practice that is 64-bit ARM
 * (also RISC-V and POWER), so fused multiply-add is taken as given; where it is missing, an exact sequence in doubles replaces it.
 */
export const generic: Target = { isa: 'generic', arch: undefined, vecBytes: 16, fma: true, vectorRegisters: 32, features: [], cflags: COMMON_CFLAGS };
