/** Loops over products of sizes, whose parts are quotients and rests by sizes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axes, kernel, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel, Val } from '../../src/lang/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';

type I = Val<'i64'>;
/** C = A, element by element. */
const copy = kernel('copy', { A: tensor('f32', 'N', 'M'), C: tensor('f32', 'N', 'M').out() }, ({ A, C, N, M }) => {
  const ax = axes({ i: N, j: M });
  for (const i of ax.i) for (const j of ax.j) C.at(i, j).set(A.at(i, j));
  return ax;
});
/** One loop, in parallel, over `extent` of three sizes, that writes the element at `index`. */
const one = (extent: (N: I, M: I, K: I) => I, index: (f: I, N: I, M: I, K: I) => readonly [I, I, I]): KernelIR => {
  const k: Kernel<{ f: Axis }> = kernel('one', { C: tensor('f32', 'N', 'M', 'K').out() }, ({ C, N, M, K }) => {
    const ax = axes({ f: extent(N, M, K) });
    for (const f of ax.f) C.at(...index(f, N, M, K)).set(1);
    return ax;
  });
  if (k.ir.body.kind !== 'for') throw new Error('one loop was written');
  return { ...k.ir, body: { ...k.ir.body, loop: 'parallel' } };
};
const NMK = (N: I, M: I, K: I): I => N.mul(M).mul(K);
const found = (k: KernelIR): readonly string[] => verify(k).findings.map((f) => `${f.id} ${f.verdict}`);

describe('loops over products of sizes', () => {
  const sm80 = target('cuda-sm80');
  it('of tiles are proved: each workgroup writes its own', () => {
    const s = schedule(copy, sm80, (x, { i, j }) => {
      const [io, ii] = x.split(i, 8, { tail: 'mask' }), [jo, ji] = x.split(j, 16, { tail: 'mask' });
      x.reorder(io, jo, ii, ji);
      x.bind({ 'block.x': x.fuse(io, jo), 'lane.y': ii, 'lane.x': ji });
    });
    for (const ir of [s.ir, lower(s.ir, sm80)]) expect(verify(ir)).toMatchObject({ findings: [], parallelLoops: 3, raceFree: 3 });
  });
  it('of three sizes are proved, in whatever order they were multiplied', () => {
    expect(found(one(NMK, (f, _, M, K) => { const r = f.mod(M.mul(K)); return [f.div(K.mul(M)), r.div(K), r.mod(K)]; }))).toEqual([]);
    expect(found(one((N, M, K) => N.mul(M.mul(K)), (f, _, M, K) => { const r = f.mod(M.mul(K)); return [f.div(M.mul(K)), r.div(K), r.mod(K)]; }))).toEqual([]);
  });
  it('are refuted where they take a quotient by another size, or tiles of another number', () => {
    expect(found(one(NMK, (f, _, M, K) => { const r = f.mod(M.mul(K)); return [f.div(M.mul(K)), r.div(M), r.mod(K)]; }))).toContain('KD-V-BOUNDS refuted');
    expect(found(one(NMK, (f, _, M, K) => { const r = f.mod(M.mul(K)); return [f.div(M.mul(K)), r.div(K), r.mod(M)]; }))).toContain('KD-V-BOUNDS refuted');
    // Tiles of 8 of the first two sizes: the rest is by the number of those of the first, not of the second.
    const tiles = (right: boolean): KernelIR => {
      const k = kernel('tiles', { C: tensor('f32', 'N', 'M').out() }, ({ C, N, M }) => {
        const rows = N.add(7).div(8), cols = M.add(7).div(8), ax = axes({ f: rows.mul(cols), u: 8, v: 8 });
        for (const f of ax.f) for (const u of ax.u) for (const v of ax.v) {
          const i = f.div(cols).mul(8).add(u), j = f.mod(right ? cols : rows).mul(8).add(v);
          when(i.lt(N).and(j.lt(M)), () => { C.at(i, j).set(1); });
        }
        return ax;
      });
      return k.ir.body.kind === 'for' ? { ...k.ir, body: { ...k.ir.body, loop: 'parallel' } } : k.ir;
    };
    expect(found(tiles(true))).toEqual([]);
    expect(found(tiles(false))).toContain('KD-V-RACE refuted');
  });

  /** Which quotient an index is of (by which sizes, 0 to 2), and the rest by which size. */
  const part = fc.record({ by: fc.subarray([0, 1, 2]), rest: fc.constantFrom(0, 1, 2) });
  it('are proved only where no run goes wrong', { timeout: 120_000 }, () => {
    const RUNS = Number(process.env['RUNS'] ?? 10);
    let proved = 0;
    // Half of the indices are what they should be, or nothing would be proved.
    fc.assert(fc.property(fc.constantFrom(NMK, (N: I, M: I): I => N.mul(M), (N: I, M: I, K: I): I => N.add(M).mul(K)), fc.tuple(fc.option(part, { freq: 1 }), fc.option(part, { freq: 1 }), fc.option(part, { freq: 1 })), (extent, parts) => {
      const ir = one(extent, (f, ...sizes) => {
        const index = (d: number): I => { const p = parts[d] ?? { by: [0, 1, 2].slice(d + 1), rest: d }, [first, ...more] = p.by.map((n) => sizes[n]!), q = first ? f.div(more.reduce((x, y) => x.mul(y), first)) : f; return d === 0 && !parts[d] ? q : q.mod(sizes[p.rest]!); };
        return [index(0), index(1), index(2)];
      });
      const bad = found(ir), free = !bad.some((x) => x.startsWith('KD-V-RACE')), inside = !bad.some((x) => x.startsWith('KD-V-BOUNDS'));
      if (free || inside) proved++;
      for (const [N, M, K] of [[1, 1, 1], [2, 3, 2], [3, 2, 5], [1, 4, 3], [5, 1, 2]] as const) {
        try { interpret(ir, { C: { data: new Float32Array(N * M * K), shape: [N, M, K] } }, { seed: N + M }); } catch (e) {
          const id = (e as RunError).id;
          if ((free && id === 'KD-RUN-RACE') || (inside && id === 'KD-RUN-OOB')) throw e;
        }
      }
    }), { numRuns: RUNS, seed: 20261128 });
    expect(proved).toBeGreaterThan(RUNS / 10);
  });
});
