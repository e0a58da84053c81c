import { describe, expect, it } from 'vitest';
import { add, binary, broadcast, cast, compare, constant, dot4, fma, load, min, mul, newVar, reduce, select, size } from '../../src/ir/index.ts';
import type { Expr, LoopKind } from '../../src/ir/index.ts';
import { RunError, f16ToF32, f32ToF16, fma32, interpret } from '../../src/run/index.ts';
import { accum, alloc, bindTo, kernelOf, loop, memory, param, runError, scalarParam, store, tensor } from './helpers.ts';

const f = (x: number): Expr => constant(x, 'f32');
const ramp = (base: Expr | number, stride: number, lanes: number): Expr => ({ kind: 'ramp', dtype: 'i64', lanes, base: typeof base === 'number' ? constant(base) : base, stride: constant(stride) });

describe('an algorithm', () => {
  const A = param('A', 'f32', ['M', 'K'], 'in', true), B = param('B', 'f32', ['K', 'N'], 'in', true), C = param('C', 'f32', ['M', 'N'], 'out', true);
  const acc = memory('acc', 'f32', []);
  const gemm = kernelOf([A, B, C, scalarParam('alpha', 'f32')], [
    loop('i', 'M', (i) => [loop('j', 'N', (j) => [
      alloc(acc), store(acc, [], f(0)),
      loop('k', 'K', (k) => [accum('add', acc, [], mul(load(A, [i, k]), load(B, [k, j])))]),
      store(C, [i, j], mul({ kind: 'scalar', dtype: 'f32', lanes: 1, name: 'alpha' }, load(acc, []))),
    ])]),
  ]);
  const rounded = (a: Float32Array, b: Float32Array, m: number, n: number, k: number, alpha: number): number[] => {
    const out: number[] = [];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let s = 0;
        for (let p = 0; p < k; p++) s = Math.fround(s + Math.fround(a[i * k + p]! * b[p * n + j]!));
        out.push(Math.fround(Math.fround(alpha) * s));
      }
    }
    return out;
  };
  const data = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7) + i / 100);

  it('multiplies matrices, rounding each step to f32', () => {
    const a = data(12), b = data(20), c = new Float32Array(15), before = a.slice();
    interpret(gemm, { A: tensor(a, 3, 4), B: tensor(b, 4, 5), C: tensor(c, 3, 5), alpha: 0.1 });
    expect([...c]).toEqual(rounded(a, b, 3, 5, 4, 0.1));
    expect(a).toEqual(before);
  });
  it('has no -0 among integers, whichever way they are computed', () => {
    const y = param('y', 'f64', ['N', 'K'], 'out'), k = kernelOf([y], [loop('i', 'N', (i) => [
      store(y, [i, constant(0)], cast(mul(binary('sub', size('N'), size('K')), constant(-1)), 'f64')), store(y, [i, constant(1)], cast(mul(binary('sub', i, i), constant(-1)), 'f64')),
    ])]);
    const data = new Float64Array(4).fill(9);
    interpret(k, { y: tensor(data, 2, 2) });
    expect([...data]).toEqual([0, 0, 0, 0]);
  });
  it('takes any strides and offsets, and leaves what lies between alone', () => {
    const a = data(12), b = data(20), want = rounded(a, b, 3, 5, 4, 1);
    const at = new Float32Array(20); // A transposed, with rows 5 apart: 4 x 3 in 4 x 5
    for (let i = 0; i < 3; i++) for (let p = 0; p < 4; p++) at[p * 5 + i] = a[i * 4 + p]!;
    const reversed = Float32Array.from([99, ...[...b].reverse()]); // B back to front
    const c = new Float32Array(40).fill(7);
    interpret(gemm, {
      A: { data: at, shape: [3, 4], strides: [1, 5] }, B: { data: reversed, shape: [4, 5], strides: [-5, -1], offset: 20 },
      C: { data: c, shape: [3, 5], strides: [12, 2], offset: 3 }, alpha: 1,
    });
    expect(Array.from({ length: 15 }, (_, x) => c[3 + Math.floor(x / 5) * 12 + (x % 5) * 2])).toEqual(want);
    expect(c.filter((x) => x === 7)).toHaveLength(25);
  });
  it('does nothing for empty tensors', () => {
    interpret(gemm, { A: tensor(new Float32Array(0), 0, 4), B: tensor(data(20), 4, 5), C: tensor(new Float32Array(0), 0, 5), alpha: 1 });
    const c = new Float32Array(6).fill(9);
    interpret(gemm, { A: tensor(new Float32Array(0), 2, 0), B: tensor(new Float32Array(0), 0, 3), C: tensor(c, 2, 3), alpha: 1 });
    expect([...c]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('branches, binds values, and updates in the order cell op value', () => {
    const x = param('x', 'f32', ['N']), y = param('y', 'f32', ['N'], 'inout'), t = newVar('t', 'f32');
    const k = kernelOf([x, y], [loop('i', 'N', (i) => [
      bindTo(t, mul(load(x, [i]), f(2))),
      { kind: 'if', cond: compare('lt', t, f(3)), then: store(y, [i], t), else: accum('max', y, [i], t) },
    ])]);
    const out = new Float32Array([9, 9, NaN, 9]);
    interpret(k, { x: tensor(new Float32Array([1, 3, 4, NaN]), 4), y: tensor(out, 4) });
    expect([...out]).toEqual([2, 9, 8, NaN]); // max(a, b) = a > b ? a : b: of NaN and 8, and of 9 and NaN, the second
  });
  it('assigns integers and storage types of every width', () => {
    const h = param('h', 'f16', ['N']), o = param('o', 'bf16', ['N'], 'out'), g = param('g', 'f16', ['N'], 'out'), l = param('l', 'i64', ['N'], 'inout'), p = param('p', 'bool', ['N'], 'out');
    const k = kernelOf([h, o, g, l, p], [loop('i', 'N', (i) => {
      const x = cast(load(h, [i]), 'f32');
      return [store(o, [i], cast(x, 'bf16')), store(g, [i], cast(mul(x, f(1 / 3)), 'f16')), accum('add', l, [i], i), store(p, [i], compare('gt', x, f(0)))];
    })]);
    const bits = Uint16Array.from([1, -2, 0.1].map(f32ToF16)), out = new Uint16Array(3), third = new Uint16Array(3), long = new BigInt64Array([5n, -6n, 2n ** 50n]), sign = new Uint8Array(3);
    interpret(k, { h: tensor(bits, 3), o: tensor(out, 3), g: tensor(third, 3), l: tensor(long, 3), p: tensor(sign, 3) });
    expect([...out]).toEqual([0x3f80, 0xc000, 0x3dcd]);
    expect([...third]).toEqual([1, -2, f16ToF32(bits[2]!)].map((x) => f32ToF16(Math.fround(x * Math.fround(1 / 3)))));
    expect([...long]).toEqual([5n, -5n, 2n ** 50n + 2n]);
    expect([...sign]).toEqual([1, 0, 1]);
  });
  it('copies every f16 bit pattern, NaNs too, unchanged', () => {
    const x = param('x', 'f16', ['N']), y = param('y', 'f16', ['N'], 'out');
    const k = kernelOf([x, y], [loop('i', 'N', (i) => [store(y, [i], load(x, [i]))])]);
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i), out = new Uint16Array(65536);
    interpret(k, { x: tensor(all, 65536), y: tensor(out, 65536) });
    expect(out).toEqual(all);
  });
  it('has strides, sizes and 64-bit index arithmetic as values', () => {
    const x = param('x', 'f32', ['M', 'N'], 'in', true), y = param('y', 'i64', [4], 'out');
    const k = kernelOf([x, y], [
      store(y, [constant(0)], { kind: 'stride', dtype: 'i64', lanes: 1, buf: x, dim: 0 }), store(y, [constant(1)], { kind: 'stride', dtype: 'i64', lanes: 1, buf: x, dim: 1 }),
      store(y, [constant(2)], binary('div', size('M'), constant(-2))), store(y, [constant(3)], binary('mod', binary('sub', constant(0), size('N')), constant(4))),
    ]);
    const out = new BigInt64Array(4);
    interpret(k, { x: { data: new Float32Array(40), shape: [3, 2], strides: [11, 4] }, y: tensor(out, 4) });
    expect([...out]).toEqual([11n, 4n, -2n, 2n]);
  });
  it('indexes by any affine expression, and by others', () => {
    const x = param('x', 'i32', ['N']), y = param('y', 'i32', [2, 3, 2, 2], 'out');
    const at = (a: Expr, b: Expr, c: Expr, d: Expr): Expr => add(add(mul(a, constant(12)), mul(constant(4), b)), add(mul(add(c, c), constant(1)), binary('sub', add(d, constant(5)), constant(5))));
    const k = kernelOf([x, y], [loop('a', 2, (a) => [loop('b', 3, (b) => [loop('c', 2, (c) => [loop('d', 2, (d) => [store(y, [a, b, c, d], load(x, [at(a, b, c, d)]))])])])])]);
    const data = Int32Array.from({ length: 24 }, (_, i) => i * i), out = new Int32Array(24);
    interpret(k, { x: tensor(data, 24), y: tensor(out, 2, 3, 2, 2) });
    expect(out).toEqual(data);
    const reverse = kernelOf([x, param('y', 'i32', ['N'], 'out')], []);
    const y2 = reverse.params[1]!.kind === 'tensor' ? reverse.params[1]!.buf : undefined;
    const k2 = { ...reverse, body: loop('i', 'N', (i) => [store(y2!, [i], load(x, [binary('mod', mul(i, i), size('N'))]))]) };
    const squares = new Int32Array(24);
    interpret(k2, { x: tensor(data, 24), y: tensor(squares, 24) });
    expect([...squares]).toEqual(Array.from({ length: 24 }, (_, i) => ((i * i) % 24) ** 2));
  });
  it('reads bytes as wider types at any place, little-endian', () => {
    const q = param('q', 'u8', ['B']), y = param('y', 'f32', [4], 'out');
    const bytes = new Uint8Array(20).fill(0xaa), v = new DataView(bytes.buffer, 3);
    v.setFloat32(0, -2.5, true);
    v.setUint16(4, f32ToF16(0.5), true);
    v.setInt32(6, -77, true);
    v.setInt8(10, -3);
    const k = kernelOf([q, y], [
      store(y, [constant(0)], load(q, [constant(2)], { as: 'f32' })), store(y, [constant(1)], cast(load(q, [constant(6)], { as: 'f16' }), 'f32')),
      store(y, [constant(2)], cast(load(q, [constant(8)], { as: 'i32' }), 'f32')), store(y, [constant(3)], cast(load(q, [constant(12)], { as: 'i8' }), 'f32')),
    ]);
    const out = new Float32Array(4);
    interpret(k, { q: tensor(bytes.subarray(1), 19), y: tensor(out, 4) });
    expect([...out]).toEqual([-2.5, 0.5, -77, -3]);
    const late = kernelOf([q, y], [store(y, [constant(0)], load(q, [constant(16)], { as: 'f32' }))]);
    const e = runError(late, { q: tensor(bytes.subarray(1), 19), y: tensor(out, 4) }, 'KD-RUN-OOB');
    expect(e.message).toMatch(/load as f32 of q\[16\]: index \[16\] and the 3 after it is outside of q's shape \[19\]/);
  });
});

describe('a scheduled kernel', () => {
  const x = param('x', 'f32', ['N']), y = param('y', 'f32', ['N'], 'out');
  it.each(['seq', 'unroll', 'vector', 'parallel', 'block.x', 'lane.x'] as LoopKind[])('runs a %s loop as its iterations, with a padded tail', (kind) => {
    const k = kernelOf([x, y], [loop('io', binary('div', add(size('N'), constant(7)), constant(8)), (io) => [loop('ii', 8, (ii) => {
      const i = add(mul(io, constant(8)), ii);
      return [{ kind: 'if', pad: true, cond: compare('lt', i, size('N')), then: store(y, [i], add(load(x, [i]), f(1))) }];
    }, kind)], kind)]);
    const out = new Float32Array(21);
    interpret(k, { x: tensor(Float32Array.from({ length: 21 }, (_, i) => i), 21), y: tensor(out, 21) });
    expect([...out]).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
  });
  it('packs panels whose shape holds sizes, in memory that is new each time', () => {
    const panel = memory('panel', 'f32', ['N', 4], 'pack');
    const sum = memory('sum', 'f32', []);
    const k = kernelOf([x, y], [loop('r', 3, (r) => [
      alloc(panel), alloc(sum), store(sum, [], f(0)),
      loop('i', 'N', (i) => [loop('j', 4, (j) => [store(panel, [i, j], mul(load(x, [i]), cast(add(j, r), 'f32')))])]),
      loop('i2', 'N', (i) => [loop('j2', 4, (j) => [accum('add', sum, [], load(panel, [i, j]))])]),
      store(y, [r], load(sum, [])),
    ])]);
    const out = new Float32Array(5);
    interpret(k, { x: tensor(new Float32Array([1, 2, 3, 4, 5]), 5), y: tensor(out, 5) });
    expect([...out].slice(0, 3)).toEqual([15 * 6, 15 * 10, 15 * 14]);
  });
  it('allocates shapes that change from iteration to iteration', () => {
    const t = memory('t', 'f32', [], 'local');
    const k = kernelOf([y], [loop('i', 'N', (i) => {
      const local = { ...t, shape: [add(i, constant(1))] };
      return [alloc(local), loop('j', add(i, constant(1)), (j) => [store(local, [j], cast(j, 'f32'))]), store(y, [i], load(local, [i]))];
    })]);
    const out = new Float32Array(6);
    interpret(k, { y: tensor(out, 6) });
    expect([...out]).toEqual([0, 1, 2, 3, 4, 5]);
  });
  it('runs parallel iterations in an order that the seed chooses', () => {
    const o = param('o', 'i32', ['N'], 'out'), n = param('n', 'i32', [], 'inout');
    const k = kernelOf([o], [loop('i', 'N', (i) => [store(o, [i], cast(i, 'i32'))], 'parallel')]);
    const bad = kernelOf([o, n], [loop('i', 'N', () => [accum('add', n, [], constant(1, 'i32'))], 'parallel')]);
    // The race on n stops the run in its second iteration and names the two that ran.
    const orderOf = (seed: number): number[] => {
      const e = runError(bad, { o: tensor(new Int32Array(50), 50), n: tensor(new Int32Array(1)) }, 'KD-RUN-RACE', { seed });
      return [...e.message.matchAll(/iteration i = (\d+)/g)].map((m) => Number(m[1]));
    };
    expect(orderOf(1)).toEqual(orderOf(1));
    expect(new Set([1, 2, 3, 4, 5, 6].map((s) => String(orderOf(s)))).size).toBeGreaterThan(2);
    const all = new Int32Array(50);
    interpret(k, { o: tensor(all, 50) });
    expect([...all]).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});

describe('a lowered kernel', () => {
  const x = param('x', 'f32', ['N']), y = param('y', 'f32', ['N'], 'out');
  it('computes with vectors, lane by lane', () => {
    const v = newVar('v', 'f32', 4), acc = memory('acc', 'f32', [4]);
    const k = kernelOf([x, y], [
      alloc(acc), store(acc, [constant(0)], broadcast(f(0.5), 4)),
      loop('i', 2, (i) => [
        bindTo(v, load(x, [mul(i, constant(4))], { lanes: 4 })),
        store(acc, [constant(0)], fma(v, broadcast(f(1 / 3), 4), load(acc, [constant(0)], { lanes: 4 }))),
        store(y, [mul(i, constant(4))], select(compare('lt', v, broadcast(f(3), 4)), v, broadcast(f(-1), 4))),
      ]),
      store(y, [constant(8)], load(acc, [constant(0)], { lanes: 4 })),
    ]);
    const data = Float32Array.from({ length: 12 }, (_, i) => i + 0.1), out = new Float32Array(12);
    interpret(k, { x: tensor(data, 12), y: tensor(out, 12) });
    const third = Math.fround(1 / 3);
    expect([...out]).toEqual([data[0], data[1], data[2], -1, -1, -1, -1, -1, ...[0, 1, 2, 3].map((l) => fma32(data[4 + l]!, third, fma32(data[l]!, third, 0.5)))]);
  });
  it('reduces by halving', () => {
    const k = kernelOf([x, y], [store(y, [constant(0)], reduce('add', load(x, [constant(0)], { lanes: 8 }))), store(y, [constant(1)], reduce('max', load(x, [constant(0)], { lanes: 8 })))]);
    const data = new Float32Array([1e8, 1, 3, -7, -1e8, 1, 0.5, 2]), out = new Float32Array(8);
    interpret(k, { x: tensor(data, 8), y: tensor(out, 8) });
    expect(out[0]).toBe((1e8 - 1e8 + (3 + 0.5)) + (1 + 1 + (-7 + 2))); // pairs 4 apart, then 2, then 1; in another order 1e8 would swallow some
    expect(out[1]).toBe(1e8);
  });
  it('gathers and scatters through ramps, and loads neighbours of a strided row', () => {
    const m = param('m', 'f32', ['R', 'N'], 'in', true), o = param('o', 'f32', ['R', 'N'], 'out', true);
    const k = kernelOf([m, o], [loop('r', 'R', (r) => [
      store(o, [r, ramp(3, -1, 4)], load(m, [r, constant(0)], { lanes: 4 })),
      store(o, [r, constant(4)], load(m, [ramp(0, 1, 2), ramp(r, 1, 2)], { lanes: 2 })),
    ])]);
    const out = new Float32Array(12);
    interpret(k, { m: { data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [2, 6], strides: [12, 2] }, o: tensor(out, 2, 6) });
    expect([...out]).toEqual([6, 4, 2, 0, 0, 14, 18, 16, 14, 12, 2, 16]);
  });
  it('reads vectors of wider types from bytes and computes dot4 exactly', () => {
    const q = param('q', 'u8', ['B']), r = param('r', 'i32', [2], 'inout');
    const bytes = Uint8Array.from([9, 255, 255, 255, 255, 1, 2, 3, 4, 128, 127, 128, 127, 255, 0, 1, 2, 0]);
    const k = kernelOf([q, r], [store(r, [constant(0)], dot4(load(r, [constant(0)], { lanes: 2 }), load(q, [constant(1)], { lanes: 2, as: 'u32' }), load(q, [constant(9)], { lanes: 2, as: 'i32' })))]);
    const out = new Int32Array([2 ** 31 - 1, 10]);
    interpret(k, { q: tensor(bytes, 18), r: tensor(out, 2) });
    expect([...out]).toEqual([(2 ** 31 - 1 + 255 * (-128 + 127 - 128 + 127)) | 0, 10 + 1 * -1 + 2 * 0 + 3 * 1 + 4 * 2]);
  });
  it('reinterprets whole vectors', () => {
    const q = param('q', 'u8', ['B']), r = param('r', 'u32', [2], 'out');
    const k = kernelOf([q, r], [store(r, [constant(0)], { kind: 'bitcast', dtype: 'u32', lanes: 2, x: load(q, [constant(1)], { lanes: 8 }) })]);
    const out = new Uint32Array(2);
    interpret(k, { q: tensor(Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]), 9), r: tensor(out, 2) });
    expect([...out]).toEqual([0x04030201, 0x08070605]);
  });
  it('checks each lane', () => {
    const k = kernelOf([x, y], [store(y, [constant(0)], load(x, [constant(5)], { lanes: 4 }))]);
    const e = runError(k, { x: tensor(new Float32Array(8), 8), y: tensor(new Float32Array(8), 8) }, 'KD-RUN-OOB');
    expect(e.message).toContain("load x4 of x[5]: index [5] and the 3 after it is outside of x's shape [8]");
    const g = kernelOf([x, y], [store(y, [ramp(0, 3, 4)], load(x, [constant(0)], { lanes: 4 }))]);
    expect(runError(g, { x: tensor(new Float32Array(8), 8), y: tensor(new Float32Array(8), 8) }, 'KD-RUN-OOB').index).toEqual([9]);
    const acc = memory('acc', 'f32', [4]);
    const u = kernelOf([x, y], [alloc(acc), store(acc, [constant(0)], f(1)), store(y, [constant(0)], load(acc, [constant(0)], { lanes: 4 }))]);
    expect(runError(u, { x: tensor(new Float32Array(8), 8), y: tensor(new Float32Array(8), 8) }, 'KD-RUN-UNINIT').index).toEqual([1]);
  });
});

it('is quick enough to be an oracle', () => {
  const n = 64, A = param('A', 'f32', ['M', 'K']), B = param('B', 'f32', ['K', 'N']), C = param('C', 'f32', ['M', 'N'], 'inout');
  const k = kernelOf([A, B, C], [loop('i', 'M', (i) => [loop('p', 'K', (p) => [loop('j', 'N', (j) => [accum('add', C, [i, j], mul(load(A, [i, p]), load(B, [p, j])))])])])]);
  const args = { A: tensor(new Float32Array(n * n).fill(1), n, n), B: tensor(new Float32Array(n * n).fill(2), n, n), C: tensor(new Float32Array(n * n), n, n) };
  const start = performance.now();
  interpret(k, args);
  const ms = performance.now() - start;
  expect((args.C as { data: Float32Array }).data[5]).toBe(128);
  expect(ms).toBeLessThan(2000); // about 30 ms on an idle core: a slow machine passes, an accidental tree walk per step does not
});

it('min of sizes bounds loops, and RunError is an Error', () => {
  const x = param('x', 'f32', ['N'], 'out');
  const out = new Float32Array(4);
  interpret(kernelOf([x], [loop('i', min(size('N'), constant(2)), (i) => [store(x, [i], f(5))])]), { x: tensor(out, 4) });
  expect([...out]).toEqual([5, 5, 0, 0]);
  expect(new RunError('KD-RUN-ARG', 'x')).toBeInstanceOf(Error);
});
