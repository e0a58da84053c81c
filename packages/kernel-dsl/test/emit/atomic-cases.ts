/** Atomic updates of every dtype. */
import { atomicAdd, atomicAnd, atomicExchange, atomicMax, atomicMin, atomicOr, atomicXor, axes, kernel, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';
import { fill } from './harness.ts';
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
export const floats = (d: 'f32' | 'f64') => kernel(`floats_${d}`, { x: tensor(d, 'N'), y: tensor(d, 4).inout(), old: tensor(d, 'N').out() }, ({ x, y, old, N }) => {
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
export const histogram = kernel('histogram', { x: tensor('u8', 'N'), h: tensor('u32', 256).inout(), top: tensor('i32', 1).inout() }, ({ x, h, top, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) {
    atomicAdd(h.at(x.at(i)), 1);
    atomicMax(top.at(0), x.at(i).to('i32'));
  }
  return ax;
});
export const bytes = (n: number) => ({ x: { data: array('u8', fill('u8', n, 4)), shape: [n] }, h: { data: new Uint32Array(256), shape: [256] }, top: { data: new Int32Array(1), shape: [1] } });

/** The kernels for a target, with arguments. */
export function cases(t: Target): Case[] {
  const n = 40, vec = (d: (typeof INTS)[number] | 'f32' | 'f64', k: number, seed: number, sp: readonly number[] = []) => ({ data: array(d, fill(d, k, seed, sp)), shape: [k] });
  const special = [NaN, -0, Infinity], has = (d: string): boolean => !t.gpu || !['i64', 'f64'].includes(d) || t.features.includes(d);
  return [
    ...INTS.filter((d) => has(d)).map((d): Case => ({ k: lower(every(d).ir, t), runs: [{ x: vec(d, n, 1), y: vec(d, 6, 2), old: vec(d, n, 3) }] })),
    ...(['f32', 'f64'] as const).filter(has).map((d): Case => ({ k: lower(floats(d).ir, t), runs: [[], special].map((sp) => ({ x: vec(d, n, 1, sp), y: vec(d, 4, 2), old: vec(d, n, 3) })) })),
    { k: lower(schedule(histogram, t, (s, { i }) => s.parallel(i)).ir, t), runs: [bytes(700)] },
  ];
}
