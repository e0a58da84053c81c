/** Schedules that are found for GPUs: what is chosen for each form of work, that it computes what the algorithm says, and what is left alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { printKernel } from '../../src/ir/index.ts';
import { autoGrid, gridMap, gridTranspose } from '../../src/library/gpu/index.ts';
import { axes, kernel, reg, scratch, tensor } from '../../src/lang/index.ts';
import type { Kernel } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { bytes, gemm, matvec, norm, saxpy, scan, softmax, triangle } from '../schedule/corpus.ts';
import { compare } from '../schedule/fuzz.ts';

const dot: Kernel = kernel('dot', { x: tensor('f32', 'N'), y: tensor('f32', 'N'), s: tensor('f32', 1).out() }, ({ x, y, s, N }) => {
  const ax = axes({ i: N }), acc = reg('f32', 0, 'acc');
  for (const i of ax.i) acc.addAssign(x.at(i).mul(y.at(i)));
  s.at(0).set(acc);
  return ax;
});
const turn = kernel('turn', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'N', 'M').out() }, ({ x, y, M, N }) => {
  const ax = axes({ i: N, j: M });
  for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(j, i));
  return ax;
});
/** Two nests: a sum, and a map that needs it. */
const centred = kernel('centred', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ k: N, i: N }), sum = reg('f32', 0, 'sum');
  for (const k of ax.k) sum.addAssign(x.at(k));
  for (const i of ax.i) y.at(i).set(x.at(i).sub(sum.div(N.to('f32').add(1))));
  return ax;
});
const t = target('cuda-sm80'), calls = (s: ScheduledKernel): string => s.steps.slice(1).map((x) => x.call).filter((x) => x.includes('(')).join('; ');
/** As small as the interpreter runs soon; the arithmetic of the comparison has neither fused products nor formulas. */
const small: Target = { ...t, fma: false, gpu: { ...t.gpu!, workgroup: { lanes: 32, each: [32, 32, 32] } } };

describe('autoGrid', () => {
  it.each([
    ['elements, in vectors', saxpy, /split\(i, 4, mask\); .*bind\(block\.x: ioo\); bind\(lane\.x: ioi\); vectorize/],
    ['rows, with their sums', softmax, /^deal\(t, m, e, i\); bind\(block\.x: t\)$/],
    ['rows of a matrix times a vector', matvec, /^deal\(r, k\); bind\(block\.x: r\)$/],
    ['a product: lanes along the rows of B and C', gemm, /bind\(block\.y: i\); bind\(block\.x: jo\); bind\(lane\.x: ji\)/],
    ['reads across', turn, /stage\(x, \w+, shared\)/],
    ['a sum over all', dot, /partials\(acc, ioi\); deal\(ioi, ii\); bind\(block\.x: ioi\)/],
    ['a sum, then elements', centred, /partials\(sum, koi\);.*; split\(i, 4, mask\)/],
  ] as const)('%s', (_, k, how) => {
    const s = autoGrid(k as Kernel, t);
    expect(calls(s)).toMatch(how);
    expect(verify(s.ir).findings).toEqual([]);
  });

  it('leaves alone what it cannot deal out, and what its author bound', () => {
    expect(calls(autoGrid(scan as Kernel, t))).toBe('');
    const bound = kernel('bound', { y: tensor('f32', 'N').out() }, ({ y, N }) => { const ax = axes({ b: N }); for (const b of ax.b.bind('block.x')) y.at(b).set(1); return ax; });
    expect(calls(autoGrid(bound, t))).toBe('');
    // But it proves that too.
    const beyond = kernel('beyond', { y: tensor('f32', 'N').out() }, ({ y, N }) => { const ax = axes({ b: N }); for (const b of ax.b.bind('block.x')) y.at(b.add(1)).set(1); return ax; });
    expect(() => autoGrid(beyond, t)).toThrow(/KD-V-\w+ .*y\[/);
  });

  it.each([saxpy, softmax, matvec, norm, gemm, bytes, triangle, dot, turn, centred].map((k) => [k.name, k as Kernel] as const))('%s: what it computes stays', (_, k) => {
    const s = autoGrid(k, small), size = fc.integer({ min: 0, max: k.name === 'dot' || k.name === 'centred' ? 900 : 40 });
    expect(printKernel(s.ir)).toMatch(/block\.x/);
    fc.assert(fc.property(size, size, size, fc.nat(99), (M, N, K, seed) => { compare(k, s, { M, N, K }, seed); }), { numRuns: 3 });
  }, 120_000);

  it('gives no lane of WGSL more memory than is sure: lanes share it, or device memory stands in', () => {
    const held = (n: number): Kernel => kernel('held', { x: tensor('f32', n, 'T'), y: tensor('f32', n, 'T').out() }, ({ x, y, T }) => {
      const ax = axes({ t: T, j: n, i: n });
      for (const u of ax.t) {
        const row = scratch('f32', 'row', n);
        for (const j of ax.j) row.at(j).set(x.at(j, u).mul(2));
        for (const i of ax.i) y.at(i, u).set(row.at(i.mul(-1).add(n - 1)));
      }
      return ax;
    });
    const wgsl = target('wgsl'), text = (s: ScheduledKernel): string => emitGpu(lower(s.ir, wgsl), wgsl).source;
    expect(calls(autoGrid(held(3000), t))).toBe('split(t, 256, mask); bind(block.x: to); bind(lane.x: ti)');
    expect(() => text(schedule(held(3000), wgsl, (s, { t: u }) => { gridMap(s, [u!]); }))).toThrow(/KD-L-LACKS wgsl has no 12000 bytes for each lane: row, where 8192 are sure[^]*auto-grid\.test\.ts[^]*deal their loops/);
    expect(calls(autoGrid(held(3000), wgsl))).toBe('deal(t, j, i); bind(block.x: t)');
    expect(text(autoGrid(held(3000), wgsl))).toContain('var<workgroup> row: array<f32, 3000>');
    expect(calls(autoGrid(held(2000), wgsl))).toBe('split(t, 256, mask); bind(block.x: to); bind(lane.x: ti)');
    expect([calls(autoGrid(held(5000), wgsl)), text(autoGrid(held(5000), wgsl))]).toEqual(['', expect.stringMatching(/var<storage, read_write> row: array<f32>/)]);
  });

  it('tiles of a transposition meet rows of any length', () => {
    const s = schedule(turn, t, (s, ax) => gridTranspose(s, ax, 'x'));
    // One between the copy and its use; the loop of one tile needs none around it.
    expect(printKernel(s.ir).match(/barrier workgroup/g)).toHaveLength(1);
    for (const [M, N] of [[1, 70], [33, 31], [64, 32]] as const) compare(turn, s, { M, N }, 1);
  }, 60_000);
});
