import { describe, expect, expectTypeOf, it } from 'vitest';
import { atomicAdd, atomicOr, axes, call, constant, exp, fma, kernel, loopWhile, named, popcount, pow, print, reg, scalar, select, shared, subgroupAny, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Cell, Kernel, PackedTensor, Tensor, Val, View } from '../../src/lang/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';

/*
 * What tsc tells authors on their line. A mistake stands under a @ts-expect-error: where it stops being one, type-checking this file fails. Bodies with
 * mistakes are never run.
 */
const gemm = kernel('gemm', { alpha: scalar('f32'), A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ alpha, A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(alpha.mul(A.at(i, k)).mul(B.at(k, j)));
  return ax;
});
const dot = kernel('dot', { x: tensor('f32', 'N'), y: tensor('f32', 'N'), out: tensor('f32', 1).out(), bias: scalar('f32') }, ({ x, y, out, N, bias }) => {
  const ax = axes({ n: N }), acc = reg('f32', bias);
  for (const n of ax.n) acc.addAssign(x.at(n).mul(y.at(n)));
  out.at(0).set(acc);
  return ax;
});
const tiled = kernel('tiled', { T: constant(16), deep: constant(false), how: constant<'sum' | 'max'>('sum'), x: tensor('f32', 'N', 'T') }, ({ T, deep, how, x, N }) => {
  expectTypeOf(T).toEqualTypeOf<number>();
  expectTypeOf(deep).toEqualTypeOf<boolean>();
  expectTypeOf(how).toEqualTypeOf<'sum' | 'max'>();
  expectTypeOf(x).toEqualTypeOf<Tensor<'f32', readonly ['N', 'T']>>();
  expectTypeOf(N).toEqualTypeOf<Val<'i64'>>();
  return {};
});

describe('types that authors see', () => {
  it('name dims, dtypes and axes', () => {
    expectTypeOf(gemm.axes).toEqualTypeOf<{ readonly i: Axis<'i'>; readonly j: Axis<'j'>; readonly k: Axis<'k'> }>();
    kernel('typed', { x: tensor('f16', 'N', 4), b: tensor('u8', 'N'), q: tensor('i4', 'N', 'K'), u: tensor('u4', 8), n: scalar('i32') }, ({ x, b, q, u, n, N, K }) => {
      expectTypeOf(x.at(0, 1)).toEqualTypeOf<Cell<'f16'>>();
      expectTypeOf(x.at(0, 1).to('f32')).toEqualTypeOf<Val<'f32'>>();
      expectTypeOf(b.as('bf16', 0)).toEqualTypeOf<Val<'bf16'>>();
      expectTypeOf(q).toEqualTypeOf<PackedTensor<'i4', readonly ['N', 'K']>>();
      expectTypeOf(q.at(0, 1)).toEqualTypeOf<Val<'i8'>>();
      expectTypeOf(u.at(0)).toEqualTypeOf<Val<'u8'>>();
      expectTypeOf(n.lt(3)).toEqualTypeOf<Val<'bool'>>();
      expectTypeOf(popcount(n)).toEqualTypeOf<Val<'i32'>>();
      expectTypeOf(named('m', N.add(K))).toEqualTypeOf<Val<'i64'>>();
      expectTypeOf(x.view('all', 2)).toEqualTypeOf<View<'f16', 1>>();
      expectTypeOf(x.view([0, N], 'all')).toEqualTypeOf<View<'f16', 2>>();
      expectTypeOf(b.view(3)).toEqualTypeOf<View<'u8', 0>>();
      return {};
    });
    expectTypeOf(tiled.with({ T: 32 })).toEqualTypeOf<typeof tiled>();
    expectTypeOf<typeof dot>().toExtend<Kernel>();
    schedule(gemm, target('x86-64'), (s, ax) => {
      expectTypeOf(s.split(ax.i, 8)).toEqualTypeOf<readonly [Axis, Axis, Axis | undefined]>();
    });
  });

  it('refuse mistakes where they are made', () => {
    const mistakes: readonly (() => void)[] = [
      // @ts-expect-error: no dimension is called Q
      () => kernel('k', { x: tensor('f32', 'N') }, ({ Q }) => { void Q; return {}; }),
      // @ts-expect-error: a constant is no size, it is a number
      () => kernel('k', { T: constant(4), x: tensor('f32', 'T') }, ({ T }) => { T.add(1); return {}; }),
      // @ts-expect-error: no such dtype
      () => tensor('f33', 'N'),
      // @ts-expect-error: a scalar has a dtype
      () => scalar('number'),
      () => kernel('k', { A: tensor('f32', 'M', 'K'), i8: tensor('i8', 'M'), h: tensor('f16', 'M'), q: tensor('i4', 'M'), a: scalar('f32'), n: scalar('i32') }, ({ A, i8, h, q, a, n, M }) => {
        // @ts-expect-error: one index for two dimensions
        A.at(0);
        // @ts-expect-error: three
        A.at(0, 1, 2);
        // @ts-expect-error: a float is no index
        A.at(a, 0);
        // @ts-expect-error: a comparison is no index
        A.at(n.lt(0), 0);
        // @ts-expect-error: dtypes do not mix
        A.at(0, 0).add(n);
        // @ts-expect-error: nor in assignments
        A.at(0, 0).set(n);
        // @ts-expect-error: nor in accumulations
        i8.at(0).addAssign(n);
        // @ts-expect-error: a string is no operand
        a.add('1');
        // @ts-expect-error: values are immutable, only cells are assigned
        a.set(1);
        // @ts-expect-error: what an operation gives is no cell
        A.at(0, 0).add(1).set(2);
        // @ts-expect-error: half a byte is not written alone
        q.at(0).set(1);
        // @ts-expect-error: no such dtype to convert to
        h.at(0).to('float');
        // @ts-expect-error: the functions are those of floats
        exp(n);
        // @ts-expect-error: and not of storage types
        exp(h.at(0));
        // @ts-expect-error: bits are counted in integers
        popcount(a);
        // @ts-expect-error: dtypes of a fused product agree
        fma(a, n, a);
        // @ts-expect-error: nor do f32 and f64 mix in one
        fma(a, A.at(0, 0).to('f64'), 1);
        // @ts-expect-error: nor here
        pow(a, A.at(0, 0).to('f64'));
        // @ts-expect-error: a condition is a bool
        when(a, () => {});
        // @ts-expect-error: both sides have one dtype
        select(a.lt(0), a, n);
        // @ts-expect-error: the condition of a loop is a bool
        for (const _ of loopWhile(() => n, { max: 3 })) void _;
        // @ts-expect-error: a loop is bounded
        for (const _ of loopWhile(() => n.lt(0), {})) void _;
        // @ts-expect-error: only cells are updated atomically
        atomicAdd(a, 1);
        // @ts-expect-error: with a value of its dtype
        atomicAdd(A.at(0, 0), n);
        // @ts-expect-error: floats have no bitwise or
        atomicOr(A.at(0, 0), 1);
        // @ts-expect-error: numbers are printed as text or as values
        print('n', 3);
        // @ts-expect-error: a register has the dtype of its start
        reg('i32', a);
        // @ts-expect-error: shared memory has constant dimensions
        shared('f32', 'tile', M);
        // @ts-expect-error: subgroups vote on bools
        subgroupAny(a);
        // @ts-expect-error: one part a dimension
        A.view('all');
        // @ts-expect-error: a part is an index, all, or a window
        A.view('all', 'some');
        // @ts-expect-error: an extent is an integer
        const ax = axes({ i: a, j: M });
        // @ts-expect-error: no such axis
        for (const l of ax.l) void l;
        // @ts-expect-error: no such place
        for (const j of ax.j.bind('warp.x')) void j;
        return {};
      }),
      () => kernel('k', { A: tensor('f32', 'M', 'K'), d: tensor('f64', 'K'), x: tensor('f32', 'K'), o: tensor('f32', 1).out() }, ({ A, d, x, o }) => {
        // @ts-expect-error: two dimensions where the kernel takes one
        call(dot, { x: A, y: x, out: o, bias: 0 });
        // @ts-expect-error: another dtype
        call(dot, { x: d, y: x, out: o, bias: 0 });
        // @ts-expect-error: out is missing
        call(dot, { x, y: x, bias: 0 });
        // @ts-expect-error: no such parameter
        call(dot, { x, y: x, out: o, bias: 0, beta: 1 });
        // @ts-expect-error: the scalar is f32
        call(dot, { x, y: x, out: o, bias: d.at(0) });
        // @ts-expect-error: the called kernel has no axis m
        call(dot, { x, y: x, out: o, bias: 0 }).m;
        call(dot, { x: A.view(0, 'all'), y: x, out: o, bias: x.at(0) });
        return {};
      }),
      // @ts-expect-error: no such constant
      () => tiled.with({ U: 1 }),
      // @ts-expect-error: the constant is a number
      () => tiled.with({ T: '16' }),
      // @ts-expect-error: not one of its values
      () => tiled.with({ how: 'min' }),
      // @ts-expect-error: no such option
      () => kernel('k', {}, () => ({}), { warp: 32 }),
      // @ts-expect-error: the kernel has no axis n
      () => schedule(gemm, target('x86-64'), (s, { n }) => s.parallel(n)),
      // @ts-expect-error: axes are handles, not names
      () => schedule(gemm, target('x86-64'), (s) => s.parallel('i')),
      // @ts-expect-error: no such tail
      () => schedule(gemm, target('x86-64'), (s, { i }) => s.split(i, 8, { tail: 'drop' })),
      // @ts-expect-error: no such verb
      () => schedule(gemm, target('x86-64'), (s, { i }) => s.vectorise(i)),
      // @ts-expect-error: a body returns axes
      () => kernel('k', { x: tensor('f32', 'N') }, ({ x }) => x),
    ];
    expect(mistakes.length).toBeGreaterThan(10);
  });
});
