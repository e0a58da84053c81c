import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { emitFileC } from '../../src/emit/c/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { axes, kernel, tensor } from '../../src/lang/index.ts';
import { goto } from '../../src/library/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { COMPILERS, compile, has } from './harness.ts';
import { hotLoopStackRefs } from './hot-loop.ts';
import { microKernel } from './kernels.ts';

const gemm = (T: 'f32' | 'f64'): ReturnType<typeof make> => make(T);
const make = (T: 'f32' | 'f64') => kernel(`gemm_${T}`, { A: tensor(T, 'M', 'K'), B: tensor(T, 'K', 'N'), C: tensor(T, 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).mul(B.at(k, j)));
  return ax;
});
const packed = (T: 'f32' | 'f64', t: Target): KernelIR => {
  const nr = t.isa === 'x86-64-v3' ? 2 * t.vecBytes / (T === 'f32' ? 4 : 8) : 4 * t.vecBytes / (T === 'f32' ? 4 : 8);
  return lower(schedule(gemm(T), t, (s, ax) => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, { mr: 6, nr, mc: 168, kc: 512, nc: 3072 })).ir, t);
};

const disassemble = (object: string): string => execFileSync('objdump', ['-d', '--no-show-raw-insn', object], { encoding: 'utf8', maxBuffer: 1 << 26 });
const cases = (['x86-64-v4', 'x86-64-v3'] as const).flatMap((isa, i) => COMPILERS.flatMap((compiler, j) => spread(['-O2', '-O3'], 1, i + j).map((level) => ({ isa, compiler, level }))));

describe('the hot loop of a micro-kernel stays in registers', () => {
  it('has the tools it needs', () => {
    expect(has('gcc')).toBe(true);
    expect(has('objdump')).toBe(true);
  });

  it.each(cases)('$isa, $compiler $level', ({ isa, compiler, level }) => {
    const t = target(isa), tile = isa === 'x86-64-v4' ? { mr: 6, vectors: 4 } : { mr: 6, vectors: 2 };
    const text = emitFileC([microKernel(tile.mr, tile.vectors, t), packed('f32', t), packed('f64', t)], t);
    const objdump = disassemble(compile(text, [...t.cflags.filter((f) => f !== '-O2'), level], { compiler, object: true }));
    for (const name of ['micro_kernel', 'gemm_f32_ic', 'gemm_f64_ic']) {
      const { refs, fmas, length } = hotLoopStackRefs(objdump, new RegExp(`^${name}`));
      expect(refs, `${name}: the loop spills`).toEqual([]);
      // One multiply-add per accumulator and step; a compiler may unroll, so a multiple is fine.
      expect(fmas % (tile.mr * tile.vectors)).toBe(0);
      expect(length).toBeLessThan(2 * fmas + 16);
    }
  });

  it('sees a loop that spills: 40 accumulators do not fit 32 registers', () => {
    const t = target('x86-64-v4'), object = compile(emitFileC([microKernel(10, 4, t)], t), t.cflags, { object: true });
    expect(hotLoopStackRefs(disassemble(object)).refs.length).toBeGreaterThan(0);
  });

  it('refuses a text without such a loop', () => {
    expect(() => hotLoopStackRefs('0000 <f>:\n   0:\tret\n')).toThrow('no loop');
  });
});
