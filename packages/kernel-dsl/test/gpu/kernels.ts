/** Kernels written for workgroups, which the tests of the interpreter and of C share. */
import { atomicAdd, axes, barrier, constant, kernel, loopWhile, reg, scratch, shared, subgroupAdd, subgroupAll, subgroupAny, subgroupBallot, subgroupBroadcast, subgroupLane, subgroupMax, subgroupMin, subgroupShuffle, subgroupShuffleXor, tensor, when } from '../../src/lang/index.ts';
import type { Axes, ConstantSpec, Kernel } from '../../src/lang/index.ts';

/** Sums of T neighbours by halving in shared memory: a barrier after each step, unless `careless`. */
export const sums: Kernel<Axes, { readonly T: ConstantSpec<number>; readonly careless: ConstantSpec<boolean> }> = kernel('sums', { T: constant(64), careless: constant(false), x: tensor('f32', 'N'), y: tensor('f32', 'B').out() }, ({ T, careless, x, y, B, N }) => {
  const ax = axes({ b: B, t: T });
  for (const b of ax.b.bind('block.x')) {
    const part = shared('f32', 'part', T);
    for (const t of ax.t.bind('lane.x')) {
      const i = b.mul(T).add(t), v = reg('f32', 0, 'v');
      when(i.lt(N), () => v.set(x.at(i)));
      part.at(t).set(v);
      for (let h = T / 2; h >= 1; h /= 2) {
        if (!careless || h > 2) barrier();
        when(t.lt(h), () => part.at(t).addAssign(part.at(t.add(h))));
      }
      barrier();
      when(t.eq(0), () => y.at(b).set(part.at(0)));
    }
  }
  return ax;
});

/** A transposed matrix through tiles in shared memory, 8 x 4 lanes each. */
export const transpose: Kernel = kernel('transpose', { X: tensor('i32', 'M', 'N'), Y: tensor('i32', 'N', 'M').out() }, ({ X, Y, M, N }) => {
  const ax = axes({ by: M.add(7).div(8), bx: N.add(7).div(8), ty: 4, tx: 8, r: 2, w: 2 });
  for (const by of ax.by.bind('block.y')) for (const bx of ax.bx.bind('block.x')) {
    const tile = shared('i32', 'tile', 8, 9);
    for (const ty of ax.ty.bind('lane.y')) for (const tx of ax.tx.bind('lane.x')) {
      for (const r of ax.r) { const i = by.mul(8).add(ty).add(r.mul(4)), j = bx.mul(8).add(tx); when(i.lt(M).and(j.lt(N)), () => tile.at(ty.add(r.mul(4)), tx).set(X.at(i, j))); }
      barrier();
      for (const w of ax.w) { const i = bx.mul(8).add(ty).add(w.mul(4)), j = by.mul(8).add(tx); when(i.lt(N).and(j.lt(M)), () => Y.at(i, j).set(tile.at(tx, ty.add(w.mul(4))))); }
    }
  }
  return ax;
});

/** Every exchange within a subgroup of 8, in workgroups of 16: row r of Y is the r-th one. Values live on in registers and names. */
export const exchanges: Kernel = kernel('exchanges', { x: tensor('f32', 'B', 16), Y: tensor('f32', 'B', 10, 16).out() }, ({ x, Y, B }) => {
  const ax = axes({ b: B, t: 16 });
  for (const b of ax.b.bind('block.x')) for (const t of ax.t.bind('lane.x')) {
    const v = x.at(b, t), lane = subgroupLane(), keep = reg('f32', v.mul(2), 'keep');
    const out = [
      subgroupAdd(v), subgroupMin(v), subgroupMax(v), subgroupShuffle(v, lane.mul(3).add(1).mod(8)), subgroupShuffleXor(v, 5), subgroupBroadcast(v, 2),
      subgroupAny(v.gt(1.5)).to('f32'), subgroupAll(v.gt(-1.5)).to('f32'), subgroupBallot(v.lt(0)).to('f32'),
    ];
    out.forEach((o, r) => Y.at(b, r, t).set(o));
    keep.addAssign(lane.to('f32'));
    Y.at(b, 9, t).set(keep);
  }
  return ax;
}, { subgroup: 8 });

/** Rounds of a wave through shared memory, as many as `rounds` says, in a loop around barriers; atomic counts beside it. */
export const waves: Kernel = kernel('waves', { rounds: tensor('u8', 'R'), x: tensor('i32', 'B', 8).inout(), count: tensor('i32', 1).inout() }, ({ x, count, B, R }) => {
  const ax = axes({ b: B, t: 8, r: R });
  for (const b of ax.b.bind('block.x')) {
    const line = shared('i32', 'line', 8), seen = shared('i32', 'seen', 1);
    for (const t of ax.t.bind('lane.x')) {
      const mine = reg('i32', x.at(b, t), 'mine'), steps = reg('i32', 0, 'steps');
      when(t.eq(0), () => seen.at(0).set(0));
      for (const r of ax.r) {
        const next = t.add(r).add(1).mod(8);
        line.at(t).set(mine);
        barrier();
        mine.set(line.at(next).mul(3).sub(mine));
        barrier();
      }
      barrier(); // there may be no round
      for (const _ of loopWhile(() => steps.lt(t.to('i32')), { max: 8 })) steps.addAssign(1);
      const before = atomicAdd(seen.at(0), steps);
      barrier();
      x.at(b, t).set(mine.add(seen.at(0)).add(before.mul(0)));
      when(t.eq(0), () => { atomicAdd(count.at(0), seen.at(0)); });
    }
  }
  return ax;
});

/** Memory and a register between workgroups, and a sum by one lane. */
export const handedOn: Kernel = kernel('handed_on', { x: tensor('f32', 64), y: tensor('f32', 64).out() }, ({ x, y }) => {
  const ax = axes({ i: 64, k: 64, j: 64 }), doubled = scratch('f32', 'doubled', 64), total = reg('f32', 0, 'total');
  for (const i of ax.i.bind('block.x')) doubled.at(i).set(x.at(i).mul(2));
  for (const k of ax.k) total.addAssign(doubled.at(k));
  for (const j of ax.j.bind('block.x')) y.at(j).set(doubled.at(j).add(total));
  return ax;
});
/** Rounds and a condition around workgroups, told by sizes. */
export const rounds: Kernel = kernel('rounds', { x: tensor('i32', 'N').inout(), often: tensor('u8', 'R') }, ({ x, N, R }) => {
  const ax = axes({ r: R, i: N, j: N });
  for (const r of ax.r) {
    for (const i of ax.i.bind('block.x')) x.at(i).set(x.at(i).mul(3).add(r.to('i32')));
    when(r.add(N).gt(9), () => { for (const j of ax.j.bind('block.x')) x.at(j).addAssign(1); });
  }
  return ax;
});
/** What stands beside the lanes of a workgroup: memory is filled by one lane, read by all; nests of lanes differ in shape. */
export const beside: Kernel = kernel('beside', { x: tensor('f32', 'B', 32), y: tensor('f32', 'B', 32).out(), sums: tensor('f32', 'B').out() }, ({ x, y, sums, B }) => {
  const ax = axes({ b: B, z: 32, t: 32, u: 4, v: 4, n: 32 });
  for (const b of ax.b.bind('block.x')) {
    const part = shared('f32', 'part', 32), offset = x.at(b, 0).mul(0.5);
    for (const z of ax.z) part.at(z).set(z.to('f32'));
    for (const l of ax.t.bind('lane.x')) part.at(l).addAssign(x.at(b, l));
    const sum = reg('f32', offset, 'sum');
    for (const n of ax.n) sum.addAssign(part.at(n));
    sums.at(b).set(sum);
    barrier();
    for (const u of ax.u.bind('lane.y')) for (const w of ax.v.bind('lane.x')) { const at = u.mul(4).add(w); y.at(b, at).set(part.at(at).add(sum)); y.at(b, at.add(16)).set(part.at(at.add(16))); }
  }
  return ax;
});
