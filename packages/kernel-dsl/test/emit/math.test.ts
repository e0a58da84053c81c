import { describe, it } from 'vitest';
import { MAX_ULP } from '../../src/passes/math/index.ts';
import type { MathFn } from '../../src/passes/math/index.ts';
import { COMPILERS, RUNNABLE, sameAsInterpreter } from './harness.ts';
import { cases } from './math-cases.ts';

describe('functions of floats give the bits of the interpreter', () => {
  // A machine that fuses and one that does not; what the others do differently lies in the operations, which are tested for each.
  it.each(RUNNABLE.filter((t) => t.isa === 'x86-64-v4' || t.isa === 'x86-64').map((t) => ({ isa: t.isa, t })))('$isa', ({ t }) => {
    sameAsInterpreter((Object.keys(MAX_ULP) as MathFn[]).flatMap((fn) => cases(fn, t)), t, { compilers: t.isa === 'x86-64-v4' ? COMPILERS : ['gcc'] });
  });
});
