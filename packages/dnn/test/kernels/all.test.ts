import { TARGETS, ir, lower } from '@quern/kernel-dsl';
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { KERNELS } from '../../src/kernels/index.ts';

const targets = TARGETS.filter((x) => x.adds.every((f) => f === 'avx512_vnni' || f === 'i8mm'));

// The build does this too, for the instruction sets of x86-64.
describe('every kernel, for every target (two of them in turn, unless QUERN_FULL)', () => {
  it.each(KERNELS.map((k, i) => [k.name, k, i] as const))('%s can be scheduled and lowered', (_, k, i) => {
    expect(ir.specViolation(k.algorithm(), 'algorithm')).toBeUndefined();
    for (const t of spread(targets, 2, i)) {
      const s = k.schedule(t);
      expect(ir.specViolation(s.ir, 'scheduled')).toBeUndefined();
      expect(ir.specViolation(lower(s.ir, t), 'lowered')).toBeUndefined();
    }
  });
});
