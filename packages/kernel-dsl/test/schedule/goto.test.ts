import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axes, kernel, scalar, tensor } from '../../src/lang/index.ts';
import { goto } from '../../src/library/index.ts';
import type { GotoBlocks } from '../../src/library/index.ts';
import { printKernel } from '../../src/ir/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';

const gemm = kernel('gemm_f32', { alpha: scalar('f32'), A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ alpha, A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(alpha.mul(A.at(i, k)).mul(B.at(k, j)));
  return ax;
});
const scheduled = (b: GotoBlocks): ScheduledKernel => schedule(gemm, target('x86-64-v4'), (s, ax) => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, b));

describe('the Goto schedule', () => {
  it('is the five loops around a register tile', () => {
    const text = printKernel(scheduled({ mr: 6, nr: 64, mc: 168, kc: 512, nc: 3072 }).ir);
    const loops = text.split('\n').filter((l) => /^\s*(for|parallel|pack|reg|unroll|vector) /.test(l)).map((l) => l.replace(/:? *#.*/, ''));
    const at = loops.findIndex((l) => l.startsWith('            for p in'));
    expect(loops.slice(at, at + 3)).toEqual(['            for p in 0..min(512, K - (pc * 512))', '              unroll i in 0..6', '                vector j in 0..64']);
    expect(text).toContain('C_reg[i, j] += A_pack[ir, p, i] * B_pack[jr, p, j]');
    expect(text).toContain('pack A_pack: f32[28, 512, 6]');
  });

  it('computes what the algorithm computes, bit for bit, at sizes around every block', () => {
    const blocks = { mr: 2, nr: 4, mc: 4, kc: 3, nc: 8 };
    const k = scheduled(blocks);
    fc.assert(fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 17 }), fc.integer({ min: 0, max: 7 }), fc.integer(), (M, N, K, seed) => {
      let x = seed | 0;
      const rand = (n: number): Float32Array => Float32Array.from({ length: n }, () => ((x = Math.imul(x, 1664525) + 1013904223 | 0) / 2 ** 31));
      const A = rand(M * K), B = rand(K * N), C = rand(M * N);
      const run = (ir: typeof k.ir): Float32Array => {
        const c = C.slice();
        interpret(ir, { alpha: 0.75, A: { data: A, shape: [M, K] }, B: { data: B, shape: [K, N] }, C: { data: c, shape: [M, N] } }, { seed: 1 });
        return c;
      };
      expect(run(k.ir)).toEqual(run(gemm.ir));
    }), { numRuns: 150 });
  });

  it('shows the program after each step', () => {
    const k = scheduled({ mr: 2, nr: 4, mc: 4, kc: 3, nc: 8 });
    expect(k.steps.map((s) => s.call)).toContain('stage(B, pc, pack)');
    expect(k.steps[0]!.ir).toBe(gemm.ir);
    expect(k.steps.at(-1)!.ir).toBe(k.ir);
    expect(k.reassociates).toBe(false);
  });
});
