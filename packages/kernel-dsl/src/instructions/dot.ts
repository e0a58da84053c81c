import { axes, kernel, tensor } from '../lang/index.ts';
import type { Kernel } from '../lang/index.ts';

/** c[l] += a[q] * b[l, q] over small integers, exact: the dot product of one group of a with a group of b in each lane. */
export const intDot = (name: string, A: 'u8' | 'i8', B: 'u8' | 'i8', lanes: number): Kernel =>
  kernel(name, { a: tensor(A, 4), b: tensor(B, lanes, 4), c: tensor('i32', lanes).inout() }, ({ a, b, c }) => {
    const ax = axes({ l: lanes, q: 4 });
    for (const l of ax.l) for (const q of ax.q) c.at(l).addAssign(a.at(q).to('i32').mul(b.at(l, q).to('i32')));
    return ax;
  });

/** The same with pairs of bf16, added up in f32. */
export const bf16Dot = (name: string, lanes: number): Kernel =>
  kernel(name, { a: tensor('bf16', 2), b: tensor('bf16', lanes, 2), c: tensor('f32', lanes).inout() }, ({ a, b, c }) => {
    const ax = axes({ l: lanes, q: 2 });
    for (const l of ax.l) for (const q of ax.q) c.at(l).addAssign(a.at(q).to('f32').mul(b.at(l, q).to('f32')));
    return ax;
  });

/** c[i, j] += sum_k a[i, k] * b[j, k] over a block of 2 x 8 and one of 2 x 8 bytes. */
export const intBlock = (name: string, A: 'u8' | 'i8', B: 'u8' | 'i8'): Kernel =>
  kernel(name, { a: tensor(A, 2, 8), b: tensor(B, 2, 8), c: tensor('i32', 2, 2).inout() }, ({ a, b, c }) => {
    const ax = axes({ i: 2, j: 2, q: 8 });
    for (const i of ax.i) for (const j of ax.j) for (const q of ax.q) c.at(i, j).addAssign(a.at(i, q).to('i32').mul(b.at(j, q).to('i32')));
    return ax;
  });
