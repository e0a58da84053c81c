import { execFileSync } from 'node:child_process';
import { lower, target } from '@quern/kernel-dsl';
import { describe, expect, it } from 'vitest';
import { emitFileC } from '../../../kernel-dsl/src/emit/c/index.ts';
import { COMPILERS, compile } from '../../../kernel-dsl/test/emit/harness.ts';
import { hotLoopStackRefs } from '../../../kernel-dsl/test/emit/hot-loop.ts';
import { spread } from '../../../../tools/test/spread.ts';
import { kernelNamed } from '../../src/kernels/index.ts';

/**
 * Kernels whose inner loop decides how fast a model runs, with the multiply-adds of one step of that loop: what is computed side by side.
 * (Without VNNI, integer products are other instructions; the matmuls with blocks are not looked at there.)
 */
const LOOPS = {
  'x86-64-v4-vnni': { matvec_q4_0: 4, matvec_q8_0: 4, matvec_f32: 8, matvec_f16: 8, matmul_q4_0: 16, matmul_q8_0: 8, matmul_f32: 24, matmul_f16: 24, attention_f32: 8, attention_f16: 8 },
  'x86-64-v3': { matvec_q4_0: 4, matvec_q8_0: 4, matvec_f32: 8, matvec_f16: 8, matmul_f32: 8, matmul_f16: 8 },
} as const;

describe('the hot loops stay in registers', () => {
  it.each((Object.keys(LOOPS) as (keyof typeof LOOPS)[]).flatMap((isa, i) => spread(COMPILERS, 1, i).map((compiler) => [isa, compiler] as const)))('%s by %s', (isa, compiler) => {
    const t = target(isa), object = compile(emitFileC(Object.keys(LOOPS[isa]).map((n) => lower(kernelNamed(n).schedule(t).ir, t)), t), t.cflags, { compiler, object: true });
    const objdump = execFileSync('objdump', ['-d', '--no-show-raw-insn', object], { encoding: 'utf8', maxBuffer: 1 << 28 });
    for (const [name, least] of Object.entries(LOOPS[isa])) {
      const { refs, fmas } = hotLoopStackRefs(objdump, new RegExp(`^${name}_`));
      expect(fmas, name).toBeGreaterThanOrEqual(least);
      // clang keeps a pointer or two of the matmuls in memory, which costs nothing there; a vector would.
      expect(compiler === 'gcc' ? refs : refs.filter((r) => /%[xyz]mm/.test(r)), name).toEqual([]);
    }
  });
});
