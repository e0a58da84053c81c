import { describe, it } from 'vitest';
import { quickly, spread } from '../../../../tools/test/spread.ts';
import { TARGETS } from '../../src/targets/index.ts';
import { COMPILERS, RUNNABLE, cpuHas, sameAsInterpreter } from './harness.ts';
import { INTEGERS, boolCase, castCases, dotCases, floatCases, halfCases, intCases, partsCases, reduceCases } from './ops-cases.ts';

describe('every operation gives the bits of the interpreter', () => {
  it.each(spread([...RUNNABLE, ...TARGETS.filter((t) => t.isa === 'x86-64-v2' && cpuHas(t))], 3).map((t, i) => ({ isa: t.isa, t, compilers: spread(COMPILERS, 1, i), integers: spread(INTEGERS, Math.ceil(INTEGERS.length / 2), i) })))('$isa', ({ t, compilers, integers }) => {
    sameAsInterpreter([
      ...floatCases(t, 'f32'), ...floatCases(t, 'f64'), ...partsCases(t, 'f32'), ...partsCases(t, 'f64'), ...integers.flatMap((d) => intCases(t, d)), ...reduceCases(t), ...dotCases(t), boolCase(t),
    ], t, { compilers, cflags: quickly(t).cflags });
  });
});

describe('every cast gives the bits of the interpreter', () => {
  // What VNNI adds is one instruction, tested above.
  it.each(spread(RUNNABLE.filter((t) => t.isa !== 'x86-64-v4-vnni'), 2).map((t, i) => ({ isa: t.isa, t, compilers: spread(COMPILERS, 1, i + 1) })))('$isa', ({ t, compilers }) => {
    sameAsInterpreter([...castCases(t), ...halfCases(t)], t, { compilers, cflags: quickly(t).cflags });
  });
});
