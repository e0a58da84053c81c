/** A module's plan as people read it. */
import { axes, kernel, lower, reg, schedule, target, tensor } from '@quern/kernel-dsl';
import { emitGpu, hopperGemm } from '@quern/kernel-dsl/gpu';
import { expect, it } from 'vitest';
import { printPlan } from '../src/commands/plan.ts';

it('names what calls must have, and each launch with its arguments, its workgroups and their lanes', () => {
  const twice = kernel('twice', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) y.at(i).set(x.at(i).mul(2));
    return ax;
  });
  const t = target('cuda-sm80');
  const { ir } = schedule(twice, t, (s, { i }) => {
    const [o, v] = s.split(i, 4, { tail: 'peel' }), [b, l] = s.split(o, 64, { tail: 'mask' });
    s.vectorize(v);
    s.bind({ 'block.x': b, 'lane.x': l });
  });
  expect(printPlan(emitGpu(lower(ir, t), t)).split('\n').slice(1)).toEqual([
    'x begins at a multiple of 4 elements', 'y begins at a multiple of 4 elements',
    'launch twice_kernel_1(x, y, N) on ((N / 4) + 63) / 64 workgroup(s) of 64 lane(s)', 'launch twice_kernel_2(x, y, N) on 1 workgroup(s) of 1 lane(s)', '',
  ]);
});

it('tells clusters and maps of tensors', () => {
  const gemm = kernel('gemm', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
    const ax = axes({ i: M, j: N, k: K });
    for (const i of ax.i) for (const j of ax.j) {
      const acc = reg('f32', 0, 'acc');
      for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
      C.at(i, j).set(acc);
    }
    return ax;
  });
  const t = target('cuda-sm90a'), { ir } = schedule(gemm, t, (s, { i, j, k }) => { hopperGemm(s, { i, j, k }, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }, { cluster: [2, 1] }); });
  expect(printPlan(emitGpu(lower(ir, t), t))).toMatch(/launch gemm_kernel\(.*map of A.*\) on .* lane\(s\), clusters of 1 x 1 x 2, \d+ bytes shared/);
});
