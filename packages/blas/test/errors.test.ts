import { fromMemory, mapFile, QuernError, zeros } from '@quern/runtime';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dgemm, gemm, type GemmArgs, type GemmOptions, type Mat, sgemm } from '../src/index.ts';

const f32 = (rows: number, cols: number, more: Partial<Mat<Float32Array>> = {}): Mat<Float32Array> => ({ data: new Float32Array(rows * cols).fill(7), rows, cols, ...more });
const good = (): { a: Mat<Float32Array>; b: Mat<Float32Array>; c: Mat<Float32Array> } => ({ a: f32(2, 3), b: f32(3, 4), c: f32(2, 4) });

/** The error of a call, which must have left C as it was. */
function failure(change: object, options: object = {}): QuernError {
  const args = { ...good(), ...change } as unknown as GemmArgs;
  let error: unknown;
  try { gemm(args, options as GemmOptions); } catch (e) { error = e; }
  expect(error).toBeInstanceOf(QuernError);
  const c = (args.c as Mat | undefined)?.data;
  if (c instanceof Float32Array && c.length > 0) expect(c.every((x) => x === 7)).toBe(true);
  return error as QuernError;
}

function detachedMat(): Mat<Float32Array> {
  const m = f32(3, 4);
  structuredClone(m.data.buffer, { transfer: [m.data.buffer as ArrayBuffer] });
  return m;
}

const shared = new Float32Array(64).fill(7);
const rows: readonly [what: string, change: object, code: string, says: RegExp][] = [
  ['inner dimensions that differ', { b: f32(2, 4) }, 'QUERN_SHAPE', /op\(a\) is 2 x 3 and op\(b\) is 2 x 4/],
  ['the same after a transposition', { opA: 't' }, 'QUERN_SHAPE', /op\(a\) is 3 x 2/],
  ['C of another size', { c: f32(4, 2) }, 'QUERN_SHAPE', /'c' is 4 x 2, but op\(a\) op\(b\) is 2 x 4/],
  ['mixed element types', { b: { data: new Float64Array(12), rows: 3, cols: 4 } }, 'QUERN_DTYPE', /'b' is f64 but 'c' is f32/],
  ['integers', { a: { data: new Int32Array(6), rows: 2, cols: 3 } }, 'QUERN_DTYPE', /'a': data must be a Float32Array.*Int32Array/],
  ['a plain list', { a: { data: [1, 2], rows: 1, cols: 2 } }, 'QUERN_DTYPE', /'a'/],
  ['nothing', { a: undefined }, 'QUERN_ARGUMENT', /'a' must be a matrix/],
  ['null', { b: null }, 'QUERN_ARGUMENT', /'b' must be a matrix, got null/],
  ['data that is too short', { b: { data: new Float32Array(11), rows: 3, cols: 4 } }, 'QUERN_SHAPE', /'b' touches elements 0 to 11 .* but its data has 11/],
  ['an offset that leads outside', { a: f32(2, 3, { offset: 1 }) }, 'QUERN_SHAPE', /'a' touches elements 1 to 6/],
  ['a stride that leads outside', { a: f32(2, 3, { rowStride: 4 }) }, 'QUERN_SHAPE', /'a' touches elements 0 to 6/],
  ['a negative stride that leads before the data', { a: f32(2, 3, { colStride: -1 }) }, 'QUERN_SHAPE', /'a' touches elements -2 to 3/],
  ['a stride of 2^53', { a: f32(2, 3, { rowStride: 2 ** 53 }) }, 'QUERN_ARGUMENT', /'a': rowStride must be an integer/],
  ['rows that are no integer', { a: f32(2, 3, { rows: 1.5 }) }, 'QUERN_ARGUMENT', /'a': rows must be a non-negative integer, got 1.5/],
  ['negative columns', { b: f32(3, 4, { cols: -1 }) }, 'QUERN_ARGUMENT', /'b': cols/],
  ['a missing size', { b: { data: new Float32Array(12), rows: 3 } }, 'QUERN_ARGUMENT', /'b' needs rows and cols/],
  ['an unknown op', { opB: 'x' }, 'QUERN_ARGUMENT', /'opB' must be 'n', 't' or 'c', got x/],
  ['a factor that is no number', { alpha: '1' }, 'QUERN_ARGUMENT', /'alpha' must be a number, got string/],
  ['detached inputs', { b: detachedMat() }, 'QUERN_DETACHED', /'b': its ArrayBuffer has been detached/],
  ['a detached output', { c: detachedMat() }, 'QUERN_DETACHED', /'c'/],
  ['C whose elements share a place', { c: f32(2, 4, { rowStride: 0 }) }, 'QUERN_OVERLAP', /'c' is written, but several/],
  ['C that overlaps A', { a: { data: shared, rows: 2, cols: 3 }, c: { data: shared, rows: 2, cols: 4, offset: 5 } }, 'QUERN_OVERLAP', /'c' is written and overlaps 'a'/],
  ['C that overlaps B, seen through another array', { b: { data: shared, rows: 3, cols: 4, offset: 2 }, c: { data: shared.subarray(4), rows: 2, cols: 4 } }, 'QUERN_OVERLAP', /'c' is written and overlaps 'b'/],
  ['C that overlaps B where roles are exchanged', { b: { data: shared, rows: 3, cols: 4 }, c: { data: shared, rows: 2, cols: 4, rowStride: 1, colStride: 2 } }, 'QUERN_OVERLAP', /'c' is written and overlaps 'b'/],
  ['a tensor of rank 1', { a: zeros([6]) }, 'QUERN_SHAPE', /'a' must have 2 dimensions, got \[6\]/],
  ['a tensor of halves', { a: zeros([2, 3], 'f16') }, 'QUERN_DTYPE', /'a' must be f32 or f64, got f16/],
];

describe('gemm refuses, says which operand, and leaves C as it was', () => {
  it.each(rows)('%s', (_what, change, code, says) => {
    const e = failure(change);
    expect(e.message).toMatch(says);
    expect(e.message).toMatch(/^gemm: /);
    expect(e.code).toBe(code);
  });

  it.each([0, 1.5, 257, '2'])('%s threads', (threads) => { expect(failure({}, { threads }).message).toMatch(/threads must be an integer from 1 to 256/); });
  it('an instruction set that does not exist', () => { expect(failure({}, { isa: 'x86-64-v9' }).code).toBe('QUERN_LOAD'); });

  it('a disposed tensor, and one over a file mapped for reading', () => {
    const t = zeros([2, 4]);
    t.dispose();
    expect(failure({ c: t }).code).toBe('QUERN_DISPOSED');
    const folder = mkdtempSync(join(tmpdir(), 'quern-blas-')), file = join(folder, 'c');
    writeFileSync(file, new Uint8Array(32));
    const memory = mapFile(file);
    expect(failure({ c: fromMemory(memory, 'f32', [2, 4]) })).toMatchObject({ code: 'QUERN_READONLY', message: expect.stringContaining(`'c'`) as string });
    memory.dispose();
    rmSync(folder, { recursive: true });
  });
});

it('accepts matrices that only look like overlapping: columns of one array', () => {
  const data = new Float64Array(20).fill(1);
  gemm({ a: { data, rows: 2, cols: 2, rowStride: 10 }, b: { data, rows: 2, cols: 2, rowStride: 10, offset: 2 }, c: { data, rows: 2, cols: 2, rowStride: 10, offset: 4 } });
  expect([...data.subarray(0, 10)]).toEqual([1, 1, 1, 1, 2, 2, 1, 1, 1, 1]);
});

it('computes on tensors, in native memory and as views, and gives no memory back that it does not own', () => {
  const a = zeros([3, 2]).write([1, 2, 3, 4, 5, 6]), c = zeros([2, 2]);
  for (let i = 0; i < 3; i++) gemm({ a: a.transpose(), b: a, c });
  expect([...c.read()]).toEqual([35, 44, 44, 56]);
  expect([...a.read()]).toEqual([1, 2, 3, 4, 5, 6]);
});

describe('sgemm and dgemm', () => {
  const A = Float64Array.of(1, 2, 3, 4, 5, 6), B = Float64Array.of(1, 0, 2, 1, 0, 1);
  it.each([
    // A is 2 x 3, B is 3 x 2, by rows; the same by columns with the transposes stored
    ['row', 'n', 'n', 3, 2], ['col', 't', 't', 3, 2],
  ] as const)('%s %s %s', (order, opA, opB, lda, ldb) => {
    const c = dgemm(order, opA, opB, 2, 2, 3, 1, A, lda, B, ldb, 0, new Float64Array(4), 2);
    expect([...c]).toEqual(order === 'row' ? [5, 5, 14, 11] : [5, 14, 5, 11]);
  });

  it('honour offsets and leading dimensions', () => {
    const c = new Float32Array(8).fill(9);
    sgemm('row', 'n', 'n', 2, 2, 1, 2, Float32Array.of(0, 3, 0, 4), 2, Float32Array.of(5, 6), 2, 1, c, 3, { a: 1, c: 1 });
    expect([...c]).toEqual([9, 39, 45, 9, 49, 57, 9, 9]);
  });

  it.each([
    ['order', () => dgemm('up' as 'row', 'n', 'n', 1, 1, 1, 1, A, 1, B, 1, 0, A, 1), /dgemm: 'order'/],
    ['opA', () => dgemm('row', 'N' as 'n', 'n', 1, 1, 1, 1, A, 1, B, 1, 0, A, 1), /dgemm: 'opA'/],
    ['k', () => dgemm('row', 'n', 'n', 1, 1, -1, 1, A, 1, B, 1, 0, A, 1), /dgemm: 'k' must be a non-negative integer, got -1/],
    ['lda', () => dgemm('row', 'n', 'n', 2, 2, 3, 1, A, 2, B, 2, 0, new Float64Array(4), 2), /'lda' must be an integer of at least 3, got 2/],
    ['ldb', () => dgemm('col', 'n', 'n', 2, 2, 3, 1, A, 2, B, 2, 0, new Float64Array(4), 2), /'ldb' must be an integer of at least 3, got 2/],
    ['c', () => dgemm('row', 'n', 'n', 1, 1, 1, 1, A, 1, B, 1, 0, new Float32Array(1) as unknown as Float64Array, 1), /'c' must be a Float64Array/],
    ['a', () => dgemm('row', 'n', 'n', 4, 2, 3, 1, A, 3, B, 2, 0, new Float64Array(8), 2), /'a' touches elements 0 to 11/],
  ])('name a wrong %s', (_name, call, says) => { expect(call).toThrow(says); });
});
