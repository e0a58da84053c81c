/** Small kernels of every shape that schedules meet: what the fuzzer and the tests of single verbs work on. */
import { axes, exp, fma, kernel, named, reg, rsqrt, scratch, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel, Val } from '../../src/lang/index.ts';

/** y = 2 x + y. */
export const saxpy = kernel('saxpy', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).addAssign(x.at(i).mul(2));
  return ax;
});
/** A matrix product. */
export const gemm = kernel('gemm', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).mul(B.at(k, j)));
  return ax;
});
/** A product of small integers in groups of four. */
export const bytes = kernel('bytes', { A: tensor('u8', 'M', 'K'), B: tensor('i8', 'K', 'N'), C: tensor('i32', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).to('i32').mul(B.at(k, j).to('i32')));
  return ax;
});
/** y[r] = sum W[r, k] x[k] with a register. */
export const matvec = kernel('matvec', { W: tensor('f32', 'M', 'N'), x: tensor('f32', 'N'), y: tensor('f32', 'M').out() }, ({ W, x, y, M, N }) => {
  const ax = axes({ r: M, k: N });
  for (const r of ax.r) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(W.at(r, k).mul(x.at(k)));
    y.at(r).set(acc);
  }
  return ax;
});
/** Softmax of rows: three passes, two registers, a tensor that is written and read again. */
export const softmax = kernel('softmax', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M', 'N').out() }, ({ x, y, M, N }) => {
  const ax = axes({ t: M, m: N, e: N, i: N });
  for (const t of ax.t) {
    const top = reg('f32', -Infinity, 'top'), sum = reg('f32', 0, 'sum');
    for (const m of ax.m) top.maxAssign(x.at(t, m));
    for (const e of ax.e) { y.at(t, e).set(exp(x.at(t, e).sub(top))); sum.addAssign(y.at(t, e)); }
    for (const i of ax.i) y.at(t, i).set(y.at(t, i).div(sum));
  }
  return ax;
});
/** Rows scaled by their norm; the scale is a register that is stored once. */
export const norm = kernel('norm', { x: tensor('f32', 'M', 'N'), w: tensor('f32', 'N'), y: tensor('f32', 'M', 'N').out() }, ({ x, w, y, M, N }) => {
  const ax = axes({ t: M, j: N, i: N });
  for (const t of ax.t) {
    const squares = reg('f32', 0.5, 'squares');
    for (const j of ax.j) squares.addAssign(x.at(t, j).mul(x.at(t, j)));
    const scale = reg('f32', rsqrt(squares), 'scale');
    for (const i of ax.i) y.at(t, i).set(x.at(t, i).mul(scale).mul(w.at(i)));
  }
  return ax;
});
/** Two stages with memory between them: sums of neighbours of squares, over rows of 12. */
export const blur = kernel('blur', { x: tensor('f32', 'M', 12), y: tensor('f32', 'M', 10).out() }, ({ x, y, M }) => {
  const ax = axes({ r: M, p: 12, c: 10, d: 3 });
  for (const r of ax.r) {
    const row = scratch('f32', 'row', 12);
    for (const p of ax.p) row.at(p).set(x.at(r, p).mul(x.at(r, p)));
    for (const c of ax.c) {
      const acc = reg('f32', 0, 'acc');
      for (const d of ax.d) acc.addAssign(row.at(c.add(d)));
      y.at(r, c).set(acc);
    }
  }
  return ax;
});
/** A transposed copy into every second column. */
export const transpose = kernel('transpose', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'N', 'P').inout() }, ({ x, y, M, N, P }) => {
  const ax = axes({ i: M, j: N });
  for (const i of ax.i) for (const j of ax.j) when(i.mul(2).lt(P), () => y.at(j, i.mul(2)).set(x.at(i, j)));
  return ax;
});
/** A running sum: every iteration needs the one before. */
export const scan = kernel('scan', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => {
  const ax = axes({ i: N.sub(1).max(0) });
  for (const i of ax.i) y.at(i.add(1)).set(y.at(i).add(x.at(i)));
  return ax;
});
/** A lower triangle, and a value with a name that does not depend on the inner loop. */
export const triangle = kernel('triangle', { x: tensor('f32', 'N', 'N'), y: tensor('f32', 'N', 'N').inout() }, ({ x, y, N }) => {
  const ax = axes({ i: N }), row = (i: Val<'i64'>): { j: Axis } => {
    const inner = axes({ j: i.add(1) });
    for (const j of inner.j) {
      const d = named('d', x.at(i, i).add(1));
      y.at(i, j).set(fma(x.at(i, j), d, y.at(i, j)));
    }
    return inner;
  };
  let inner!: { j: Axis };
  for (const i of ax.i) inner = row(i);
  return { ...ax, ...inner };
});

/** All of them. */
export const CORPUS: readonly Kernel[] = [saxpy, gemm, bytes, matvec, softmax, norm, blur, transpose, scan, triangle];
