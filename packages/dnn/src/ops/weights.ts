import { ArgumentError, ShapeError, Tensor } from '@quern/runtime';
import { needTensor } from './check.ts';

/** Rows of weights in a block format of GGUF, exactly as they lie in a file: `blocks` is [rows, columns / 32, bytes of a block]. */
export interface QuantizedWeights {
  /** q4_0: 18 bytes a block, an f16 scale and 32 nibbles. q8_0: 34 bytes, an f16 scale and 32 signed bytes. */
  readonly format: 'q4_0' | 'q8_0';
  readonly blocks: Tensor<'u8'>;
}

/** A matrix of weights [rows, columns]: floats, or blocks. */
export type Weights = Tensor<'f32' | 'f16'> | QuantizedWeights;

/** Weights as kernels take them. */
export interface Matrix {
  readonly format: 'f32' | 'f16' | 'q4_0' | 'q8_0';
  readonly W: Tensor;
  readonly rows: number;
  readonly columns: number;
}

const BYTES = { q4_0: 18, q8_0: 34 } as const;

/** Checks weights. `what` names the argument: "matmul: W". */
export function matrix(w: Weights, what: string): Matrix {
  if (w instanceof Tensor) {
    if (w.dtype !== 'f32' && w.dtype !== 'f16') throw new ArgumentError(`${what} must be f32, f16 or { format, blocks }, got a tensor of ${String(w.dtype)}`, { fix: "pass bytes of a block format as { format: 'q4_0', blocks }" });
    if (w.rank !== 2) throw new ShapeError(`${what} must have the shape [rows, columns], got [${w.shape.join(', ')}]`);
    inner(w, what);
    return { format: w.dtype, W: w, rows: w.shape[0]!, columns: w.shape[1]! };
  }
  const format: unknown = (w as QuantizedWeights | undefined)?.format;
  if (format !== 'q4_0' && format !== 'q8_0') throw new ArgumentError(`${what} must be a tensor or { format: 'q4_0' or 'q8_0', blocks }, got ${format === undefined ? String(w) : `format '${String(format)}'`}`);
  const blocks = needTensor(w.blocks, 'u8', `${what}.blocks`), bytes = BYTES[format];
  if (blocks.rank !== 3 || blocks.shape[2] !== bytes) throw new ShapeError(`${what}.blocks must have the shape [rows, columns / 32, ${bytes}] for ${format}, got [${blocks.shape.join(', ')}]`);
  inner(blocks, `${what}.blocks`);
  return { format, W: blocks, rows: blocks.shape[0]!, columns: blocks.shape[1]! * 32 };
}

/** Weights are never copied: they must lie as kernels read them. */
function inner(t: Tensor, what: string): void {
  const n = t.shape[t.rank - 1]!;
  if (n > 1 && t.strides[t.rank - 1] !== 1) throw new ShapeError(`${what}: the elements of a row must be neighbours`, { fix: 'clone() it once' });
}
