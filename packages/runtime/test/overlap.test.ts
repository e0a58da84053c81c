/** The overlap test never misses a shared byte, and lets through what programs really do. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Extent, mayOverlap, selfDistinct } from '../src/kernel/index.ts';
import { reach } from '../src/tensor/index.ts';

function extent(shape: number[], strides: number[], elementBytes: number, start: number): Extent {
  const touched = reach(shape, strides);
  return {
    shape, strides, elementBytes, start,
    low: touched === undefined ? start : start + touched.low * elementBytes,
    high: touched === undefined ? start : start + (touched.high + 1) * elementBytes,
  };
}

function places(e: Extent): number[] {
  let list = [e.start];
  e.shape.forEach((n, d) => { list = list.flatMap((p) => Array.from({ length: n }, (_, i) => p + i * (e.strides[d] ?? 0) * e.elementBytes)); });
  return list;
}

const bytes = (e: Extent): number[] => places(e).flatMap((p) => Array.from({ length: e.elementBytes }, (_, b) => p + b));

const any = fc.integer({ min: 0, max: 3 }).chain((rank) => fc.tuple(
  fc.array(fc.integer({ min: 0, max: 4 }), { minLength: rank, maxLength: rank }),
  fc.array(fc.integer({ min: -12, max: 12 }), { minLength: rank, maxLength: rank }),
  fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 0, max: 40 }),
)).map(([shape, strides, size, start]) => extent(shape, strides, size, start));

test('never says that two operands are apart when they share a byte', () => {
  fc.assert(fc.property(any, any, (a, b) => {
    const mine = new Set(bytes(a));
    if (bytes(b).some((p) => mine.has(p))) expect(mayOverlap(a, b)).toBe(true);
  }), { numRuns: 5000 });
});

test('never says that elements lie apart when two share a place', () => {
  fc.assert(fc.property(any, (e) => {
    const list = bytes(e);
    if (new Set(list).size < list.length) expect(selfDistinct(e)).toBe(false);
  }), { numRuns: 5000 });
});

/** Blocks of one row-major matrix: rows [r, r + h), columns [c, c + w), perhaps transposed. */
const block = fc.record({ r: fc.nat(7), c: fc.nat(7), h: fc.integer({ min: 1, max: 8 }), w: fc.integer({ min: 1, max: 8 }), t: fc.boolean() }).map(({ r, c, h, w, t }) => {
  const rows = Math.min(h, 8 - r), columns = Math.min(w, 8 - c);
  return t ? extent([columns, rows], [1, 8], 4, 4 * (8 * r + c)) : extent([rows, columns], [8, 1], 4, 4 * (8 * r + c));
});

test('is exact for blocks of one matrix', () => {
  fc.assert(fc.property(block, block, (a, b) => {
    const mine = new Set(bytes(a));
    expect(mayOverlap(a, b)).toBe(bytes(b).some((p) => mine.has(p)));
    expect(selfDistinct(a)).toBe(true);
  }), { numRuns: 2000 });
});

test('is exact for interleaved views and halves of a row', () => {
  const whole = (stride: number, at: number): Extent => extent([6], [stride], 4, 4 * at);
  expect(mayOverlap(whole(2, 0), whole(2, 1))).toBe(false);
  expect(mayOverlap(whole(2, 0), whole(-2, 11))).toBe(false);
  expect(mayOverlap(whole(2, 0), whole(2, 2))).toBe(true);
  expect(mayOverlap(whole(3, 0), whole(3, 2))).toBe(false);
  expect(mayOverlap(whole(1, 0), extent([3], [1], 8, 24))).toBe(false);
  expect(mayOverlap(whole(1, 0), extent([3], [1], 8, 16))).toBe(true);
  expect(mayOverlap(whole(1, 0), extent([0], [1], 8, 8))).toBe(false);
});
