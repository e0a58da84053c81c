/** Rows that lanes of a workgroup work on together: what they make is what one loop after another makes, proved and run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { mapStmt, printKernel, visitStmt } from '../../src/ir/index.ts';
import { atomicAdd, axes, kernel, reg, rsqrt, scratch, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { gridReduce } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { softmax } from './corpus.ts';
import { MACHINE, compare } from './fuzz.ts';
import { why } from '../errors/refusal.ts';

const norm = kernel('norm', { x: tensor('f32', 'T', 'D'), w: tensor('f32', 'D'), y: tensor('f32', 'T', 'D').out(), s: tensor('f32', 'T').out() }, ({ x, w, y, s, T, D }) => {
  const ax = axes({ t: T, j: D, i: D });
  for (const t of ax.t) {
    const squares = reg('f32', 0, 'squares');
    for (const j of ax.j) squares.addAssign(x.at(t, j).mul(x.at(t, j)));
    const scale = reg('f32', rsqrt(squares.div(D.to('f32')).add(1e-5)), 'scale');
    s.at(t).set(scale);
    for (const i of ax.i) y.at(t, i).set(x.at(t, i).mul(scale).mul(w.at(i)));
  }
  return ax;
});
/** Integers: sums in any order are the same bits. Two sums and a maximum in one loop, results added to memory. */
const counts = kernel('counts', { x: tensor('i32', 'T', 'D'), y: tensor('i32', 'T', 3).inout() }, ({ x, y, T, D }) => {
  const ax = axes({ t: T, d: D });
  for (const t of ax.t) {
    const sum = reg('i32', 5, 'sum'), least = reg('i32', 1000, 'least'), odd = reg('i32', 0, 'odd');
    for (const d of ax.d) {
      sum.addAssign(x.at(t, d));
      least.minAssign(x.at(t, d));
      when(x.at(t, d).mod(2).eq(1), () => odd.addAssign(1));
    }
    y.at(t, 0).addAssign(sum);
    y.at(t, 1).set(least);
    y.at(t, 2).set(odd.add(y.at(t, 0)));
  }
  return ax;
});
/** Working memory that one loop fills and others read elsewhere, inside of a loop over blocks. */
const turned = kernel('turned', { x: tensor('i32', 'T', 'B', 24), y: tensor('i32', 'T', 'B', 24).out() }, ({ x, y, T, B }) => {
  const ax = axes({ t: T, b: B, f: 24, g: 24 });
  for (const t of ax.t) {
    const carry = reg('i32', 1, 'carry');
    for (const b of ax.b) {
      const line = scratch('i32', 'line', 24);
      for (const f of ax.f) line.at(f).set(x.at(t, b, f).mul(carry));
      for (const g of ax.g) y.at(t, b, g).set(line.at(g.neg().add(23)));
      carry.addAssign(line.at(3));
    }
  }
  return ax;
});
/** Working memory of which each loop touches at an iteration its own element alone. */
const kept = kernel('kept', { x: tensor('i32', 'T', 64), y: tensor('i32', 'T', 64).out() }, ({ x, y, T }) => {
  const ax = axes({ t: T, m: 64, e: 64, i: 64 });
  for (const t of ax.t) {
    const row = scratch('i32', 'row', 64), top = reg('i32', -1000, 'top'), sum = reg('i32', 0, 'sum');
    for (const m of ax.m) {
      row.at(m).set(x.at(t, m));
      top.maxAssign(row.at(m));
    }
    for (const e of ax.e) {
      row.at(e).mulAssign(top);
      sum.addAssign(row.at(e));
    }
    for (const i of ax.i) y.at(t, i).set(row.at(i).add(sum));
  }
  return ax;
});

const barriers = (s: ScheduledKernel): number => { let n = 0; visitStmt(s.ir.body, (x) => { if (x.kind === 'barrier') n++; }); return n; };
const size = (max: number) => fc.integer({ min: 0, max });

/** By which a schedule is meant; all of them deal rows out over lanes. */
const schedules: readonly (readonly [string, Kernel, (s: Schedule, ax: never) => void])[] = [
  ...([[8, 1], [8, 4], [32, 1], [64, 2], [128, 4]] as const).flatMap(([lanes, vector]) => [
    [`softmax, ${lanes} lanes, vectors of ${vector}`, softmax, (s: Schedule, { t, m, e, i }: { t: Axis; m: Axis; e: Axis; i: Axis }) => { s.deal(t, [m, e, i], { lanes, vector }); s.bind({ 'block.x': t }); }],
    [`norm, ${lanes} lanes, vectors of ${vector}`, norm, (s: Schedule, { t, j, i }: { t: Axis; j: Axis; i: Axis }) => { s.bind({ 'block.x': t }); s.deal(t, [j, i], { lanes, vector }); }],
  ] as const),
  ...([[8, 1, 16], [8, 4, 64], [32, 1, 64], [64, 2, 128]] as const).flatMap(([lanes, vector, elements]) => [
    [`softmax, ${lanes} lanes, vectors of ${vector}, ${elements} kept`, softmax, (s: Schedule, { t, m, e, i }: { t: Axis; m: Axis; e: Axis; i: Axis }) => { s.deal(t, [m, e, i], { lanes, vector, keep: elements }); s.bind({ 'block.x': t }); }],
    [`norm, ${lanes} lanes, vectors of ${vector}, ${elements} kept`, norm, (s: Schedule, { t, j, i }: { t: Axis; j: Axis; i: Axis }) => { s.bind({ 'block.x': t }); s.deal(t, [j, i], { lanes, vector, keep: elements }); }],
  ] as const),
  ['counts', counts, (s: Schedule, { t, d }: { t: Axis; d: Axis }) => { s.deal(t, [d], { lanes: 64 }); s.bind({ 'block.x': t }); }],
  ['counts, several rows a workgroup', counts, (s: Schedule, { t, d }: { t: Axis; d: Axis }) => { const [b, r] = s.split(t, 4, { tail: 'mask' }); s.bind({ 'block.x': b, 'lane.y': r }); s.deal(r, [d], { lanes: 32 }); }],
  ['norm, several rows one after the other in a workgroup', norm, (s: Schedule, { t, j, i }: { t: Axis; j: Axis; i: Axis }) => { const [b, r] = s.split(t, 3, { tail: 'mask' }); s.bind({ 'block.x': b }); s.deal(r, [j, i], { lanes: 64 }); }],
  ...([[8, 1], [8, 4], [16, 4], [64, 1], [128, 1]] as const).map(([lanes, vector]) => [`kept, ${lanes} lanes, vectors of ${vector}`, kept, (s: Schedule, { t, m, e, i }: { t: Axis; m: Axis; e: Axis; i: Axis }) => { s.deal(t, [m, e, i], { lanes, vector }); s.bind({ 'block.x': t }); }]),
  ['turned', turned, (s: Schedule, { t, f, g }: { t: Axis; f: Axis; g: Axis }) => { s.deal(t, [f, g], { lanes: 8 }); s.bind({ 'block.x': t }); }],
  ['turned, several rows a workgroup', turned, (s: Schedule, { t, f, g }: { t: Axis; f: Axis; g: Axis }) => { const [b, r] = s.split(t, 2, { tail: 'peel' }); s.bind({ 'block.x': b, 'lane.y': r }); s.deal(r, [f, g], { lanes: 8 }); }],
] as never;

describe('deal', () => {
  it.each(schedules)('%s: what it computes stays, and is proved', (_, k, f) => {
    const s = schedule(k, MACHINE, f as (s: Schedule, ax: unknown) => void);
    expect(verify(s.ir).findings.map((x) => x.message)).toEqual([]);
    fc.assert(fc.property(fc.record({ T: size(5), D: size(300), B: size(3) }).map((x) => ({ ...x, M: x.T, N: x.D })), fc.nat(100), (sizes, seed) => { compare(k, s, sizes, seed); }), { numRuns: 6 });
  }, 120_000);

  it('joins with one barrier a sum, and none where a subgroup is all there is', () => {
    const one = (lanes: number): ScheduledKernel => schedule(norm, MACHINE, (s, { t, j, i }) => { s.deal(t, [j], { lanes }); s.bind({ 'block.x': t }); });
    expect(barriers(one(32))).toBe(0);
    expect(barriers(one(64))).toBe(1);
    expect(one(8).ir.subgroup).toBe(8);
  });

  it('needs no barrier between whole rounds and the rest, nor between loops in which each lane takes the same', () => {
    const rows = (lanes: number, vector: number): ScheduledKernel => schedule(softmax, MACHINE, (s, { t, m, e, i }) => { s.deal(t, [m, e, i], { lanes, vector }); s.bind({ 'block.x': t }); });
    expect([rows(32, 4), rows(8, 2)].map(barriers)).toEqual([0, 0]);
    expect(barriers(rows(256, 4))).toBe(2); // those of the two sums
    expect(verify(rows(32, 4).ir).findings).toEqual([]);
  });

  it('keeps what several loops use: each element is read and written once, and no barrier is needed for it', () => {
    const rows = (keep: number): ScheduledKernel => schedule(softmax, MACHINE, (s, { t, m, e, i }) => { s.deal(t, [m, e, i], { lanes: 32, vector: 4, keep }); s.bind({ 'block.x': t }); });
    const text = printKernel(rows(256).ir), uses = (what: RegExp): number => text.split('\n').filter((l) => what.test(l)).length;
    expect(text).toContain('reg x_kept: f32[3, 4]');
    expect(uses(/_kept\[[^=]*\] = x\[/)).toBe(2); // rounds that are kept, and what is left over
    expect(uses(/ y\[.* = y_kept/)).toBe(2);
    expect(barriers(rows(256))).toBe(0);
    expect(why(() => rows(64))).toContain('64 elements in registers');
    const shifted = kernel('shifted', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'T', 'D').out() }, ({ x, y, T, D }) => {
      const ax = axes({ t: T, m: D, i: D });
      for (const t of ax.t) {
        const top = reg('f32', -1, 'top');
        for (const m of ax.m) when(m.gt(3), () => top.maxAssign(x.at(t, m.sub(3))));
        for (const i of ax.i) y.at(t, i).set(x.at(t, i).sub(top));
      }
      return ax;
    });
    expect(why(() => schedule(shifted, MACHINE, (s, { t, m, i }) => { s.deal(t, [m, i], { lanes: 32, keep: 64 }); }))).toContain('no two loops use');
  });

  it('leaves in registers what each lane fills for itself, where whole rounds make it up; else it lies in shared memory', () => {
    const rows = (lanes: number, vector: number): string => printKernel(schedule(kept, MACHINE, (s, { t, m, e, i }) => { s.deal(t, [m, e, i], { lanes, vector }); s.bind({ 'block.x': t }); }).ir);
    expect(rows(8, 4)).toContain('reg row: i32[2, 4]');
    expect(rows(64, 1)).toContain('reg row: i32[1, 1]');
    expect(rows(128, 1)).toContain('shared row: i32[64]');
    const turn = schedule(turned, MACHINE, (s, { t, f, g }) => { s.deal(t, [f, g], { lanes: 8 }); s.bind({ 'block.x': t }); });
    expect(printKernel(turn.ir)).toContain('shared line: i32[24]');
    const { source } = (({ ir }, t) => emitGpu(lower(ir, t), t))(schedule(kept, target('wgsl'), (s, { t, m, e, i }) => { s.deal(t, [m, e, i], { lanes: 8, vector: 4 }); s.bind({ 'block.x': t }); }), target('wgsl'));
    expect(source).not.toContain('var<workgroup> row');
  });

  it.each([1, 4])('keeps the barrier where a lane reads what its neighbour wrote, in vectors of %i', (vector) => {
    const shifted = kernel('shifted', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'T', 'D').out(), z: tensor('f32', 'T', 'D').out() }, ({ x, y, z, T, D }) => {
      const ax = axes({ t: T, i: D, j: D });
      for (const t of ax.t) {
        for (const i of ax.i) y.at(t, i).set(x.at(t, i).mul(2));
        for (const j of ax.j) when(j.add(1).lt(D), () => z.at(t, j).set(y.at(t, j.add(1))));
      }
      return ax;
    });
    const s = schedule(shifted, MACHINE, (s, { t, i, j }) => { s.deal(t, [i, j], { lanes: 8, vector }); s.bind({ 'block.x': t }); });
    expect(barriers(s)).toBe(1);
    expect(verify(s.ir).findings).toEqual([]);
    const without = { ...s.ir, body: mapStmt(s.ir.body, (x) => (x.kind === 'barrier' ? null : x))! };
    expect(verify(without).findings.map((x) => x.id)).toContain('KD-V-RACE');
  });

  it('reads whole vectors, and hands out the loops over rounds', () => {
    const t = target('cuda-sm80');
    const s = schedule(norm, t, (s, ax) => { const { j } = s.deal(ax.t, [ax.j, ax.i], { lanes: 128, vector: 4 }); s.split(j!, 2, { tail: 'peel' }); s.bind({ 'block.x': ax.t }); });
    const { source } = emitGpu(lower(s.ir, t), t);
    expect(source).toMatch(/f32x4|float4/);
    expect(source).toContain('__shfl_xor_sync');
    expect(s.reassociates).toBe(true);
    expect(schedule(counts, t, (s, ax) => { s.deal(ax.t, [ax.d]); }).reassociates).toBe(false);
  });

  it('lane 0 alone writes memory', () => {
    expect(printKernel(schedule(counts, MACHINE, (s, ax) => { s.deal(ax.t, [ax.d], { lanes: 32 }); }).ir).match(/if .*_lane == 0/g)).toHaveLength(1);
  });

  it('refuses what lanes cannot share', () => {
    const bad = kernel('bad', { x: tensor('f32', 'T', 'D'), n: tensor('i32', 1).inout(), y: tensor('f32', 'T', 'D').out() }, ({ x, n, y, T, D }) => {
      const ax = axes({ t: T, scan: D, prod: D, out: D });
      for (const t of ax.t) {
        const last = reg('f32', 0, 'last'), p = reg('f32', 1, 'p');
        for (const d of ax.scan) { last.set(x.at(t, d)); y.at(t, d).set(last); }
        for (const d of ax.prod) p.mulAssign(x.at(t, d));
        const old = atomicAdd(n.at(0), 1);
        for (const d of ax.out) y.at(t, d).addAssign(p.add(old.to('f32')));
      }
      return ax;
    });
    const deal = (over: (ax: { t: Axis; scan: Axis; prod: Axis; out: Axis }) => readonly Axis[], o = {}) => () => schedule(bad, MACHINE, (s, ax) => { s.deal(ax.t, over(ax), o); });
    expect(why(deal((ax) => [ax.scan]))).toMatch(/KD-S-DEAL .*does more with the register last/);
    expect(why(deal((ax) => [ax.prod]))).toMatch(/KD-S-DEAL .*makes a mul of f32 in p/);
    expect(why(deal((ax) => [ax.out]))).toMatch(/KD-S-DEAL .*an atomic update found is used by all lanes/);
    expect(why(deal((ax) => [ax.t]))).toMatch(/KD-S-DEAL .*t does not lie inside of it/);
    expect(why(deal(() => []))).toMatch(/KD-S-DEAL .*no loops are given/);
    expect(why(deal((ax) => [ax.out], { lanes: 48 }))).toMatch(/KD-S-DEAL .*48 is no power of two/);
    const carried = kernel('carried', { y: tensor('f32', 'T', 'D').inout() }, ({ y, T, D }) => { const ax = axes({ t: T, d: D.sub(1) }); for (const t of ax.t) for (const d of ax.d) y.at(t, d.add(1)).addAssign(y.at(t, d)); return ax; });
    expect(why(() => schedule(carried, MACHINE, (s, ax) => { s.deal(ax.t, [ax.d]); }))).toMatch(/KD-S-CARRIED deal/);
    expect(why(() => schedule(softmax, MACHINE, (s, ax) => { s.bind({ 'block.x': ax.t }); s.split(ax.m, 4); s.deal(ax.t, [ax.e, ax.m]); }))).toMatch(/no longer exists/);
  });
});

describe('sums over whole loops', () => {
  const dot = kernel('dot', { x: tensor('f32', 'N'), y: tensor('f32', 'N'), s: tensor('f32', 1).out() }, ({ x, y, s, N }) => {
    const ax = axes({ i: N }), acc = reg('f32', 0, 'acc');
    for (const i of ax.i) acc.addAssign(x.at(i).mul(y.at(i)));
    s.at(0).set(acc);
    return ax;
  });
  const most = kernel('most', { x: tensor('i32', 'N'), s: tensor('i32', 2).out() }, ({ x, s, N }) => {
    const ax = axes({ i: N }), top = reg('i32', -1000, 'top');
    for (const i of ax.i) top.maxAssign(x.at(i));
    s.at(0).set(top);
    s.at(1).set(top.mul(2));
    return ax;
  });
  it.each([['dot', dot, 'acc', 1], ['dot in vectors', dot, 'acc', 2], ['most', most, 'top', 1]] as const)('%s: by workgroups and their lanes, joined in memory', (_, k, register, vector) => {
    const s = schedule(k as Kernel<{ i: Axis }>, MACHINE, (s, { i }) => { gridReduce(s, i, register, { lanes: 8, vector, parts: 3 }); });
    expect(verify(s.ir).findings.map((x) => x.message)).toEqual([]);
    fc.assert(fc.property(fc.record({ N: size(2000) }), fc.nat(100), (sizes, seed) => { compare(k, s, sizes, seed); }), { numRuns: 8 });
  });

  it('go to threads of a CPU too, in an order of their own', () => {
    const s = schedule(dot, MACHINE, (s, { i }) => { const [o, l] = s.split(i, 16, { tail: 'mask' }), [t, p] = s.split(o, 4, { tail: 'mask' }); s.reorder(p, t, l); s.partials('acc', p); s.parallel(p); });
    expect(verify(s.ir).findings.map((x) => x.message)).toEqual([]);
    expect(s.reassociates).toBe(true);
    fc.assert(fc.property(fc.record({ N: size(300) }), fc.nat(100), (sizes, seed) => { compare(dot, s, sizes, seed); }), { numRuns: 8 });
  });

  it('refuses what is not one sum, or would be left over and over', () => {
    const partials = (k: Kernel, f: (s: Schedule, ax: never) => void) => why(() => schedule(k, MACHINE, f as never));
    expect(partials(dot, ((s: Schedule, { i }: { i: Axis }) => { s.partials('acc', i); }) as never)).toMatch(/KD-S-RFACTOR .*the extent N of i is not a constant/);
    expect(partials(dot, ((s: Schedule, { i }: { i: Axis }) => { const [, v] = s.split(i, 8, { tail: 'mask' }); s.partials('acc', v); }) as never)).toMatch(/KD-S-RFACTOR .*which would leave its results over and over/);
    expect(partials(dot, ((s: Schedule, { i }: { i: Axis }) => { const [, v] = s.split(i, 8, { tail: 'mask' }); s.partials('sum', v); }) as never)).toMatch(/KD-S-RFACTOR .*no such register/);
  });
});
