import { describe, expect, it } from 'vitest';
import { axes, kernel, loopWhile, reg, tensor } from '../../src/lang/index.ts';
import { compare, constant, load, newVar, specViolation, unary } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { accum, array, kernelOf, param } from '../run/helpers.ts';
import { RUNNABLE, sameAsInterpreter } from './harness.ts';
import type { TensorValue } from './harness.ts';

/** The steps that each number takes to 1 in Collatz' game, and the highest number on the way; at most N rounds. */
const collatz = kernel('collatz', { x: tensor('u32', 'M'), steps: tensor('i32', 'M').out(), top: tensor('u32', 'M').out(), rounds: tensor('u8', 'N') }, ({ x, steps, top, M, N }) => {
  const ax = axes({ i: M });
  for (const i of ax.i) {
    const n = reg('u32', x.at(i), 'n'), count = reg('i32', 0, 'count'), high = reg('u32', n, 'high');
    for (const round of loopWhile(() => n.ne(1), { max: N })) {
      n.set(n.and(1).mul(n.mul(2).add(1)).add(n.shr(n.and(1).not().and(1))));
      high.maxAssign(n);
      count.set(round.to('i32').add(1));
    }
    steps.at(i).set(count);
    top.at(i).set(high);
  }
  return ax;
});
const args = (x: readonly number[], most: number): Record<'x' | 'steps' | 'top' | 'rounds', TensorValue> => ({
  x: { data: array('u32', x), shape: [x.length] }, steps: { data: new Int32Array(x.length), shape: [x.length] }, top: { data: new Uint32Array(x.length), shape: [x.length] }, rounds: { data: new Uint8Array(most), shape: [most] },
});

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
    expect((e as RunError).message).toMatch(/the loop round would go on after 110 rounds, its bound \(i = 0\)\n {2}--> .*while\.test\.ts:\d+/);
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
