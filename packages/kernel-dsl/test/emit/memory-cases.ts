/** Accesses of every kind, and memory of every space. */
import type { Expr, Stmt } from '../../src/ir/index.ts';
import { add, binary, broadcast, cast, compare, constant, join, load, lt, mul, newVar, pickLane, size, sub } from '../../src/ir/index.ts';
import { accum, alloc, array, bindTo, kernelOf, loop, memory, param, scalarParam, store } from '../run/helpers.ts';
import { fill } from './harness.ts';
import type { Case, TensorValue } from './harness.ts';

export const c0 = constant(0);
const ramp = (base: Expr, stride: Expr, lanes: number): Expr => ({ kind: 'ramp', dtype: 'i64', lanes, base, stride });
export const f32 = (shape: number[], seed: number, strides?: number[]): TensorValue => {
  const n = strides ? 1 + shape.reduce((s, d, i) => s + (d - 1) * strides[i]!, 0) : shape.reduce((a, b) => a * b, 1);
  return { data: array('f32', fill('f32', n, seed)), shape, ...(strides && { strides }) };
};

/** Rows of a strided matrix, read and written forwards, backwards and by a table of indices. */
export function accessCase(lanes: number): Case {
  const A = param('A', 'f32', ['M', 'N'], 'in', true), T = param('T', 'i64', [lanes]), Y = param('Y', 'f32', ['M', 5, 'N'], 'inout'), Z = param('Z', 'f32', ['M', 'N'], 'inout', true);
  const last = sub(size('N'), constant(1)), table = load(T, [c0], { lanes });
  const k = kernelOf([A, T, Y, Z], [loop('i', 'M', (i) => [
    store(Y, [i, constant(0), c0], load(A, [i, c0], { lanes })),
    store(Y, [i, constant(1), ramp(last, constant(-1), lanes)], load(A, [i, ramp(c0, constant(1), lanes)], { lanes })),
    store(Y, [i, constant(2), c0], load(A, [i, table], { lanes })),
    accum('add', Y, [i, constant(3), c0], load(A, [i, ramp(last, constant(-1), lanes)], { lanes })),
    store(Y, [i, constant(4), table], load(A, [i, c0], { lanes })),
    accum('max', Z, [i, c0], load(A, [i, c0], { lanes })),
    accum('mul', Z, [i, constant(1)], load(A, [i, constant(1)])),
    accum('min', Z, [i, constant(2)], load(A, [i, constant(1)])),
  ])], `access_${lanes}`);
  const N = lanes + 3, table0 = Array.from({ length: lanes }, (_, i) => (i * 5 + 2) % N);
  // Distinct indices: i * 5 mod N with N prime to 5, or scatters would collide.
  return { k, runs: [{ A: f32([3, N], 1, [2 * N + 9, 2]), T: { data: array('i64', table0), shape: [lanes] }, Y: f32([3, 5, N], 2), Z: f32([3, N], 3, [3 * N, 3]) }] };
}

/** Values of other types out of bytes, at odd addresses, next to each other and apart. */
export function bytesCase(lanes: number): Case {
  const W = param('W', 'u8', ['R', 'B']), F = param('F', 'f32', ['R', 4, lanes], 'out'), U = param('U', 'u32', ['R', 2, lanes], 'out');
  const k = kernelOf([W, F, U], [loop('r', 'R', (r) => [
    store(F, [r, constant(0), c0], cast(load(W, [r, constant(1)], { lanes, as: 'f16' }), 'f32')),
    store(F, [r, constant(1), c0], cast(load(W, [r, ramp(constant(3), constant(5), lanes)], { lanes, as: 'f16' }), 'f32')),
    store(F, [r, constant(2), c0], broadcast(cast(load(W, [r, constant(1)], { as: 'bf16' }), 'f32'), lanes)),
    store(F, [r, constant(3), c0], cast(load(W, [r, constant(7)], { lanes, as: 'i8' }), 'f32')),
    store(U, [r, constant(0), c0], load(W, [r, constant(3)], { lanes, as: 'u32' })),
    store(U, [r, constant(1), c0], broadcast(load(W, [r, constant(2)], { as: 'u32' }), lanes)),
  ])], `bytes_${lanes}`);
  const B = 5 * lanes + 8;
  // Bytes below 0x7c: no half of them is a NaN.
  return { k, runs: [{ W: { data: array('u8', fill('u8', 2 * B, 4).map((x) => x % 0x7c)), shape: [2, B] }, F: f32([2, 4, lanes], 1), U: { data: array('u32', fill('u32', 4 * lanes, 1)), shape: [2, 2, lanes] } }] };
}

/** The value of a loop position in lanes, as numbers and in conditions. */
export function rampCase(lanes: number): Case {
  const Y = param('Y', 'f32', ['M', 4, lanes], 'out'), X = param('X', 'i32', ['M', lanes], 'out');
  const k = kernelOf([Y, X], [loop('i', 'M', (i) => {
    const at = ramp(mul(i, constant(lanes)), constant(1), lanes), f = (v: number): Expr => broadcast(constant(v, 'f32'), lanes);
    return [
      store(X, [i, c0], cast(at, 'i32')),
      store(Y, [i, constant(0), c0], cast(at, 'f32')),
      store(Y, [i, constant(1), c0], { kind: 'select', dtype: 'f32', lanes, cond: compare('lt', at, broadcast(constant(lanes + 1), lanes)), a: f(1), b: f(-0) }),
      store(Y, [i, constant(2), c0], { kind: 'select', dtype: 'f32', lanes, cond: broadcast(lt(i, constant(1)), lanes), a: f(2), b: f(3) }),
      store(Y, [i, constant(3), c0], cast(cast(ramp(i, constant(-3), lanes), 'i32'), 'f32')),
    ];
  })], `ramp_${lanes}`);
  return { k, runs: [{ Y: f32([3, 4, lanes], 1), X: { data: array('i32', fill('i32', 3 * lanes, 1)), shape: [3, lanes] } }] };
}

/** A parallel loop with memory of its own inside of sequential ones, memory around it, and a parallel loop in a parallel loop. */
export function parallelCase(): Case {
  const a: Expr = { kind: 'scalar', dtype: 'f32', lanes: 1, name: 'alpha' };
  const X = param('X', 'f32', ['M', 'N']), Y = param('Y', 'f32', ['M', 'N'], 'inout');
  const all = memory('all', 'f32', [64], 'pack'), bytes = memory('bytes', 'u8', [100], 'pack'), mine = memory('mine', 'f32', [70], 'pack'), more = memory('more', 'f64', [3], 'pack'), few = memory('few', 'f32', [2, 3], 'local');
  const twice = newVar('twice', 'f32'), sum = memory('sum', 'f32', [], 'reg');
  const body: Stmt[] = [
    bindTo(twice, binary('mul', a, constant(2, 'f32'))),
    alloc(all), alloc(bytes),
    loop('z', 64, (z) => [store(all, [z], cast(z, 'f32'))]),
    loop('z', 100, (z) => [store(bytes, [z], cast(z, 'u8'))]),
    loop('s', 2, (s) => [
      loop('i', 'M', (i) => [
        alloc(mine), alloc(more), alloc(few),
        store(more, [constant(2)], constant(0.5, 'f64')),
        loop('p', 2, (p) => [loop('q', 3, (q) => [store(few, [p, q], cast(add(p, q), 'f32'))])]),
        loop('j', 'N', (j) => [store(mine, [j], binary('mul', twice, load(X, [i, j])))], 'parallel'),
        alloc(sum), store(sum, [], constant(0, 'f32')),
        loop('j', 'N', (j) => [
          accum('add', sum, [], load(mine, [j])),
          accum('add', Y, [i, j], binary('add', binary('mul', load(sum, []), cast(load(more, [constant(2)]), 'f32')), binary('add', load(few, [constant(1), constant(2)]), binary('add', load(all, [add(j, s)]), cast(load(bytes, [constant(99)]), 'f32'))))),
        ]),
      ], 'parallel'),
    ]),
  ];
  return { k: kernelOf([scalarParam('alpha', 'f32'), X, Y], body, 'shares'), runs: [1, 7, 0].map((M) => ({ alpha: 0.3, X: f32([M, 9], 1), Y: f32([M, 9], 2) })) };
}

/** Names that C, the ABI or another thing has already. */
export function namesCase(): Case {
  const params = ['int', 'ctx', 'f32x8', 'N_', 'x-y', 'min_f32'].map((n) => param(n, 'f32', ['size'])), out = param('buf', 'f32', ['size', 'M'], 'out');
  const inner = newVar('i', 'f32');
  const k = kernelOf([...params, out], [loop('i', 'size', (i) => [
    bindTo(inner, params.map((p) => load(p, [i])).reduce<Expr>((s, x) => binary('min', s, x), constant(9, 'f32'))),
    loop('i', 'M', (m) => [store(out, [i, m], binary('add', inner, cast(m, 'f32')))]),
    loop('i', 'M', (m) => [accum('add', out, [i, m], cast(i, 'f32'))]),
  ])], 'while');
  return { k, runs: [{ ...Object.fromEntries(params.map((p, i) => [p.name, f32([4], i)])), buf: f32([4, 3], 9) }] };
}

/** Scalars side by side as vectors, and single lanes of vectors. */
export function joinCase(): Case {
  const x = param('x', 'f32', ['M', 4]), y = param('y', 'f32', ['M', 4], 'out'), d = param('d', 'i16', ['M', 2], 'inout'), v = newVar('v', 'f32', 4), w = newVar('w', 'i16', 2);
  const k = kernelOf([x, y, d], [loop('i', 'M', (i) => [
    bindTo(v, load(x, [i, c0], { lanes: 4 })), bindTo(w, load(d, [i, c0], { lanes: 2 })),
    store(y, [i, c0], join([pickLane(v, 3), binary('mul', pickLane(v, 0), constant(2, 'f32')), constant(-0, 'f32'), load(x, [i, constant(2)])])),
    store(d, [i, c0], join([pickLane(w, 1), binary('add', pickLane(w, 0), pickLane(w, 1))])),
  ])], 'joins');
  return { k, runs: [{ x: f32([3, 4], 1), y: f32([3, 4], 2), d: { data: array('i16', fill('i16', 6, 3)), shape: [3, 2] } }] };
}
