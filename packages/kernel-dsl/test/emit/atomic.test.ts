import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { emitFileC, symbolOf } from '../../src/emit/index.ts';
import { atomicAdd, atomicAnd, atomicExchange, atomicMax, atomicMin, atomicOr, atomicXor, axes, kernel, tensor, when } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';
import { RUNNABLE, compile, fill, sameAsInterpreter } from './harness.ts';
import type { Case } from './harness.ts';

const INTS = ['i64', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8'] as const;

/** Every update of every dtype in a sequence, where the order of the results is known; `old` keeps what each returned. */
const every = <D extends (typeof INTS)[number]>(d: D) => kernel(`every_${d}`, { x: tensor(d, 'N'), y: tensor(d, 6).inout(), old: tensor(d, 'N').out() }, ({ x, y, old, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) {
    const v = x.at(i), before = [atomicAdd, atomicMin, atomicMax, atomicAnd, atomicOr, atomicXor].map((f, n) => f(y.at(n), v) as ReturnType<typeof atomicAdd<D>>);
    old.at(i).set(before.reduce((a, b) => a.xor(b)));
  }
  return ax;
});
const floats = (d: 'f32' | 'f64') => kernel(`floats_${d}`, { x: tensor(d, 'N'), y: tensor(d, 4).inout(), old: tensor(d, 'N').out() }, ({ x, y, old, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) {
    const v = x.at(i), o = atomicAdd(y.at(0), v);
    atomicMin(y.at(1), v);
    atomicMax(y.at(2), v);
    old.at(i).set(atomicExchange(y.at(3), v).add(o));
  }
  return ax;
});
/** How often each value occurs, by parallel iterations: sums of integers do not depend on the order. */
const histogram = kernel('histogram', { x: tensor('u8', 'N'), h: tensor('u32', 256).inout(), top: tensor('i32', 1).inout() }, ({ x, h, top, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) {
    atomicAdd(h.at(x.at(i)), 1);
    atomicMax(top.at(0), x.at(i).to('i32'));
  }
  return ax;
});
const bytes = (n: number) => ({ x: { data: array('u8', fill('u8', n, 4)), shape: [n] }, h: { data: new Uint32Array(256), shape: [256] }, top: { data: new Int32Array(1), shape: [1] } });

function cases(t: Target): Case[] {
  const n = 40, vec = (d: (typeof INTS)[number] | 'f32' | 'f64', k: number, seed: number, sp: readonly number[] = []) => ({ data: array(d, fill(d, k, seed, sp)), shape: [k] });
  const special = [NaN, -0, Infinity];
  return [
    ...INTS.map((d): Case => ({ k: lower(every(d).ir, t), runs: [{ x: vec(d, n, 1), y: vec(d, 6, 2), old: vec(d, n, 3) }] })),
    ...(['f32', 'f64'] as const).map((d): Case => ({ k: lower(floats(d).ir, t), runs: [[], special].map((sp) => ({ x: vec(d, n, 1, sp), y: vec(d, 4, 2), old: vec(d, n, 3) })) })),
    { k: lower(schedule(histogram, t, (s, { i }) => s.parallel(i)).ir, t), runs: [bytes(700)] },
  ];
}

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
