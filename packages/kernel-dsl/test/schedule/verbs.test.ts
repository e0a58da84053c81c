import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printKernel } from '../../src/ir/index.ts';
import { axes, kernel, named, reg, tensor } from '../../src/lang/index.ts';
import type { Axes, Kernel } from '../../src/lang/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import { blur, gemm, norm, saxpy, triangle } from './corpus.ts';
import { MACHINE, compare } from './fuzz.ts';

const size = fc.integer({ min: 0, max: 9 });
/** Schedules a kernel and holds it to the algorithm at random sizes. */
function same<A extends Axes>(k: Kernel<A>, f: (s: Schedule, ax: A) => void): ScheduledKernel {
  const s = schedule(k, MACHINE, f);
  fc.assert(fc.property(fc.record({ M: size, N: size, K: size, P: size }), fc.nat(100), (sizes, seed) => { compare(k, s, sizes, seed); }), { numRuns: 40 });
  return s;
}
const loops = (s: ScheduledKernel): string[] => printKernel(s.ir).split('\n').filter((l) => /^\s*(for|if|parallel|block\S*|lane\S*|vector|unroll) /.test(l)).map((l) => l.trim().replace(/:? *#.*/, '').replace(/:$/, ''));

describe('tile', () => {
  it('is two splits and a new order', () => {
    const s = same(gemm, (t, { i, j, k }) => { const [io, jo, ii, ji] = t.tile(i, j, [2, 4], { tail: 'mask' }); t.reorder(io, jo, k, ii, ji); });
    expect(loops(s).slice(0, 5)).toEqual(['for io in 0..(M + 1) / 2', 'for jo in 0..(N + 3) / 4', 'for k in 0..K', 'for ii in 0..2', 'for ji in 0..4']);
    expect(s.reassociates).toBe(false);
  });
});

describe('fuse', () => {
  const rows = kernel('rows', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M', 'N').out() }, ({ x, y, M, N }) => {
    const ax = axes({ i: M, j: N });
    for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(i, j));
    return ax;
  });
  it('is one loop over pairs, which can be handed out to threads and split again', () => {
    const s = same(rows, (t, { i, j }) => { const [o] = t.split(t.fuse(i, j, 'ij'), 3); t.parallel(o); });
    expect(loops(s)).toEqual(['parallel ijo in 0..((M * N) + 2) / 3', 'for iji in 0..min(3, (M * N) - (ijo * 3))']);
    expect(printKernel(same(rows, (t, { i, j }) => t.parallel(t.fuse(i, j))).ir)).toContain('i = i_j / N');
  });
  it('knows that pairs are apart only where both loops are', () => {
    expect(() => schedule(gemm, MACHINE, (t, { j, k }) => t.parallel(t.fuse(j, k)))).toThrow(/not independent/);
  });
  it('refuses an extent that changes', () => {
    const k = kernel('low', { y: tensor('f32', 'N', 'N').out() }, ({ y, N }) => {
      const ax = axes({ i: N });
      let inner: Axes = {};
      for (const i of ax.i) { const b = axes({ j: i }); inner = b; for (const j of b.j) y.at(i, j).set(1); }
      return { ...ax, j: inner['j']! };
    });
    expect(() => schedule(k, MACHINE, (t, { i, j }) => t.fuse(i, j))).toThrow(/the extent of j depends on i/);
  });
});

describe('bind', () => {
  it('makes workgroups and threads of loops; any order of them gives the result', () => {
    const s = same(gemm, (t, { i, j, k }) => {
      const [io, jo, ii, ji] = t.tile(i, j, [2, 4], { tail: 'mask' });
      t.reorder(io, jo, ii, ji, k);
      t.bind({ 'block.y': io, 'block.x': jo, 'lane.y': ii, 'lane.x': ji });
    });
    expect(loops(s).slice(0, 4)).toEqual(['block.y io in 0..(M + 1) / 2', 'block.x jo in 0..(N + 3) / 4', 'lane.y ii in 0..2', 'lane.x ji in 0..4']);
    expect(s.steps.map((x) => x.call)).toContain('bind(lane.x: ji)');
  });
});

describe('inline', () => {
  it('computes elements where they are read', () => {
    const s = same(blur, (t) => t.inline('row'));
    expect(printKernel(s.ir)).toContain('acc[] += x[r, c + d] * x[r, c + d]');
    expect(printKernel(s.ir)).not.toContain('row');
    expect(printKernel(same(norm, (t) => t.inline('scale')).ir)).toContain('(x[t, i] * rsqrt(squares[])) * w[i]');
  });
  it('refuses where an input is written afterwards', () => {
    const k = kernel('late', { x: tensor('f32', 'N').inout(), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) {
        const old = reg('f32', x.at(i), 'old');
        x.at(i).set(0);
        y.at(i).set(old);
      }
      return ax;
    });
    expect(() => schedule(k, MACHINE, (t) => t.inline('old'))).toThrow(/KD-S-INLINE .*x, which it is computed from \(.*verbs\.test\.ts:\d+:\d+\), is written later/);
  });
});

describe('computeAt', () => {
  it('makes what one iteration needs inside of it', () => {
    const s = same(blur, (t, { c }) => t.computeAt('row', c)), text = printKernel(s.ir);
    expect(text).toContain('pack row: f32[3]');
    expect(text).toContain('acc[] += row[d]');
    expect(s.reassociates).toBe(false);
  });
  it('at a loop over tiles, shares what overlaps within the tile', () => {
    const s = same(blur, (t, { c }) => { const [o] = t.split(c, 4, { tail: 'clamp' }); t.vectorize(t.computeAt('row', o)['p']!); t.parallel(o); });
    expect(printKernel(s.ir)).toContain('pack row: f32[6]');
  });
});

describe('hoist', () => {
  it('computes a name once in front of the loop', () => {
    const k = kernel('scale', { x: tensor('f32', 'N', 4), y: tensor('f32', 'N', 4).out() }, ({ x, y, N }) => {
      const ax = axes({ i: N, j: 4 });
      for (const i of ax.i) for (const j of ax.j) {
        const s = named('s', x.at(i, 0).mul(3)), t = reg('f32', s.add(1), 't');
        y.at(i, j).set(x.at(i, j).mul(s).add(t));
      }
      return ax;
    });
    const s = same(k, (t, { j }) => { t.hoist('s', j); t.hoist('t', j); });
    expect(printKernel(s.ir)).toMatch(/s = x\[i, 0\] \* 3f32\n +reg t: f32\[\]\n +t\[\] = s \+ 1f32\n +for j in 0\.\.4:/);
    expect(() => schedule(k, MACHINE, (t, { j, i }) => { t.hoist('s', j); t.hoist('s', i); })).toThrow(/i differs from iteration to iteration/);
    expect(() => schedule(triangle, MACHINE, (t, { i }) => t.hoist('d', i))).toThrow(/makes nothing of that name/);
  });
  it('keeps to loops that run', () => {
    const k = kernel('maybe', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) { const first = reg('f32', x.at(0), 'first'); y.at(i).set(x.at(i).sub(first)); }
      return ax;
    });
    expect(printKernel(same(k, (t, { i }) => t.hoist('first', i)).ir)).toContain('if 0 < N:');
  });
});

describe('pipeline', () => {
  it('copies the next panel while this one is used', () => {
    const s = same(gemm, (t, { i, j, k }) => {
      const [jo, ji] = t.split(j, 4), [ko, ki] = t.split(k, 3);
      t.reorder(jo, ko, i, ki, ji);
      t.stage('B', ko, 'pack');
      t.pipeline(ko, 2);
    });
    const text = printKernel(s.ir);
    expect(text).toContain('pack B_pack: f32[2, 3, 4]');
    expect(text).toMatch(/if \(ko \+ 1\) < \(\(K \+ 2\) \/ 3\):/);
    expect(text).toContain('B_pack[ko % 2, ki, ji]');
    expect(s.reassociates).toBe(false);
  });
  it('refuses to copy ahead of what the loop writes', () => {
    expect(() => schedule(saxpy, MACHINE, (t, { i }) => { const [o] = t.split(i, 4); t.stage('y', o, 'pack'); t.pipeline(o, 2); })).toThrow(/y, which is copied \(.*\), is written in the loop|y_pack is written again/);
  });
});
