import { TARGETS, ir, lower } from '@quern/kernel-dsl';
import { describe, expect, it } from 'vitest';
import { KERNELS } from '../../src/kernels/index.ts';

describe('every kernel, for every target', () => {
  it.each(KERNELS.map((k) => [k.name, k] as const))('%s can be scheduled and lowered', (_, k) => {
    expect(ir.specViolation(k.algorithm(), 'algorithm')).toBeUndefined();
    for (const t of TARGETS.filter((x) => x.adds.every((f) => f === 'avx512_vnni' || f === 'i8mm'))) {
      const s = k.schedule(t);
      expect(ir.specViolation(s.ir, 'scheduled')).toBeUndefined();
      expect(ir.specViolation(lower(s.ir, t), 'lowered')).toBeUndefined();
    }
  });
});
