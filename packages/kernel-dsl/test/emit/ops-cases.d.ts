import type { Target } from '../../src/targets/index.ts';
import type { Case } from './harness.ts';
/** Arithmetic, comparisons and rounding of floats. */
export declare function floatCases(t: Target, d: 'f32' | 'f64'): Case[];
/** What takes floats apart and puts them together, within the limits that it states. */
export declare function partsCases(t: Target, d: 'f32' | 'f64'): Case[];
export declare const INTEGERS: readonly ['i32', 'u32', 'i16', 'u16', 'i8', 'u8', 'i64'];
/** Arithmetic, bits and comparisons of integers. */
export declare function intCases(t: Target, d: (typeof INTEGERS)[number]): Case[];
/** Every dtype as every other. */
export declare function castCases(t: Target): Case[];
/** Halves of every exponent, and floats on, above and below every tie. */
export declare function halfCases(t: Target): Case[];
/** Lanes combined by halving. */
export declare function reduceCases(t: Target): Case[];
/** Products of bytes in groups of four. */
export declare function dotCases(t: Target): Case[];
/** Names of conditions, and conditions in memory. */
export declare function boolCase(t: Target): Case;
