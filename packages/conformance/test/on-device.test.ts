/** Kernels held to their definition on the GPUs of this machine. */
import { axes, kernel, subgroupAdd, tensor, when } from '@quern/kernel-dsl';
import type { Axis, Schedule, TensorArg } from '@quern/kernel-dsl';
import { device, listDevices } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { makeArgs } from '../src/cases/index.ts';
import { ConformanceError, conformOn } from '../src/index.ts';
import * as oracles from '../src/oracles/index.ts';
import { FULL } from '../../../tools/test/spread.ts';
import { addRow, dot, gemm, hash, relu6, saxpy } from './kernels.ts';

/** A row a workgroup of 64 lanes, as an author may write it. */
const rowSums = kernel('row_sums', { X: tensor('f32', 'M', 32), y: tensor('f32', 'M').out() }, ({ X, y, M }) => {
  const ax = axes({ r: M, t: 32 });
  for (const r of ax.r.bind('block.x')) for (const t of ax.t.bind('lane.x')) {
    const sum = subgroupAdd(X.at(r, t));
    when(t.eq(0), () => y.at(r).set(sum));
  }
  return ax;
});
/** Tiles of 8 x 8, a lane for 2 x 2 elements, both factors by way of shared memory. */
const tiles = (s: Schedule, { i, j, k }: { i: Axis; j: Axis; k: Axis }): void => {
  const [bm, i1] = s.split(i, 8, { tail: 'pad' }), [bn, j1] = s.split(j, 8, { tail: 'pad' }), [ti, ii] = s.split(i1, 2), [tj, jj] = s.split(j1, 2), [ko, ki] = s.split(k, 4, { tail: 'pad' });
  s.reorder(bm, bn, ti, tj, ko, ki, ii, jj);
  s.bind({ 'block.y': bm, 'block.x': bn, 'lane.y': ti, 'lane.x': tj });
  s.stage('C', tj, 'reg');
  s.unroll(ii);
  s.unroll(jj);
  s.stage('A', ko, 'shared', { vector: 2 });
  s.stage('B', ko, 'shared', { vector: 2, pad: 2 });
};

const gpus = (await listDevices()).devices.filter(({ kind }) => kind === 'opencl' || kind === 'cuda'), required = process.env['QUERN_REQUIRE_DEVICES'] ?? '';
it('devices that promise nothing of NaN, infinities and subnormal numbers get zeros of both signs and large numbers instead', () => {
  const dense = { pad: 0, inner: 0, offset: 0, reversed: false, transposed: false }, drawn = (values: number): number[] => [...(makeArgs(saxpy.ir, { sizes: { N: 3000 }, layouts: { x: dense, y: dense }, values, seed: 2 }, {}).args['x'] as TensorArg).data as Float32Array];
  const odd = (x: number): boolean => !Number.isFinite(x) || (x !== 0 && Math.abs(x) < 2 ** -126);
  expect(drawn(2).some(odd)).toBe(true);
  const ordinary = drawn(3);
  expect(ordinary.some(odd)).toBe(false);
  expect(ordinary.some((x) => Object.is(x, -0)) && ordinary.includes(-104)).toBe(true);
});

it.skipIf(gpus.length === 0 && !/opencl|cuda/.test(required))('there is a device of OpenCL or CUDA (skipped where none is)', () => { expect(gpus.length).toBeGreaterThan(0); });

for (const { id } of gpus) {
  describe(id, () => {
    const on = device(id, { fallback: 'none' });

    it('bit for bit: maps, products in shared memory, integers', async () => {
      const d = await on;
      const map = await conformOn(d, saxpy, { gpu: (s, { i }) => { const [b, l] = s.split(i, 64, { tail: 'mask' }), [t, v] = s.split(l, 4); s.vectorize(v); s.bind({ 'block.x': b, 'lane.x': t }); } });
      expect(map.backends.find((b) => b.backend === 'device')).toMatchObject({ bounded: 0 });
      expect(map.backends.find((b) => b.backend === 'device')!.exact).toBeGreaterThan(200);
      const product = await conformOn(d, gemm, { gpu: tiles, runs: 2, work: 400, checked: false, oracle: ({ A, B, C }) => ({ C: oracles.add(oracles.fromRows(oracles.multiply(A, B)), oracles.fromRows(oracles.rows(C))) }) });
      expect(product.backends.find((b) => b.backend === 'device')).toMatchObject({ bounded: 0 });
      expect(product.oracle).toBeGreaterThan(50);
      await conformOn(d, hash, { runs: 3, checked: FULL });
      if (FULL) await conformOn(d, relu6, { runs: 3 });
    });

    it('on schedules that are found, and with lanes of their author', async () => {
      const d = await on;
      await conformOn(d, dot, { runs: 4, checked: FULL, oracle: ({ x, y }) => ({ s: oracles.dot(x, y) }) });
      if (FULL) await conformOn(d, addRow, { runs: 4 });
      const sums = await conformOn(d, rowSums, { runs: 6, checked: FULL, sizes: { M: { max: 20 } } });
      expect(sums.backends.find((b) => b.backend === 'device')!.exact).toBeGreaterThan(50);
    });

    it('tells what is wrong, with the smallest case', async () => {
      const wrong = conformOn(await on, relu6, { checked: FULL, oracle: ({ x }) => ({ y: (x as { data: readonly number[] }).data.map((v) => Math.min(Math.max(v, 0), 5)) }) });
      await expect(wrong).rejects.toThrow(ConformanceError);
      await expect(wrong).rejects.toThrow(/the oracle/);
    });
  });
}
