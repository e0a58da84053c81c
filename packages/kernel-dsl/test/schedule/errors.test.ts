import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import type { ErrorId } from '../../src/errors/index.ts';
import { vfmadd_f32x8, vpdpbusd_i32x16 } from '../../src/instructions/index.ts';
import { atomicAdd, axes, kernel, reg, scratch, tensor, when } from '../../src/lang/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';

/** y[i] = sum_k x[i, k], with a register; z[i, k] = x[i, k] in a second nest; memory that is filled and read; stores that may not happen. */
const rows = kernel('rows', {
  x: tensor('f32', 'M', 'K'), y: tensor('f32', 'M').out(), z: tensor('f32', 'M', 'K').out(), u: tensor('f32', 'M'), v: tensor('f32', 'M', 10).inout(), w: tensor('f32', 'M').out(),
  n: tensor('i32', 1).inout(), q: tensor('i4', 'M', 2).out(),
}, ({ x, y, z, u, v, w, n, q, M, K }) => {
  const ax = axes({ i: M, k: K, a: M, b: K, r: M, p: 12, e: 10, c: M, g: M, h: K });
  for (const i of ax.i) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(x.at(i, k));
    y.at(i).set(acc);
  }
  for (const a of ax.a) for (const b of ax.b) z.at(a, b).set(x.at(a, b).add(x.at(a, 0)));
  for (const c of ax.c) {
    atomicAdd(n.at(0), 1);
    q.pair(c, 0).set(1, 2);
  }
  for (const r of ax.r) {
    const row = scratch('f32', 'row', 12);
    for (const p of ax.p) row.at(p).set(u.at(r));
    for (const e of ax.e) when(u.at(r).gt(0), () => v.at(r, e).set(row.at(e).add(row.at(e.add(2)))));
  }
  for (const g of ax.g) for (const h of ax.h) w.at(g).set(x.at(g, h));
  return ax;
});
type Ax = typeof rows.axes;

const CASES: readonly [ErrorId, (s: Schedule, ax: Ax) => void, RegExp][] = [
  ['KD-S-CONSUMED', (s, { a }) => { s.split(a, 8); s.parallel(a); }, /axis a no longer exists: split\(a, 8\) made ao and ai of it/],
  ['KD-S-UNKNOWN', (s, { a }) => { s.stage('nothing', a, 'pack'); }, /tensor nothing is not part/],
  ['KD-S-FACTOR', (s, { a }) => { s.split(a, 0); }, /split\(a, 0\)/],
  ['KD-S-ORDER', (s, { i, k }) => { s.reorder(k, i); }, /k, i do not form one nest: statements lie between/],
  ['KD-S-DEPENDS', (s, { a }) => { const [o, n] = s.split(a, 8); s.reorder(n, o); }, /cannot move/],
  ['KD-S-CARRIED', (s, { k }) => { s.parallel(k); }, /parallel\(k\): iterations are not independent: acc\[\]/],
  ['KD-S-EXTENT', (s, { b }) => { s.vectorize(b); }, /its extent K is not a constant/],
  ['KD-S-BOUND', (s, { a }) => { s.stage('z', a, 'pack'); }, /no constant upper bound is known for the extent of b/],
  ['KD-S-STAGE-WHERE', (s, { i }) => { s.stage('u', i, 'pack'); }, /u is not used inside of i/],
  ['KD-S-STAGE-SHAPE', (s, { a }) => { s.stage('x', a, 'pack'); }, /x\[a, b\] and x\[a, 0\]/],
  ['KD-S-COPIES', (s, { p }) => { s.interleave(p, 2 ** 31); }, /interleave\(p\) would write its body out 2147483648 times; 1024 is the most/],
  ['KD-S-COPIES', (s, { b }) => { const [, bi] = s.split(b, 2048, { tail: 'mask' }); s.jam(bi); }, /jam\(bi\) would write its body out 2048 times/],
  ['KD-S-PAD-COPIES', (s, { p }) => { const [po] = s.split(p, 8, { tail: 'pad' }); s.jam(po); }, /jam\(po\): the padded tail of a loop inside/],
  ['KD-S-PAD', (s, { a }) => { s.split(a, 8, { tail: 'pad' }); }, /the padded tail of ai reaches/],
  ['KD-S-RFACTOR', (s, { k }) => { s.rfactor('acc', k); }, /the extent K of k is not a constant/],
  ['KD-S-RFACTOR', (s, { k }) => { const [, n] = s.split(k, 6, { tail: 'peel' }); s.rfactor('acc', n); }, /its extent 6 is not a power of two/],
  ['KD-S-RFACTOR', (s, { k }) => { const [, n] = s.split(k, 8, { tail: 'peel' }); s.rfactor('sum', n); }, /no such register/],
  ['KD-S-NESTED-PARALLEL', (s, { a, b }) => { s.parallel(a); s.parallel(b); }, /inside of the parallel loop a/],
  ['KD-S-PANEL', (s, { i, k, a, b }) => { s.split(b, 8); s.stage('x', k, 'pack', { panel: i }); void a; }, /panel axis i does not index it/],
  ['KD-S-NEEDS', (s, { a }) => { s.tensorize(vpdpbusd_i32x16, a); }, /tensorize\(vpdpbusd_i32x16\): x86-64-v3 has no avx512_vnni/],
  ['KD-S-TENSORIZE', (s, { b }) => { s.tensorize(vfmadd_f32x8, b); }, /b runs to K, l of vfmadd_f32x8 to 8\n {2}the program: +\| {2}what vfmadd_f32x8 computes:\n {2}for b in 0\.\.K: +\| {2}for l in 0\.\.8:/],
  ['KD-S-ATOMIC', (s, { c }) => { s.stage('n', c, 'reg'); }, /n is updated atomically inside of c/],
  ['KD-S-PACKED', (s, { c }) => { s.stage('q', c, 'reg'); }, /q holds two elements in a byte and is written/],
  ['KD-S-STAGE-NAME', (s, { a, b }) => { const [o] = s.split(s.fuse(a, b), 8); s.stage('z', o, 'pack'); }, /stage\(z\): a uses a, which is bound inside of a_bo/],
  ['KD-S-STAGE-OUT', (s, { g }) => { s.stage('w', g, 'reg'); }, /an element may be left unwritten inside of g/],
  ['KD-S-STAGE-GUARD', (s, { r }) => { s.stage('v', r, 'pack'); }, /the condition u\[r\] > 0f32 reads memory/],
  ['KD-S-FUSE', (s, { i, k }) => { s.fuse(i, k); }, /k is not all that i holds/],
  ['KD-S-FUSE', (s, { a, b }) => { s.parallel(a); s.fuse(a, b); }, /a is parallel already/],
  ['KD-S-BIND', (s, { a }) => { s.bind({ 'lane.x': a }); }, /its extent M is not a constant up to 1024/],
  ['KD-S-BIND', (s, { a, b }) => { s.bind({ 'block.x': a }); s.bind({ 'block.x': b }); }, /a around it is bound there/],
  ['KD-S-BIND', (s, { r, e }) => { s.bind({ 'lane.x': e }); s.bind({ 'block.x': r }); s.bind({ 'lane.y': r }); }, /it is block.x already/],
  ['KD-S-CARRIED', (s, { h }) => { s.bind({ 'block.x': h }); }, /bind\(h\): iterations are not independent/],
  ['KD-S-LANES', (s, { e }) => { const [eo, ei] = s.split(e, 5); s.bind({ 'lane.x': eo }); s.parallel(ei); }, /the parallel loop ei lies inside of them, apart from their nest/],
  ['KD-S-INLINE', (s) => { s.inline('acc'); }, /it is written in two places \(.*errors\.test\.ts:\d+:\d+\) and \(.*errors\.test\.ts:\d+:\d+\)/],
  ['KD-S-INLINE', (s) => { s.inline('nothing'); }, /makes no such register or memory/],
  ['KD-S-COMPUTE-AT', (s, { p }) => { s.computeAt('row', p); }, /the loop does not come after those that make it/],
  ['KD-S-COMPUTE-AT', (s, { a }) => { s.computeAt('row', a); }, /the loop does not come after/],
  ['KD-S-HOIST', (s, { i }) => { s.hoist('acc', i); }, /i differs from iteration to iteration \(.*errors\.test\.ts/],
  ['KD-S-HOIST', (s, { k }) => { s.hoist('acc', k); }, /makes nothing of that name/],
  ['KD-S-PIPELINE', (s, { a }) => { s.pipeline(a, 2); }, /does not start with copies/],
  ['KD-S-PIPELINE', (s, { a }) => { s.pipeline(a, 1); }, /two stages or more/],
  ['KD-S-PARTIAL', (s, { k }) => { s.stage('x', k, 'pack', { partial: true }); }, /does more with it than to accumulate/],
];

describe('mistakes in a schedule', () => {
  it.each(CASES)('%s', (id, f, text) => {
    let e: unknown;
    try { schedule(rows, target('x86-64-v3'), f); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(DslError);
    const d = e as DslError;
    expect(d.id).toBe(id);
    expect(d.message).toMatch(text);
    expect(d.step, 'the step that refused').toBeTruthy();
    expect(d.loc?.file).toMatch(/errors\.test\.ts$/);
    expect(d.fix).not.toMatch(/\{\w+\}/);
  });
  it('workgroups that would have to wait for each other between rounds', () => {
    const products = kernel('products', { a: tensor('f32', 'M', 'T'), b: tensor('f32', 'M', 'N'), c: tensor('f32', 'M', 'L').inout() }, ({ a, b, c, M, N, T, L }) => {
      const ax = axes({ r: M, t: T, j: N });
      for (const r of ax.r) for (const t of ax.t) for (const j of ax.j) when(t.add(j).lt(L), () => { c.at(r, t.add(j)).addAssign(a.at(r, t).mul(b.at(r, j))); });
      return ax;
    });
    const on = (f: (s: Schedule, ax: typeof products.axes) => void) => () => schedule(products, target('cuda-sm80'), f);
    expect(on((s, { r, j }) => { s.bind({ 'block.y': r, 'block.x': j }); })).toThrow(/KD-S-CARRIED bind\(j\): .*do not wait for each other in t: .*\n +--> .*errors\.test\.ts/);
    expect(on((s, { r }) => { s.bind({ 'block.x': r }); })).not.toThrow();
    expect(on((s, { j }) => { s.bind({ 'block.x': j }); })).not.toThrow(); // a launch for each round
    // Each keeps to what is its own.
    expect(() => schedule(rows2, target('cuda-sm80'), (s, { i, j }) => { const [b] = s.split(i, 4, { tail: 'mask' }); s.bind({ 'block.y': b, 'block.x': j }); })).not.toThrow();
  });
});
const rows2 = kernel('copy', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M', 'N').out() }, ({ x, y, M, N }) => {
  const ax = axes({ i: M, j: N });
  for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(i, j));
  return ax;
});
