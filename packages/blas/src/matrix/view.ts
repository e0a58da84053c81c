import { ArgumentError, DisposedError, DTypeError, type Extent, mayOverlap, selfDistinct, ShapeError, type Storage, tensor, Tensor } from '@quern/runtime';
import type { Matrix } from './mat.ts';

/** A matrix over storage that lies wholly inside of it. */
export interface View {
  /** The operand's name in messages. */
  readonly name: string;
  readonly dtype: 'f32' | 'f64';
  readonly storage: Storage;
  readonly rows: number;
  readonly cols: number;
  /** In elements. */
  readonly rowStride: number;
  readonly colStride: number;
  /** Bytes from the start of the storage to element (0, 0). */
  readonly byteOffset: number;
}

/** The same elements with rows and columns exchanged. */
export const transposed = (v: View): View => ({ ...v, rows: v.cols, cols: v.rows, rowStride: v.colStride, colStride: v.rowStride });

function integer(what: string, x: unknown, fallback: number, least = -Infinity): number {
  if (x === undefined) return fallback;
  if (typeof x === 'number' && Number.isSafeInteger(x) && x >= least) return x;
  throw new ArgumentError(`${what} must be ${least === 0 ? 'a non-negative' : 'an'} integer, got ${String(x)}`);
}

const span = (n: number, stride: number): readonly [number, number] => [Math.min(0, (n - 1) * stride), Math.max(0, (n - 1) * stride)];

/** Whether a buffer's bytes have been given away. */
function detached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/**
 * Checks a matrix operand: what it is, its element type, and that its last touched element lies within its memory.
 *
 * @param routine for messages, `gemm`
 * @param name for messages, `a`
 * @throws ArgumentError, ShapeError, DTypeError, DisposedError
 */
export function view(routine: string, name: string, m: Matrix): View {
  const what = `${routine}: '${name}'`;
  if (m instanceof Tensor) return fromTensor(what, name, m);
  if (typeof m !== 'object' || m === null) throw new ArgumentError(`${what} must be a matrix, got ${m === null ? 'null' : typeof m}`, { fix: 'pass { data, rows, cols } or a tensor of rank 2' });
  const { data } = m;
  if (!(data instanceof Float32Array) && !(data instanceof Float64Array)) {
    throw new DTypeError(`${what}: data must be a Float32Array or a Float64Array, got ${ArrayBuffer.isView(data) ? (data as Uint8Array)[Symbol.toStringTag] ?? 'a DataView' : typeof data}`);
  }
  if (detached(data.buffer)) throw new ArgumentError(`${what}: its ArrayBuffer has been detached`, { code: 'QUERN_DETACHED', fix: 'pass a buffer that has not been transferred' });
  if (m.rows === undefined || m.cols === undefined) throw new ArgumentError(`${what} needs rows and cols`, { fix: 'pass { data, rows, cols }' });
  const rows = integer(`${what}: rows`, m.rows, 0, 0), cols = integer(`${what}: cols`, m.cols, 0, 0);
  const rowStride = integer(`${what}: rowStride`, m.rowStride, cols), colStride = integer(`${what}: colStride`, m.colStride, 1);
  const offset = integer(`${what}: offset`, m.offset, 0, 0);
  if (rows > 0 && cols > 0) {
    const [r, c] = [span(rows, rowStride), span(cols, colStride)], low = offset + r[0] + c[0], high = offset + r[1] + c[1];
    if (low < 0 || high >= data.length) {
      throw new ShapeError(`${what} touches elements ${low} to ${high} (${rows} x ${cols}, strides ${rowStride} and ${colStride}, offset ${offset}), but its data has ${data.length}`,
        { fix: 'pass more data, or the rows, cols, strides and offset that it really has' });
    }
  }
  const whole = tensor<typeof data>(data);
  const { storage, byteOffset } = whole;
  whole.dispose();
  return { name, dtype: data instanceof Float32Array ? 'f32' : 'f64', storage, rows, cols, rowStride, colStride, byteOffset: byteOffset + offset * data.BYTES_PER_ELEMENT };
}

function fromTensor(what: string, name: string, t: Tensor): View {
  if (t.disposed) throw new DisposedError(`${what}: a tensor`);
  const { dtype, storage, byteOffset } = t;
  if (dtype !== 'f32' && dtype !== 'f64') throw new DTypeError(`${what} must be f32 or f64, got ${dtype}`);
  const [rows, cols] = t.shape, [rowStride, colStride] = t.strides;
  if (rows === undefined || cols === undefined || rowStride === undefined || colStride === undefined || t.rank !== 2) {
    throw new ShapeError(`${what} must have 2 dimensions, got [${t.shape.join(', ')}]`);
  }
  const { buffer } = storage;
  if (buffer !== undefined && (detached(buffer) || buffer.byteLength < storage.bytes)) throw new ArgumentError(`${what}: its ArrayBuffer has been detached`, { code: 'QUERN_DETACHED', fix: 'pass a buffer that has not been transferred' });
  return { name, dtype, storage, rows, cols, rowStride, colStride, byteOffset };
}

function extent(v: View): Extent {
  const size = v.dtype === 'f32' ? 4 : 8, { rows, cols, rowStride, colStride, byteOffset: start } = v;
  const [r, c] = [span(rows, rowStride), span(cols, colStride)], empty = rows === 0 || cols === 0;
  return {
    shape: [rows, cols], strides: [rowStride, colStride], elementBytes: size, start,
    low: empty ? start : start + (r[0] + c[0]) * size, high: empty ? start : start + (r[1] + c[1] + 1) * size,
  };
}

/**
 * Checks that a matrix can be written while others are read.
 *
 * @throws ArgumentError when it is read-only, when several of its elements share a place, or when it shares memory with an input
 */
export function checkOutput(routine: string, out: View, inputs: readonly View[]): void {
  const what = `${routine}: '${out.name}'`;
  if (out.storage.readonly) throw new ArgumentError(`${what} is written, but lies in a file mapped for reading`, { code: 'QUERN_READONLY', fix: 'pass a matrix of its own' });
  const e = extent(out);
  if (!selfDistinct(e)) throw new ArgumentError(`${what} is written, but several of its elements share a place`, { code: 'QUERN_OVERLAP', fix: 'pass strides under which rows and columns lie apart' });
  for (const v of inputs) {
    const same = (v.storage.memory ?? v.storage.buffer) === (out.storage.memory ?? out.storage.buffer);
    if (same && mayOverlap(e, extent(v))) throw new ArgumentError(`${what} is written and overlaps '${v.name}'`, { code: 'QUERN_OVERLAP', fix: 'pass a copy of one of them' });
  }
}
