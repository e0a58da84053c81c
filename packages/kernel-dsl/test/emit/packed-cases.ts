/** Kernels over integers of four bits. */
import { axes, kernel, reg, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';
import { fill } from './harness.ts';
import type { Case, TensorValue } from './harness.ts';

export const bytes = (rows: number, cols: number, seed: number): TensorValue => ({ data: array('u8', fill('u8', rows * Math.ceil(cols / 2), seed)), shape: [rows, cols], strides: [cols + (cols % 2), 1] });
export const floats = (shape: number[], seed: number): TensorValue => ({ data: array('f32', fill('f32', shape.reduce((a, b) => a * b, 1), seed)), shape });

/** y = W x, W of four-bit integers. */
export const matvec = <T extends 'i4' | 'u4'>(t: T) => kernel(`matvec_${t}`, { W: tensor(t, 'N', 'K'), x: tensor('f32', 'K'), y: tensor('f32', 'N').out() }, ({ W, x, y, N, K }) => {
  const ax = axes({ n: N, k: K });
  for (const n of ax.n) {
    const acc = reg('f32', 0);
    for (const k of ax.k) acc.addAssign(W.at(n, k).to('f32').mul(x.at(k)));
    y.at(n).set(acc);
  }
  return ax;
});
/** A row against the one that lies one element further: vectors of it begin in the middle of bytes. */
export const shifted = kernel('shifted', { W: tensor('i4', 'N', 'K'), y: tensor('i8', 'N', 'K').inout() }, ({ W, y, N, K }) => {
  const ax = axes({ n: N, k: K.sub(1) });
  for (const n of ax.n) for (const k of ax.k) y.at(n, k).set(W.at(n, k.add(1)).sub(W.at(n, k)));
  return ax;
});
/** Every element by itself; halves of bytes; pairs written next to each other and apart, out of what is read. */
export const unpack = kernel('unpack', { W: tensor('i4', 'N', 'K'), V: tensor('i8', 'N', 'K').out(), U: tensor('u4', 'N', 'K').inout(), T: tensor('u4', 'P', 'N').inout(), G: tensor('u8', 'P') }, ({ W, V, U, T, N, K }) => {
  const ax = axes({ n: N, k: K, m: N, p: K.div(2), q: K.div(2), s: N.div(2) });
  for (const n of ax.n) for (const k of ax.k) V.at(n, k).set(W.at(n, k).mul(3));
  for (const m of ax.m) for (const p of ax.p) U.pair(m, p).set(U.at(m, p.mul(2).add(1)), W.at(m, p.mul(2)).bits('u8'));
  for (const q of ax.q) for (const s of ax.s) T.pair(q, s).set(T.at(q, s.mul(2)).add(1), U.at(s, q));
  return ax;
});

/** The kernels for a target, with arguments. */
export function cases(t: Target): Case[] {
  const lanes = t.vecBytes, sizes = [[3, 8], [2, 2 * lanes + 6], [5, 4 * lanes]] as const;
  const vector = lower(schedule(unpack, t, (s, ax) => {
    for (const [a, f] of [[ax.k, lanes], [ax.p, lanes], [ax.q, 4]] as const) { const [, i] = s.split(a, f, { tail: 'peel' }); if (a !== ax.q) s.vectorize(i); else s.unroll(i); }
    s.parallel(ax.m);
  }).ir, t);
  const apart = lower(schedule(unpack, t, (s, ax) => { const [, i] = s.split(ax.m, 4, { tail: 'peel' }); s.reorder(ax.p, i); s.vectorize(i); }).ir, t);
  const run = ([N, K]: readonly [number, number]): Record<string, TensorValue> => ({ W: bytes(N, K, 1), V: { data: array('i8', fill('i8', N * K, 2)), shape: [N, K] }, U: bytes(N, K, 3), T: bytes(K / 2, N, 4), G: { data: array('u8', fill('u8', K / 2, 1)), shape: [K / 2] } });
  const dot = (w: 'i4' | 'u4'): Case => ({ k: lower(schedule(matvec(w), t, (s, { n, k }) => { const [, i] = s.split(k, lanes / 4, { tail: 'peel' }); s.rfactor('acc', i); s.vectorize(i); s.parallel(n); }).ir, t), runs: [[3, 9], [4, 64]].map(([N, K]) => ({ W: bytes(N!, K!, 5), x: floats([K!], 6), y: floats([N!], 7) })) });
  return [
    { k: { ...lower(unpack.ir, t), name: 'plain' }, runs: sizes.map(run) }, { k: { ...vector, name: 'vector' }, runs: sizes.map(run) },
    { k: { ...apart, name: 'apart' }, runs: [[8, 6], [7, 4]].map((s) => run(s as unknown as readonly [number, number])) }, dot('i4'), dot('u4'),
    { k: lower(schedule(shifted, t, (s, { k }) => { const [, i] = s.split(k, lanes, { tail: 'peel' }); s.vectorize(i); }).ir, t), runs: [[2, 3 * lanes + 2], [3, lanes + 1]].map(([N, K]) => ({ W: bytes(N!, K!, 8), y: { data: array('i8', fill('i8', N! * K!, 9)), shape: [N!, K!] } })) },
  ];
}
