import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import type { ErrorId } from '../../src/errors/index.ts';
import { mapStmt, printKernel, visitStmt } from '../../src/ir/index.ts';
import type { KernelIR, Stmt } from '../../src/ir/index.ts';
import { axes, kernel, named, tensor, when } from '../../src/lang/index.ts';
import type { Axes, Axis, Kernel } from '../../src/lang/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel, StageOptions } from '../../src/schedule/index.ts';
import { verify } from '../../src/verify/index.ts';
import { gemm } from '../schedule/corpus.ts';
import { MACHINE, compare } from '../schedule/fuzz.ts';

const size = fc.integer({ min: 0, max: 19 });
/** Schedules a kernel, proves it, and holds it to the algorithm at random sizes, lowered for a CPU too. */
function same<A extends Axes>(k: Kernel<A>, f: (s: Schedule, ax: A) => void, runs = 8): ScheduledKernel {
  const s = schedule(k, MACHINE, f);
  expect(verify(s.ir).findings.map((x) => x.message)).toEqual([]);
  fc.assert(fc.property(fc.record({ M: size, N: size, K: size, P: size }), fc.nat(100), (sizes, seed) => { compare(k, s, sizes, seed); }), { numRuns: runs });
  return s;
}
const count = (k: KernelIR, f: (s: Stmt) => boolean): number => { let n = 0; visitStmt(k.body, (s) => { if (f(s)) n++; }); return n; };
const barriers = (s: ScheduledKernel): number => count(s.ir, (x) => x.kind === 'barrier');

type Tiles = { readonly ko: Axis; readonly ki: Axis; readonly ii: Axis; readonly jj: Axis; readonly tj: Axis };
/** A product in tiles of 8 x 8, 4 x 4 lanes of 2 x 2 elements each, 4 steps of k at a time. */
function tiles(s: Schedule, { i, j, k }: typeof gemm.axes, tail: 'pad' | 'mask' = 'pad'): Tiles {
  const [bm, i1] = s.split(i, 8, { tail, names: ['bm', 'i1'] }), [bn, j1] = s.split(j, 8, { tail, names: ['bn', 'j1'] });
  const [ti, ii] = s.split(i1, 2, { names: ['ti', 'ii'] }), [tj, jj] = s.split(j1, 2, { names: ['tj', 'jj'] });
  const [ko, ki] = s.split(k, 4, { tail, names: ['ko', 'ki'] });
  s.reorder(bm, bn, ti, tj, ko, ki, ii, jj);
  s.bind({ 'block.y': bm, 'block.x': bn, 'lane.y': ti, 'lane.x': tj });
  return { ko, ki, ii, jj, tj };
}

describe('stage into shared memory', () => {
  it.each<readonly [string, StageOptions, StageOptions]>([
    ['one by one', {}, {}],
    ['in pieces, rows apart', { vector: 4, pad: 1 }, { vector: 2, pad: 4 }],
  ])('is a copy that all lanes make together: %s', (_, a, b) => {
    const s = same(gemm, (t, ax) => {
      const { ko, tj } = tiles(t, ax);
      t.stage('C', tj, 'reg', { partial: true });
      t.stage('A', ko, 'shared', a);
      t.stage('B', ko, 'shared', b);
    });
    expect(barriers(s)).toBe(2);
    expect(printKernel(s.ir)).toContain(`shared A_shared: f32[8, ${4 + (a.pad ?? 0)}]\n`);
    expect(printKernel(s.ir)).toContain(`shared B_shared: f32[4, ${8 + (b.pad ?? 0)}]\n`);
  });
  it('lays a panel along the loop that is asked for, and keeps masks', () => {
    const s = same(gemm, (t, ax) => {
      const { ko, ii } = tiles(t, ax, 'mask');
      t.stage('A', ko, 'shared', { panel: ii, vector: 4 });
    });
    expect(printKernel(s.ir)).toContain('shared A_shared: f32[4, 8]');
  });
  it('writes whole pieces of a panel where it is turned: their elements are read from rows of the tensor', () => {
    const rows = (turned: boolean): string => printKernel(same(gemm, (t, ax) => {
      const { ko, ii } = tiles(t, ax, 'mask');
      t.stage('A', ko, 'shared', { panel: ii, vector: 4, turned });
    }).ir);
    expect(rows(true)).toMatch(/A_shared\[A_1, \(A_0 \* 4\) \+ lane\] = A\[/);
    expect(rows(false)).toMatch(/A_shared\[lane, A_at\] = A\[/);
  });
  it('fills registers from it, inside of a padded loop too', () => {
    const s = same(gemm, (t, ax) => {
      const { ko, ki, ii, jj, tj } = tiles(t, ax);
      t.stage('C', tj, 'reg', { partial: true });
      t.stage('A', ko, 'shared', { panel: ii, fold: true, name: 'As' });
      t.stage('B', ko, 'shared');
      t.stage('As', ki, 'reg', { name: 'a' });
      t.stage('B_shared', ki, 'reg', { name: 'b' });
      t.unroll(ii);
      t.unroll(jj);
    });
    expect(printKernel(s.ir)).toMatch(/a\[ii\] = As\[ki, \(ti \* 2\) \+ ii\]/);
  });
  it('serves stencils: the tile reaches beyond what one lane needs', () => {
    const blur = kernel('blur', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) {
        y.at(i).set(0);
        for (const d of [0, 1, 2]) when(i.add(d).lt(N), () => y.at(i).addAssign(x.at(i.add(d))));
      }
      return ax;
    });
    const s = same(blur, (t, { i }) => {
      const [b, l] = t.split(i, 8, { tail: 'mask' });
      t.bind({ 'block.x': b, 'lane.x': l });
      t.stage('x', l, 'shared');
    });
    expect(printKernel(s.ir)).toContain('shared x_shared: f32[10]');
    expect(barriers(s)).toBe(1);
  });
  it('has barriers without each of which it is refused', () => {
    const s = same(gemm, (t, ax) => { const { ko } = tiles(t, ax); t.stage('A', ko, 'shared'); t.stage('B', ko, 'shared'); t.stage('C', ko, 'reg'); }, 2);
    const all: Stmt[] = [];
    visitStmt(s.ir.body, (x) => { if (x.kind === 'barrier') all.push(x); });
    expect(all).toHaveLength(2);
    for (const b of all) expect(verify({ ...s.ir, body: mapStmt(s.ir.body, (x) => (x === b ? null : x))! }).findings.map((f) => f.id)).toEqual(expect.arrayContaining([expect.stringMatching(/KD-V-LANES/)]));
  });

  const two = kernel('two', { x: tensor('f32', 'M', 'N'), i: tensor('i32', 'M'), q: tensor('i4', 'M', 2), y: tensor('f32', 'M', 'N').out(), z: tensor('f32', 'M').inout() }, ({ x, i, q, y, z, M, N }) => {
    const ax = axes({ r: M, c: N, s: M, u: M });
    for (const r of ax.r) for (const c of ax.c) y.at(r, c).set(x.at(r, c));
    for (const s of ax.s) { const row = named('row', i.at(s).to('i64')); z.at(s).addAssign(x.at(row.mod(M), 0)); }
    for (const u of ax.u) z.at(u).set(q.at(u, 0).to('f32'));
    return ax;
  });
  type Ax = typeof two.axes;
  const nest = (s: Schedule, { r, c }: Ax): readonly [Axis, Axis, Axis] => {
    const [co, ci] = s.split(c, 4, { tail: 'mask' }), [b, l] = s.split(r, 8, { tail: 'mask' });
    s.reorder(b, l, co, ci);
    s.bind({ 'block.x': b, 'lane.x': l });
    return [l, co, ci];
  };
  const CASES: readonly [ErrorId, (s: Schedule, ax: Ax) => void, RegExp][] = [
    ['KD-S-SHARED', (s, { c }) => { s.stage('x', c, 'shared'); }, /no loop around it is bound to lanes/],
    ['KD-S-SHARED', (s, ax) => { const [, co] = nest(s, ax); s.stage('y', co, 'shared'); }, /stage\(y, co, shared\): it is written there/],
    ['KD-S-SHARED', (s, ax) => { const [, co] = nest(s, ax); s.stage('x', co, 'shared', { vector: 3 }); }, /pieces of 3 do not fill its rows of 4 elements/],
    ['KD-S-SHARED', (s, { s: t }) => { const [b, l] = s.split(t, 8, { tail: 'mask' }); s.bind({ 'block.x': b, 'lane.x': l }); s.stage('x', l, 'shared'); }, /row % M is computed inside of si|its index row % M is not a sum/],
    ['KD-S-SHARED', (s, { u }) => { const [b, l] = s.split(u, 8, { tail: 'mask' }); s.bind({ 'block.x': b, 'lane.x': l }); s.stage('q', l, 'shared', { vector: 2 }); }, /do not fill its rows|share a byte/],
    ['KD-S-SHARED', (s, { r, c }) => { const [b, l] = s.split(r, 8, { tail: 'mask' }), [, ci] = s.split(c, 4, { tail: 'mask' }); s.bind({ 'block.x': b, 'lane.x': ci }); s.stage('x', l, 'shared'); }, /no loop around it is bound to lanes/],
    ['KD-S-BOUND', (s, ax) => { const [l] = nest(s, ax); s.stage('x', l, 'shared'); }, /no constant upper bound is known for the extent of co/],
    ['KD-S-STAGE-WHERE', (s, ax) => { const [, co] = nest(s, ax); s.stage('z', co, 'shared'); }, /z is not used inside of co/],
    ['KD-S-PANEL', (s, ax) => { const [, co] = nest(s, ax); s.stage('x', co, 'shared', { panel: co }); }, /panel axis co does not index it/],
    ['KD-S-STAGE-OPTION', (s, { c }) => { s.stage('x', c, 'reg', { pad: 1 }); }, /stage\(x, reg\): pad is an option/],
    ['KD-S-STAGE-WORK', (s, ax) => { const [, co] = nest(s, ax); s.stage('x', co, 'shared'); s.stage('x_shared', co, 'reg'); }, /it is written inside of co/],
    ['KD-S-LANES', (s, ax) => { const [l, co] = nest(s, ax); s.stage('x', co, 'shared'); s.split(l, 2); }, /they share x_shared/],
  ];
  it.each(CASES)('is refused: %s', (id, f, text) => {
    let e: unknown;
    try { schedule(two, MACHINE, f); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(DslError);
    expect((e as DslError).id).toBe(id);
    expect((e as DslError).message).toMatch(text);
    expect((e as DslError).loc?.file).toMatch(/shared\.test\.ts$/);
  });
});
