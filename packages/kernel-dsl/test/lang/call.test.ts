import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import type { ErrorId } from '../../src/errors/index.ts';
import { specViolation } from '../../src/ir/index.ts';
import { assume, axes, call, kernel, reg, scalar, scratch, tensor } from '../../src/lang/index.ts';
import type { Axes, CallArgs, Kernel, Tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { fill, sameAsInterpreter } from '../emit/harness.ts';

const dot = kernel('dot', { x: tensor('f32', 'N'), y: tensor('f32', 'N'), out: tensor('f32', 1).out() }, ({ x, y, out, N }) => {
  const ax = axes({ n: N });
  const acc = reg('f32', 0);
  for (const n of ax.n) acc.addAssign(x.at(n).mul(y.at(n)));
  out.at(0).set(acc);
  return ax;
});
const matmul = kernel('matmul', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N }) => {
  const ax = axes({ i: M, j: N });
  let inner = dot.axes;
  for (const i of ax.i) for (const j of ax.j) inner = call(dot, { x: A.view(i, 'all'), y: B.view('all', j), out: C.view(i, [j, 1]) });
  return { ...ax, ...inner };
});
const scale = kernel('scale', { a: scalar('f32'), x: tensor('f32', 'L').inout() }, ({ a, x, L }) => { const ax = axes({ l: L }); for (const l of ax.l) x.at(l).mulAssign(a); return ax; });

const M = 5, K = 19, N = 3;
const value = (shape: number[], seed: number) => ({ data: Float32Array.from(fill('f32', shape.reduce((a, b) => a * b, 1), seed)), shape });
const args = () => ({ A: value([M, K], 1), B: value([K, N], 2), C: value([M, N], 3) });

describe('a called kernel', () => {
  it('becomes part of the caller: its loops run on views, its names stay apart', () => {
    expect(specViolation(matmul.ir, 'algorithm')).toBeUndefined();
    expect(matmul.print()).toBe(`kernel matmul(A: f32[M, K], B: f32[K, N], out C: f32[M, N]):
  for i in 0..M:
    for j in 0..N:
      reg acc: f32[]
      acc[] = 0f32
      for n in 0..K:
        acc[] += A[i, n] * B[n, j]
      C[i, j] = acc[]
`);
    const a = args();
    interpret(matmul.ir, a);
    for (let i = 0; i < M; i++) {
      const out = { data: new Float32Array(1), shape: [1] };
      interpret(dot.ir, { x: { data: a.A.data, shape: [K], offset: i * K }, y: { data: Float32Array.from({ length: K }, (_, k) => a.B.data[k * N]!), shape: [K] }, out });
      expect(a.C.data[i * N]).toBe(out.data[0]);
    }
    const twice = kernel('twice', { x: tensor('f32', 'N'), y: tensor('f32', 2).out() }, ({ x, y }) => { for (const i of [0, 1]) call(dot, { x, y: x, out: y.view([i, 1]) }); return {}; });
    expect(twice.print().match(/reg \w+/g)).toEqual(['reg acc', 'reg acc2']);
  });
  it('gives handles that schedules take', () => {
    const t = target('x86-64-v3');
    const s = schedule(matmul, t, (sc, { i, n }) => { const [, l] = sc.split(n, 8, { tail: 'peel' }); sc.rfactor('acc', l); sc.vectorize(l); sc.parallel(i); });
    sameAsInterpreter([{ k: lower(s.ir, t), runs: [args()] }, { k: { ...lower(matmul.ir, t), name: 'plain' }, runs: [args()] }], t);
  });
  it('takes scalars as they are when it is called', () => {
    const k = kernel('norm', { x: tensor('f32', 'N').inout() }, ({ x }) => { call(scale, { a: x.at(0), x }); call(scale, { a: 2, x: x.view([1, 2]) }); return {}; });
    const x = new Float32Array([3, 1, 2, 4]);
    interpret(k.ir, { x: { data: x, shape: [4] } });
    expect([...x]).toEqual([9, 6, 12, 12]);
    const before = kernel('before', { x: tensor('f32', 'N').inout() }, ({ x: v }) => { const first = v.at(0).mul(1); call(scale, { a: 2, x: v }); v.at(1).set(first); return {}; });
    const y = new Float32Array([3, 1]);
    interpret(before.ir, { x: { data: y, shape: [2] } });
    expect([...y]).toEqual([6, 3]);
  });
  it('takes working memory and four-bit tensors, and nests', () => {
    const low = kernel('low', { q: tensor('u4', 'R', 'S'), y: tensor('f32', 'R', 'S').out() }, ({ q, y, R, S }) => { const ax = axes({ r: R, s: S }); for (const r of ax.r) for (const s of ax.s) y.at(r, s).set(q.at(r, s).to('f32')); return ax; });
    const mid = kernel('mid', { q: tensor('u4', 2, 4), z: tensor('f32', 2).out() }, ({ q, z }) => {
      const rows = scratch('f32', 'rows', 2, 4);
      call(low, { q, y: rows });
      for (const i of [0, 1]) call(dot, { x: rows.view(i, 'all'), y: rows.view(1 - i, 'all'), out: z.view([i, 1]) });
      return {};
    });
    const top = kernel('top', { q: tensor('u4', 2, 4), z: tensor('f32', 2).out() }, ({ q, z }) => { call(mid, { q, z }); return {}; });
    const z = new Float32Array(2);
    interpret(top.ir, { q: { data: new Uint8Array([0x21, 0x43, 0x11, 0x11]), shape: [2, 4] }, z: { data: z, shape: [2] } });
    expect([...z]).toEqual([10, 10]);
  });
  it('has sizes that must agree: known ones now, others at launch', () => {
    const k = kernel('two', { x: tensor('f32', 'P'), y: tensor('f32', 'Q'), out: tensor('f32', 1).out() }, ({ x, y, out }) => { call(dot, { x, y, out }); return {}; });
    expect(k.print()).toContain('  assume Q == P\n');
    const v = (n: number) => ({ data: new Float32Array(n), shape: [n] });
    interpret(k.ir, { x: v(3), y: v(3), out: v(1) });
    expect(() => interpret(k.ir, { x: v(3), y: v(4), out: v(1) })).toThrow(/KD-RUN-ASSUME two assumes Q = P, for y of dot/);
  });

  type Env = { A: Tensor<'f32', ['M', 'K']>; v: Tensor<'f32', [4]>; o: Tensor<'f32', [1]>; w: Tensor<'f32', [4]>; d: Tensor<'f64', [4]> };
  const body = (f: (e: Env) => void) => () => { kernel('caller', { A: tensor('f32', 'M', 'K'), v: tensor('f32', 4), o: tensor('f32', 1).out(), w: tensor('f32', 4).out(), d: tensor('f64', 4) }, (e) => { f(e); return {}; }); };
  type DotArgs = typeof dot extends Kernel<Axes, infer P> ? CallArgs<P> : never;
  const any = (x: object): DotArgs => x as never;
  const strict = kernel('strict', { x: tensor('f32', 'N') }, ({ N }) => { assume(N.gt(2), 'N > 2'); return {}; });
  const halves = kernel('halves', { x: tensor('u8', 'N'), y: tensor('f32', 1).out() }, ({ x, y }) => { y.at(0).set(x.as('f16', 0).to('f32')); return {}; });
  const CASES: readonly [ErrorId, () => void, RegExp][] = [
    ['KD-CALL-ARG', body(({ v }) => { call(dot, any({ x: v, y: v })); }), /call\(dot\): out is a tensor, but got nothing; it is declared at .*call\.test\.ts:13:/],
    ['KD-CALL-ARG', body(({ v, o }) => { call(dot, any({ x: v, y: v, out: o, z: v })); }), /z is no parameter/],
    ['KD-CALL-ARG', body(({ d, v, o }) => { call(dot, any({ x: d, y: v, out: o })); }), /x is f32, but d is f64/],
    ['KD-CALL-ARG', body(({ v }) => { call(scale, { x: v, a: 'no' as never }); }), /a is a f32, but got something else/],
    ['KD-CALL-SHAPE', body(({ A, v, o }) => { call(dot, any({ x: A, y: v, out: o })); }), /x: has 1 dimensions, but 2 are given of A/],
    ['KD-CALL-SHAPE', body(({ v, o }) => { call(dot, { x: v, y: v.view([1, 2]), out: o }); }), /y: dimension 0 is N, which is 4, but 2 is given/],
    ['KD-CALL-SHAPE', body(({ v, w }) => { call(dot, { x: v, y: v, out: w }); }), /out: dimension 0 is 1, but 4 is given/],
    ['KD-READONLY', body(({ v }) => { call(dot, { x: v, y: v, out: v.view([0, 1]) }); }), /v is an input/],
    ['KD-RANK', body(({ A, v, o }) => { call(dot, { x: (A as unknown as { view(i: 'all'): typeof v }).view('all'), y: v, out: o }); }), /A has 2 dimension/],
    ['KD-CALL-ASSUME', body(({ v }) => { const ax = axes({ i: 4 }); for (const i of ax.i) call(strict, { x: v.view([0, i]) }); }), /it assumes N > 2 \(at .*\), which is i > 2 here/],
    ['KD-CALL-SHAPE', () => { kernel('c', { B: tensor('u8', 'M', 'K'), y: tensor('f32', 1).out() }, ({ B, y }) => { call(halves, { x: B.view('all', 0), y }); return {}; }); }, /x: is read as bytes of other dtypes, but the innermost dimension of B is fixed/],
  ];
  it.each(CASES)('refuses what does not fit: %s', (id, f, text) => {
    let e: unknown;
    try { f(); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(DslError);
    expect((e as DslError).id).toBe(id);
    expect((e as DslError).message).toMatch(text);
    expect((e as DslError).loc?.file).toMatch(/call\.test\.ts$/);
    expect((e as DslError).fix).not.toMatch(/\{\w+\}/);
  });
});
