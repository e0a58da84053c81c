import { describe, expect, it } from 'vitest';
import { kernel, loopWhile, tensor } from '../../src/lang/index.ts';
import { compare, constant, load, newVar, specViolation, unary } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { accum, kernelOf, param } from '../run/helpers.ts';
import { RUNNABLE, sameAsInterpreter } from './harness.ts';
import { collatz, args } from './while-cases.ts';

describe('loopWhile', () => {
  it('asks before each round, and may not be left early', () => {
    expect(specViolation(collatz.ir, 'algorithm')).toBeUndefined();
    expect(collatz.print()).toContain('    while going[], at most N times, round from 0:\n');
    const a = args([1, 6, 27], 200);
    interpret(collatz.ir, a);
    expect([...a.steps.data]).toEqual([0, 8, 111]);
    expect([...a.top.data]).toEqual([1, 16, 9232]);
    expect(() => kernel('early', { y: tensor('f32', 1).out() }, ({ y }) => { for (const _ of loopWhile(() => y.at(0).lt(1), { max: 9 })) { void _; break; } return {}; })).toThrow(/KD-BREAK the loop over round was left/);
  });
  it('is refused by the interpreter where the bound cuts it off, with the place', () => {
    let e: unknown;
    try { interpret(collatz.ir, args([27], 110)); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(RunError);
    expect((e as RunError).id).toBe('KD-RUN-WHILE');
    expect((e as RunError).message).toMatch(/the loop round would go on after 110 rounds, its bound \(i = 0\)\n {2}--> .*while-cases\.ts:\d+/);
    interpret(collatz.ir, args([27], 111));
    expect(() => interpret(collatz.ir, args([27], 200), { maxSteps: 50 })).toThrow(/KD-RUN-STEPS round 49/);
  });
  it.each(RUNNABLE.filter((t) => t.isa !== 'x86-64-v4-vnni').map((t) => ({ isa: t.isa, t })))('in C gives the bits of the interpreter: $isa', ({ t }) => {
    const par = lower(schedule(collatz, t, (s, { i }) => { const [o, l] = s.split(i, 4); s.parallel(o); void l; }).ir, t);
    const text = sameAsInterpreter([
      { k: { ...lower(collatz.ir, t), name: 'plain' }, runs: [args([1, 2, 3, 97, 871], 255)] }, { k: { ...par, name: 'par' }, runs: [args(Array.from({ length: 30 }, (_, i) => i + 1), 150)] },
    ], t);
    expect(text).toContain('round < N && going; round++) {');
  });
  it('asks anew each time, also with functions that lowering writes out elsewhere', () => {
    const y = param('y', 'f32', [1], 'inout'), at = [constant(0)], cond = compare('lt', unary('exp', load(y, at)), constant(10, 'f32'));
    const k = kernelOf([y], [{ kind: 'while', v: newVar('n'), max: constant(9), cond, body: accum('add', y, at, constant(1, 'f32')) }]);
    for (const ir of [k, lower(k, target('x86-64'))]) {
      const data = new Float32Array(1);
      interpret(ir, { y: { data, shape: [1] } });
      expect(data[0]).toBe(3); // e^3 is the first power above 10
    }
  });
  it('has no meaning in vectors whose lanes repeat differently', () => {
    const t = RUNNABLE[0]!, k = schedule(collatz, t, (s, { i }) => { const [, l] = s.split(i, 8, { tail: 'peel' }); s.vectorize(l); });
    expect(() => lower(k.ir, t)).toThrow(/KD-L-VECTOR-WHILE .*going.* differs from lane to lane/);
  });
});
