import { describe, expect, it } from 'vitest';
import { axes, kernel, scalar, tensor } from '../../src/lang/index.ts';
import { goto } from '../../src/library/index.ts';
import { printKernel } from '../../src/ir/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';

const gemm = kernel('gemm_f32', { alpha: scalar('f32'), A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ alpha, A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(alpha.mul(A.at(i, k)).mul(B.at(k, j)));
  return ax;
});

describe('the Goto schedule', () => {
  it('prints', () => {
    const k = schedule(gemm, target('x86-64-v4'), (s, ax) => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, { mr: 6, nr: 64, mc: 168, kc: 512, nc: 3072 }));
    console.log(printKernel(k.ir));
    expect(k.steps.length).toBe(16);
  });
});
