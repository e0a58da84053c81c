import { describe, expect, it } from 'vitest';
import { add, constant, load, mul, printKernel } from '../../src/ir/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { accum, alloc, buffer, kernel, linesWith, loop, lowered, machine, N, store, v } from './helpers.ts';

/** The micro-kernel of a packed matrix product: C[6, 64] += A[k, 6] * B[k, 64]. */
function tile(): KernelIR {
  const A = buffer('A_pack', [N, constant(6)]), B = buffer('B_pack', [N, constant(64)]), C = buffer('C', [constant(6), constant(64)]);
  const reg = buffer('C_reg', [constant(6), constant(64)], { space: 'reg' });
  const each = (body: (ii: ReturnType<typeof v>, ji: ReturnType<typeof v>) => ReturnType<typeof store>): ReturnType<typeof store> => {
    const ii = v('ii'), ji = v('ji');
    return loop(ii, constant(6), 'unroll', [loop(ji, constant(64), 'vector', [body(ii, ji)])]);
  };
  const k1 = v('k1');
  return kernel([A, B, C], [
    alloc(reg),
    each((i, j) => store(reg, [i, j], constant(0, 'f32'))),
    loop(k1, N, 'seq', [each((i, j) => accum(reg, [i, j], mul(load(A, [k1, i]), load(B, [k1, j]))))]),
    each((i, j) => store(C, [i, j], add(load(C, [i, j]), load(reg, [i, j])))),
  ]);
}

describe('the micro-kernel of a matrix product', () => {
  it('becomes 24 fused accumulates on named registers, 4 loads of B and 6 broadcasts of A', () => {
    const text = printKernel(lowered(lower(tile(), machine(64))));
    const loop = text.slice(text.indexOf('for k1'), text.indexOf('\n  Cx16'));
    expect(linesWith(loop, / = fma\(a\d, b\d, C_\d_\dx16\[0\]\)/)).toHaveLength(24);
    expect(linesWith(loop, /B_pack/)).toEqual(['b0 = B_packx16[k1, 0]', 'b1 = B_packx16[k1, 16]', 'b2 = B_packx16[k1, 32]', 'b3 = B_packx16[k1, 48]']);
    expect(linesWith(loop, /A_pack/)).toEqual([0, 1, 2, 3, 4, 5].map((r) => `a${r} = splatx16(A_pack[k1, ${r}])`));
    expect(linesWith(loop, /./), 'nothing else in the loop').toHaveLength(1 + 24 + 4 + 6);
    expect(linesWith(text, /reg C_\d_\d: f32\[16\]/)).toHaveLength(24);
  });
});
