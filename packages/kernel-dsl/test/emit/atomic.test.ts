import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { emitFileC, symbolOf } from '../../src/emit/c/index.ts';
import { atomicAdd, axes, kernel, tensor, when } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { RUNNABLE, compile, sameAsInterpreter } from './harness.ts';
import { histogram, floats, bytes, cases } from './atomic-cases.ts';

describe('atomic updates', () => {
  it.each(RUNNABLE.filter((t) => t.isa !== 'x86-64-v4-vnni').map((t) => ({ isa: t.isa, t })))('in C give the bits of the interpreter: $isa', ({ t }) => {
    const text = sameAsInterpreter(cases(t), t);
    expect(text).toMatch(/^ *atomic_add_u32\(&h\[.*x\[i\]\], 1u\);/m);
  });

  it('are one step for threads', () => {
    const t = target('x86-64'), k = lower(schedule(floats('f32'), t, () => {}).ir, t), symbol = symbolOf('floats_f32', t.isa), n = 200_000;
    const path = compile(`#include <pthread.h>\n${emitFileC([k], t)}
static float xs[${n}], olds[4][${n}], y[4];
static void *worker(void *arg) {
  const quern_ctx c = {QUERN_ABI, 1, 0, 0, 0, 0};
  const int64_t size[4] = {${n}, 1, 1, 1};
  void *const buf[] = {xs, y, arg};
  return ${symbol}(&c, buf, size, 0) ? arg : 0;
}
int main(void) {
  for (int i = 0; i < ${n}; i++) xs[i] = 1;
  pthread_t t[4];
  for (int i = 0; i < 4; i++) if (pthread_create(&t[i], 0, worker, olds[i])) return 2;
  for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
  return y[0] == ${4 * n}.0f ? 0 : 1;
}
`, [...t.cflags, '-pthread'], { program: true });
    execFileSync(path);
  });

  it('do not race with each other, but with everything else that touches the cell', () => {
    const par = (k: typeof histogram): typeof histogram.ir => ({ ...k.ir, body: { ...k.ir.body, loop: 'parallel' } as typeof k.ir.body });
    const a = bytes(50);
    interpret(par(histogram), a, { seed: 3 });
    expect(a.h.data.reduce((s, v) => s + v, 0)).toBe(50);
    const mixed = (how: 'read' | 'write') => kernel('mixed', { x: tensor('u8', 'N'), h: tensor('u32', 256).inout(), top: tensor('i32', 1).inout() }, ({ h, top, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) {
        atomicAdd(h.at(0), 1);
        when(i.eq(7), () => { if (how === 'read') top.at(0).set(h.at(0).to('i32')); else h.at(0).set(0); });
      }
      return ax;
    });
    for (let seed = 1; seed < 8; seed++) {
      expect(() => interpret(par(mixed('read')), bytes(20), { seed })).toThrow(/KD-RUN-RACE h\[0\] is (atomically updated|read) by iteration i = \d+ and (atomically updated|read) by/);
      expect(() => interpret(par(mixed('write')), bytes(20), { seed })).toThrow(/KD-RUN-RACE h\[0\] is (atomically updated|written) by iteration i = \d+ and (atomically updated|written) by/);
    }
    const two = (how: 'read' | 'write') => kernel('two', { x: tensor('u8', 'N'), h: tensor('u32', 256).inout(), top: tensor('i32', 1).inout() }, ({ h, top, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) when(i.eq(0), () => { atomicAdd(h.at(0), 1); }, () => { if (how === 'read') top.at(0).set(h.at(0).to('i32')); else h.at(0).set(0); });
      return ax;
    });
    const orders = new Set<string>();
    for (let seed = 1; seed < 12; seed++) for (const how of ['read', 'write'] as const) {
      let e: unknown;
      try { interpret(par(two(how)), bytes(2), { seed }); } catch (x) { e = x; }
      orders.add(/KD-RUN-RACE h\[0\] is (atomically updated|read|written) by/.exec(String(e))?.[1] + how);
    }
    expect([...orders].sort()).toEqual(['atomically updatedread', 'atomically updatedwrite', 'readread', 'writtenwrite']);
    expect(() => schedule(mixed('read'), RUNNABLE[0]!, (s, { i }) => s.parallel(i))).toThrow(/KD-S-CARRIED/);
    expect(() => schedule(mixed('write'), RUNNABLE[0]!, (s, { i }) => s.parallel(i))).toThrow(/KD-S-CARRIED/);
  });

  it('leave the order of sums of floats open, which a schedule knows', () => {
    const t = RUNNABLE[0]!, total = <D extends 'f32' | 'i32'>(d: D) => kernel('total', { x: tensor(d, 'N'), y: tensor(d, 1).inout() }, ({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) atomicAdd(y.at(0), x.at(i)); return ax; });
    expect(schedule(total('f32'), t, (s, { i }) => s.parallel(i)).reassociates).toBe(true);
    expect(schedule(total('f32'), t, () => {}).reassociates).toBe(false);
    expect(schedule(total('i32'), t, (s, { i }) => s.parallel(i)).reassociates).toBe(false);
  });

  it('are refused in vectors and in staged copies', () => {
    const t = RUNNABLE[0]!;
    const v = schedule(histogram, t, (s, { i }) => { const [, l] = s.split(i, 8, { tail: 'peel' }); s.vectorize(l); });
    expect(() => lower(v.ir, t)).toThrow(/KD-L-VECTOR-ATOMIC .*h\[/);
    expect(() => schedule(histogram, t, (s, { i }) => s.stage('top', i, 'reg'))).toThrow(/KD-S-ATOMIC/);
  });
});
