import type { Tensor, Val } from '@quern/kernel-dsl';

/** What attention reads and writes; see `attention.ts`. */
export interface AttentionInputs {
  readonly q: Tensor<'f32', readonly ['T', 'H', 'E']>;
  readonly K: Tensor<'f16' | 'f32', readonly ['C', 'G', 'E']>;
  readonly V: Tensor<'f16' | 'f32', readonly ['C', 'G', 'E']>;
  readonly y: Tensor<'f32', readonly ['T', 'H', 'E']>;
  readonly scale: Val<'f32'>;
  readonly E: Val<'i64'>;
}

/** Positions whose scores are held at a time. */
export const BLOCK = 32;
/** Where the running maximum starts: finite, so that a block of scores that are all -Infinity does no harm. */
export const LOWEST = -3.4028234663852886e38;
