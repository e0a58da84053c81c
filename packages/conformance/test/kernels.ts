/** Kernels to hold to their definitions, right ones, with schedules of each kind of tail. */
import { axes, exp, goto, kernel, reg, scalar, select, tensor, value } from '@quern/kernel-dsl';
import type { Axis, Kernel, Schedule } from '@quern/kernel-dsl';

/** y = a x + y. */
export const saxpy: Kernel<{ i: Axis<'i'> }> = kernel('saxpy', { a: scalar('f32'), x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ a, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).addAssign(a.mul(x.at(i)));
  return ax;
});
/** The same in vectors, with the rest one by one. */
export function peeled(s: Schedule, { i }: { i: Axis }): void {
  const [blocks, lanes] = s.split(i, 2 * s.vec('f32'), { tail: 'peel' });
  s.vectorize(lanes);
  s.parallel(blocks);
}

/** y = min(max(x, 0), 6), out of place: exact on every machine. */
export const relu6: Kernel<{ i: Axis<'i'> }> = kernel('relu6', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(select(x.at(i).lt(0), 0, x.at(i)).min(6));
  return ax;
});

/** y[i, j] = x[i, j] + b[j], everything strided. */
export const addRow: Kernel<{ i: Axis<'i'>; j: Axis<'j'> }> = kernel('add_row', { x: tensor('f32', 'M', 'N').strided(), b: tensor('f32', 'N'), y: tensor('f32', 'M', 'N').strided().out() }, ({ x, b, y, M, N }) => {
  const ax = axes({ i: M, j: N });
  for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(i, j).add(b.at(j)));
  return ax;
});

/** s = sum of x y. */
export const dot: Kernel<{ i: Axis<'i'> }> = kernel('dot', { x: tensor('f32', 'N'), y: tensor('f32', 'N'), s: tensor('f32', 1).out() }, ({ x, y, s, N }) => {
  const ax = axes({ i: N });
  const acc = reg('f32', 0);
  for (const i of ax.i) acc.addAssign(x.at(i).mul(y.at(i)));
  s.at(0).set(acc);
  return ax;
});
/** One partial sum for each lane. */
export function lanes(s: Schedule, { i }: { i: Axis }): void {
  const [, lane] = s.split(i, s.vec('f32'), { tail: 'peel' });
  s.rfactor('acc', lane);
  s.vectorize(lane);
}

/** C += A B in f64, in the blocks of Goto's algorithm, all of them small. */
export const gemm: Kernel<{ i: Axis<'i'>; j: Axis<'j'>; k: Axis<'k'> }> = kernel('gemm', { A: tensor('f64', 'M', 'K'), B: tensor('f64', 'K', 'N'), C: tensor('f64', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).mul(B.at(k, j)));
  return ax;
});
export const blocked = (s: Schedule, ax: { i: Axis; j: Axis; k: Axis }): void => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, { mr: 2, nr: s.vec('f64'), mc: 4, kc: 5, nc: 2 * s.vec('f64') });

/** y = exp(x - 1) / (1 + exp(x)): two formulas and a division. */
export const formulas: Kernel<{ i: Axis<'i'> }> = kernel('formulas', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(exp(x.at(i).sub(1)).div(exp(x.at(i)).add(value('f32', 1))));
  return ax;
});

/** y[i] = table[at[i]]. */
export const lookup: Kernel<{ i: Axis<'i'> }> = kernel('lookup', { table: tensor('f16', 'R'), at: tensor('i32', 'N'), y: tensor('f32', 'N').out() }, ({ table, at, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(table.at(at.at(i)).to('f32'));
  return ax;
});

/** Exclusive or and shifts of words: integers that wrap. */
export const hash: Kernel<{ i: Axis<'i'> }> = kernel('hash', { x: tensor('u32', 'N'), y: tensor('u32', 'N').inout() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(y.at(i).mul(0x85ebca6b).xor(x.at(i).shr(13)).add(x.at(i).shl(3)));
  return ax;
});
