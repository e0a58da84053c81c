import type { LlamaModel } from '../arch/index.ts';

/**
 * A model with its key-value cache, ready to be fed tokens. One sequence; not for use by two callers at once.
 * Feeding at position p forgets everything cached from p on.
 */
export interface Decoder {
  readonly model: LlamaModel;
  /** Positions that the cache holds. */
  readonly capacity: number;
  /** Most tokens of one `feed`. */
  readonly maxBatch: number;
  /** What runs, for people: 'x86-64-v4, 2 threads' or 'reference'. */
  readonly backend: string;
  /** Runs tokens at positions `at`, `at + 1`, …; returns the logits after the last one (valid until the next call). */
  feed(tokens: ArrayLike<number>, at: number): Promise<Float32Array>;
  /** Frees what the decoder holds; the model file stays open. It must not be fed afterwards. */
  dispose(): void;
}
