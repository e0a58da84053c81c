import type { DType } from '../../ir/index.ts';

/** The dtype as which C and its kin hold a value: f16 and bf16 as their bits, bool as a byte. */
export function heldAs(t: DType): DType {
  return t === 'f16' || t === 'bf16' ? 'u16' : t === 'bool' ? 'u8' : t;
}
