import { describe, expect, it } from 'vitest';
import { atomicAdd, axes, barrier, kernel, scratch, select, shared, subgroupAdd, subgroupBroadcast, subgroupShuffle, tensor, when } from '../../src/lang/index.ts';
import { constant, load, newVar, specViolation } from '../../src/ir/index.ts';
import type { Tensor, Val } from '../../src/lang/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { buffer, letStmt, loop, kernel as plain, store, v } from '../passes/helpers.ts';
import { exchanges, sums, transpose, waves } from './kernels.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);
const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i * 7.3) * 2));
const f32 = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });

describe('workgroups', () => {
  it('print as what they are and obey the rules of a traced kernel', () => {
    for (const k of [sums, transpose, exchanges, waves]) expect(specViolation(k.ir, 'algorithm')).toBeUndefined();
    expect(sums.print()).toContain('  block.x b in 0..B:\n    shared part: f32[64]\n    lane.x t in 0..64:\n');
    expect(sums.print()).toContain('      barrier workgroup\n');
    expect(exchanges.print()).toContain('      shuffle_v = subgroup_shuffle(x[b, t], ');
    expect(exchanges.ir.subgroup).toBe(8);
  });
  it('give one result in every order of their lanes', () => {
    const x = floats(100), half = (a: number[]): number => (a.length === 1 ? a[0]! : half(a.slice(0, a.length / 2).map((v, i) => Math.fround(v + a[i + a.length / 2]!))));
    const want = [0, 1].map((b) => half(Array.from({ length: 64 }, (_, t) => x[b * 64 + t] ?? 0)));
    for (const seed of SEEDS) {
      const y = f32(2);
      interpret(sums.ir, { x: { data: x, shape: [100] }, y }, { seed });
      expect([...y.data]).toEqual(want);
      const X = Int32Array.from({ length: 11 * 13 }, (_, i) => i * i), Y = new Int32Array(11 * 13);
      interpret(transpose.ir, { X: { data: X, shape: [11, 13] }, Y: { data: Y, shape: [13, 11] } }, { seed });
      expect([...Y]).toEqual(Array.from({ length: 11 * 13 }, (_, i) => X[(i % 11) * 13 + Math.floor(i / 11)]));
    }
  });
  it('keep the vectors of each lane over a barrier', () => {
    const x = buffer('x', [constant(8), constant(4)], { access: 'in' }), y = buffer('y', [constant(8), constant(4)], { access: 'out' }), t = v('t'), w = newVar('w', 'f32', 4);
    const k = plain([x, y], [loop(t, constant(8), 'lane.x', [letStmt(w, load(x, [t, constant(0)], { lanes: 4 })), { kind: 'barrier', scope: 'workgroup' }, store(y, [t, constant(0)], w)])], []), data = floats(32);
    for (const seed of SEEDS) {
      const got = f32(8, 4);
      interpret(k, { x: { data, shape: [8, 4] }, y: got }, { seed });
      expect(got.data).toEqual(data);
    }
  });
  it('exchange values within subgroups', () => {
    const x = floats(32), Y = f32(2, 10, 16);
    interpret(exchanges.ir, { x: { data: x, shape: [2, 16] }, Y });
    const at = (b: number, r: number, t: number): number => Y.data[(b * 10 + r) * 16 + t]!, sub = (b: number, t: number): number[] => [...x.subarray(b * 16 + t - (t % 8), b * 16 + t - (t % 8) + 8)];
    for (const b of [0, 1]) for (let t = 0; t < 16; t++) {
      const s = sub(b, t), l = t % 8, add = (p: number, q: number): number => Math.fround(p + q);
      const quarter = [0, 1, 2, 3].map((i) => add(s[i]!, s[i + 4]!));
      expect(at(b, 0, t)).toBe(add(add(quarter[0]!, quarter[2]!), add(quarter[1]!, quarter[3]!)));
      expect([at(b, 1, t), at(b, 2, t)]).toEqual([Math.min(...s), Math.max(...s)]);
      expect([at(b, 3, t), at(b, 4, t), at(b, 5, t)]).toEqual([s[(l * 3 + 1) % 8], s[l ^ 5], s[2]]);
      expect([at(b, 6, t), at(b, 7, t)]).toEqual([+s.some((v) => v > 1.5), +s.every((v) => v > -1.5)]);
      expect(at(b, 8, t)).toBe(s.reduce((m, v, i) => m + (v < 0 ? 2 ** i : 0), 0));
      expect(at(b, 9, t)).toBe(Math.fround(Math.fround(x[b * 16 + t]! * 2) + l));
    }
  });
  it('keep registers and names of each lane across barriers, in loops too', () => {
    const run = (seed: number): number[] => {
      const x = Int32Array.from({ length: 16 }, (_, i) => i * 5 - 7), count = new Int32Array(1);
      interpret(waves.ir, { rounds: { data: new Uint8Array(5), shape: [5] }, x: { data: x, shape: [2, 8] }, count: { data: count, shape: [1] } }, { seed });
      return [...x, ...count];
    };
    const want: number[] = [];
    for (let b = 0; b < 2; b++) {
      let mine = Array.from({ length: 8 }, (_, t) => (b * 8 + t) * 5 - 7);
      for (let r = 0; r < 5; r++) { const line = mine; mine = line.map((m, t) => line[(t + r + 1) % 8]! * 3 - m); }
      want.push(...mine.map((m) => (m + 28) | 0));
    }
    for (const seed of SEEDS) expect(run(seed)).toEqual([...want, 56]);
  });
});

type Body = (e: { t: Val<'i64'>; b: Val<'i64'>; tile: Tensor<'f32', readonly [64]>; y: Tensor<'f32', ['N']>; x: Tensor<'f32', ['N']> }) => void;
/** A body in 2 workgroups of 64 lanes with a tile of 64. */
const lanes = (body: Body) => kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y }) => {
  const ax = axes({ b: 2, t: 64 });
  for (const b of ax.b.bind('block.x')) {
    const tile = shared('f32', 'tile', 64);
    for (const t of ax.t.bind('lane.x')) body({ t, b, tile, y, x });
  }
  return ax;
});
const fault = (k: ReturnType<typeof lanes>, seed = 1): RunError | undefined => {
  try { interpret(k.ir, { x: { data: floats(128), shape: [128] }, y: f32(128) }, { seed }); } catch (e) { if (e instanceof RunError) return e; throw e; }
  return undefined;
};
const mirror: Body = ({ t, b, tile, y }) => y.at(b.mul(64).add(t)).set(tile.at(t.mul(-1).add(63)));

describe('what workgroups do wrong is found in every order of the lanes', () => {
  it.each(SEEDS)('a missing barrier (seed %i)', (seed) => {
    const e = fault(lanes((v) => { v.tile.at(v.t).set(v.x.at(v.t)); mirror(v); }), seed);
    // Whoever reads first finds nothing, or what another lane has just written.
    expect(['KD-RUN-RACE', 'KD-RUN-UNINIT']).toContain(e?.id);
    const again = fault(lanes((v) => { v.tile.at(v.t).set(0); barrier(); v.tile.at(v.t).set(v.x.at(v.t)); mirror(v); }), seed);
    expect(again?.message).toMatch(/KD-RUN-RACE tile\[\d+\] is (written|read) by lane \d+ and (written|read) by lane \d+ of the workgroup, with no barrier between \(b = \d, t = \d+\)\n {2}--> .*interpret\.test\.ts:\d+:\d+\n {2}fix: Put barrier\(\)/);
    expect(fault(lanes((v) => { v.tile.at(v.t).set(v.x.at(v.t)); barrier(); mirror(v); }), seed)).toBeUndefined();
    // The step that forgot its barrier in a sum by halving.
    expect(() => interpret(sums.with({ careless: true }).ir, { x: { data: floats(64), shape: [64] }, y: f32(1) }, { seed })).toThrow(/KD-RUN-RACE part\[\d\]/);
  });
  it.each(SEEDS)('two lanes that write one cell of shared or global memory (seed %i)', (seed) => {
    expect(fault(lanes(({ t, tile }) => tile.at(t.div(2)).set(1)), seed)?.message).toMatch(/KD-RUN-RACE tile\[\d+\] is written by lane \d+ and written by lane/);
    expect(fault(lanes(({ t, y, b }) => y.at(b.mul(64).add(t.mod(63))).set(1)), seed)?.message).toMatch(/KD-RUN-RACE y\[(0|64)\] is written by lane/);
  });
  it.each(SEEDS)('one lane that reads and another that writes, whoever comes first, with an exchange between or not (seed %i)', (seed) => {
    const e = fault(lanes(({ t, b, tile, y, x }) => {
      tile.at(t).set(x.at(t));
      barrier();
      when(t.eq(0), () => y.at(b.mul(64)).set(tile.at(5)));
      when(t.eq(5), () => tile.at(5).set(1));
    }), seed);
    expect(e?.message).toMatch(/KD-RUN-RACE tile\[5\] is (read by lane 0 and written by lane 5|written by lane 5 and read by lane 0)/);
    // Both read, then one of them writes: the other one's read counts, whichever was first.
    const pair = kernel('pair', { x: tensor('f32', 2).inout(), y: tensor('f32', 2).out() }, ({ x, y }) => {
      const ax = axes({ t: 2 });
      for (const t of ax.t.bind('lane.x')) {
        const v = subgroupAdd(x.at(0));
        when(t.eq(0), () => x.at(0).set(v));
        y.at(t).set(v);
      }
      return ax;
    }, { subgroup: 2 });
    expect(() => interpret(pair.ir, { x: f32(2), y: f32(2) }, { seed })).toThrow(/KD-RUN-RACE x\[0\] is read by lane 1 and written by lane 0/);
  });
  it.each(SEEDS)('one lane that counts and another that reads, or writes, what it counts in (seed %i)', (seed) => {
    const counted = (what: (n: Tensor<'i32', readonly [2]>) => void) => kernel('counted', { n: tensor('i32', 2).inout() }, ({ n }) => {
      const ax = axes({ t: 64 });
      for (const t of ax.t.bind('lane.x')) {
        when(t.ne(5), () => { atomicAdd(n.at(0), 1); });
        when(t.eq(5), () => what(n));
      }
      return ax;
    });
    const run = (k: ReturnType<typeof counted>) => () => interpret(k.ir, { n: { data: new Int32Array(2), shape: [2] } }, { seed });
    expect(run(counted((n) => n.at(0).set(0)))).toThrow(/KD-RUN-RACE n\[0\] is (atomically updated by lane \d+ and written by lane 5|written by lane 5 and atomically updated by lane \d+)/);
    expect(run(counted((n) => n.at(1).set(n.at(0))))).toThrow(/KD-RUN-RACE n\[0\] is (atomically updated by lane \d+ and read by lane 5|read by lane 5 and atomically updated by lane \d+)/);
    expect(run(counted((n) => { atomicAdd(n.at(0), 2); }))).not.toThrow();
  });
  it.each(SEEDS)('two workgroups that meet in global memory, whatever barriers there are (seed %i)', (seed) => {
    const e = fault(lanes(({ t, y }) => { barrier(); y.at(t).set(1); }), seed);
    expect(e?.message).toMatch(/KD-RUN-RACE y\[\d+\] is written by iteration b = \d and written by iteration b = \d/);
    expect(fault(lanes(({ t, b, y }) => { when(b.eq(0), () => y.at(t).set(1)); when(b.eq(1), () => y.at(t.add(64)).set(y.at(t))); }), seed)?.id).toBe('KD-RUN-RACE');
  });
  it('shared memory that nothing has written, in each workgroup anew', () => {
    expect(fault(lanes(({ t, b, tile }) => { when(b.eq(0).or(t.lt(32)), () => tile.at(t).set(1)); barrier(); tile.at(t).addAssign(1); }))?.message).toMatch(/KD-RUN-UNINIT update of tile\[t\] reads shared tile of shape \[64\] at \[\d+\] before anything is written there \(b = 1, t = \d+\)/);
  });
  it('a barrier or an exchange that not all lanes reach', () => {
    const part = fault(lanes(({ t }) => when(t.lt(48), () => barrier())));
    expect(part?.message).toMatch(/KD-RUN-DIVERGED the workgroup barrier is reached by 48 of the 64 lanes, but not by lane 48 \(b = \d, t = 48\)/);
    const ends = kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, () => {
      const ax = axes({ t: 64 });
      for (const t of ax.t.bind('lane.x')) { const inner = axes({ i: t }); for (const _ of inner.i) { void _; barrier(); } }
      return ax;
    });
    expect(fault(ends as never)?.id).toBe('KD-RUN-DIVERGED');
    expect(fault(lanes(({ t, x, y, b }) => when(t.lt(40), () => y.at(b.mul(64).add(t)).set(subgroupAdd(x.at(t))))))?.message).toContain('subgroup_add(x[t]) is reached by 40 of the 64 lanes, but not by lane 40');
    // Whole subgroups may go their own way.
    expect(fault(lanes(({ t, x, y, b }) => when(t.lt(32), () => y.at(b.mul(64).add(t)).set(subgroupAdd(x.at(t))))))).toBeUndefined();
    expect(fault(lanes(({ t }) => when(t.lt(32), () => barrier('subgroup'))))).toBeUndefined();
    expect(fault(lanes(({ t }) => when(t.lt(40), () => barrier('subgroup'))))?.id).toBe('KD-RUN-DIVERGED');
  });
  it('a lane that is not there, and a broadcast of several', () => {
    expect(fault(lanes(({ t, x, y, b }) => y.at(b.mul(64).add(t)).set(subgroupShuffle(x.at(t), t))))?.message).toContain('asks for lane 32 of a subgroup of 32');
    expect(fault(lanes(({ t, x, y, b }) => y.at(b.mul(64).add(t)).set(subgroupBroadcast(x.at(t), t.mod(2)))))?.message).toContain('names lane 0 in one lane and lane 1 in another');
    const odd = kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y }) => { const ax = axes({ t: 48 }); for (const t of ax.t.bind('lane.x')) y.at(t).set(subgroupAdd(x.at(t))); return ax; });
    expect(fault(odd as never)?.message).toContain("48 lanes, which is no multiple of the subgroup's 32");
  });
  it('a barrier of a subgroup orders its own lanes alone', () => {
    const through = (flip: (t: Val<'i64'>) => Val<'i64'>) => lanes((v) => {
      v.tile.at(v.t).set(0);
      barrier();
      v.tile.at(v.t).set(v.x.at(v.t));
      barrier('subgroup');
      v.y.at(v.b.mul(64).add(v.t)).set(v.tile.at(flip(v.t)));
    });
    for (const seed of SEEDS) {
      expect(fault(through((t) => t.xor(1)), seed)).toBeUndefined();
      expect(fault(through((t) => t.xor(32)), seed)?.id).toBe('KD-RUN-RACE');
    }
  });
  it('memory of a lane is its own; code between nests of lanes is fine with a barrier', () => {
    const own = lanes(({ t, b, x, y }) => { const mine = scratch('f32', 'mine', 2); mine.at(t.mod(2)).set(x.at(t)); barrier(); y.at(b.mul(64).add(t)).set(mine.at(t.mod(2))); });
    expect(fault(own)).toBeUndefined();
    const nests = (meet: boolean) => kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y }) => {
      const ax = axes({ b: 2, t: 64, u: 64 });
      for (const b of ax.b.bind('block.x')) {
        const tile = shared('f32', 'tile', 64);
        for (const t of ax.t.bind('lane.x')) tile.at(t).set(select(b.eq(0), x.at(t), 0));
        if (meet) barrier();
        for (const u of ax.u.bind('lane.x')) y.at(b.mul(64).add(u)).set(tile.at(u.xor(1)));
      }
      return ax;
    });
    expect(fault(nests(true) as never)).toBeUndefined();
    expect(fault(nests(false) as never)?.id).toBe('KD-RUN-RACE');
  });
  it('a workgroup of too many lanes', () => {
    const k = lanes(() => {}), big = { ...k.ir, body: { kind: 'for', v: k.axes.t.v, extent: constant(2048), loop: 'lane.x', body: { kind: 'barrier', scope: 'workgroup' } } } as typeof k.ir;
    expect(() => interpret(big, { x: { data: floats(1), shape: [1] }, y: f32(1) })).toThrow(/KD-RUN-SIZE a workgroup of 2048 lanes; 1024/);
    expect(() => interpret(lanes(({ t, y }) => y.at(t).set(1)).ir, { x: f32(128), y: f32(128) }, { maxSteps: 65 })).toThrow(/KD-RUN-STEPS/);
  });
});
