import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import { printKernel } from '../../src/ir/index.ts';
import { axes, kernel, reg, scratch, tensor, when } from '../../src/lang/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';

const T = target('x86-64-v3');
const matvec = kernel('matvec', { W: tensor('f32', 'R', 'D'), x: tensor('f32', 'D'), y: tensor('f32', 'R').out() }, ({ W, x, y, R, D }) => {
  const ax = axes({ r: R, k: D });
  for (const r of ax.r) {
    const acc = reg('f32', 0);
    for (const k of ax.k) acc.addAssign(W.at(r, k).mul(x.at(k)));
    y.at(r).set(acc);
  }
  return ax;
});
const jammed = schedule(matvec, T, (s, ax) => { const [, i] = s.split(ax.r, 3, { tail: 'peel' }); s.jam(i); });

describe('unroll and jam', () => {
  it('shares the loop inside and gives each iteration its own register', () => {
    expect(printKernel(jammed.ir).split('\n').slice(1, 13).join('\n')).toMatchInlineSnapshot(`
      "  for ro in 0..R / 3:    # split(r, 3, peel)
          reg acc_0: f32[]
          reg acc_1: f32[]
          reg acc_2: f32[]
          acc_0[] = 0f32
          acc_1[] = 0f32
          acc_2[] = 0f32
          for k in 0..D:
            acc_0[] += W[ro * 3, k] * x[k]
            acc_1[] += W[(ro * 3) + 1, k] * x[k]
            acc_2[] += W[(ro * 3) + 2, k] * x[k]
          y[ro * 3] = acc_0[]"
    `);
  });

  it('changes no bit, at sizes around the factor', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 5 }), fc.infiniteStream(fc.float({ noNaN: true, min: -9, max: 9 })), (R, D, values) => {
      const take = (n: number): Float32Array => Float32Array.from({ length: n }, () => values.next().value as number);
      const W = { data: take(R * D), shape: [R, D] }, x = { data: take(D), shape: [D] };
      const run = (ir: typeof matvec.ir): Float32Array => { const y = new Float32Array(R); interpret(ir, { W, x, y: { data: y, shape: [R] } }); return y; };
      expect(run(jammed.ir)).toEqual(run(matvec.ir));
    }));
  });

  it('keeps what differs between iterations apart: loops, branches and memory', () => {
    const k = kernel('triangle', { x: tensor('f32', 'N', 4), y: tensor('f32', 'N', 4).out() }, ({ x, y, N }) => {
      const ax = axes({ o: N.div(4), i: 4 });
      for (const o of ax.o) for (const i of ax.i) {
        const row = scratch('f32', 'row', 4), r = o.mul(4).add(i);
        const inner = axes({ c: 4, below: i, w: 4 });
        for (const c of inner.c) row.at(c).set(x.at(r, c));
        for (const b of inner.below) row.at(b).addAssign(10);
        when(i.eq(2), () => row.at(0).set(-1));
        for (const w of inner.w) y.at(r, w).set(row.at(w));
      }
      return ax;
    });
    const run = (ir: typeof k.ir): Float32Array => {
      const y = new Float32Array(32);
      interpret(ir, { x: { data: Float32Array.from({ length: 32 }, (_, n) => n), shape: [8, 4] }, y: { data: y, shape: [8, 4] } });
      return y;
    };
    const s = schedule(k, T, (st, ax) => st.jam(ax.i));
    expect(printKernel(s.ir)).toContain('pack row_3: f32[4]');
    expect(run(s.ir)).toEqual(run(k.ir));
  });

  it('refuses iterations that depend on each other, and takes the axis away', () => {
    const sum = kernel('sum', { x: tensor('f32', 8), y: tensor('f32', 1).inout() }, ({ x, y }) => {
      const ax = axes({ i: 8 });
      for (const i of ax.i) y.at(0).addAssign(x.at(i));
      return ax;
    });
    expect(() => schedule(sum, T, (s, ax) => s.jam(ax.i))).toThrow(/jam\(i\): iterations are not independent/);
    expect(() => schedule(matvec, T, (s, ax) => s.jam(ax.r))).toThrow(/its extent R is not a constant/);
    expect(() => schedule(matvec, T, (s, ax) => { const [, i] = s.split(ax.r, 2, { tail: 'peel' }); s.jam(i); s.unroll(i); })).toThrow(DslError);
  });
});

describe('interleaving', () => {
  const side = schedule(matvec, T, (s, ax) => { const [n] = s.interleave(ax.r, 3); s.parallel(n); });

  it('walks equal ranges side by side, and the rest after them', () => {
    const text = printKernel(side.ir);
    expect(text).toContain('parallel rn in 0..R / 3:');
    expect(text).toContain('acc_2[] += W[rn + (2 * (R / 3)), k] * x[k]');
    expect(text).toContain('for r_rest in 0..R - ((R / 3) * 3):');
  });

  it('changes no bit, whatever is left at the end; the threads meet nowhere', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 4 }), fc.integer(), (R, D, seed) => {
      const W = { data: Float32Array.from({ length: R * D }, (_, i) => Math.fround(Math.sin(i + seed))), shape: [R, D] }, x = { data: new Float32Array(D).fill(1.5), shape: [D] };
      const run = (ir: typeof matvec.ir): Float32Array => { const y = new Float32Array(R); interpret(ir, { W, x, y: { data: y, shape: [R] } }, { seed }); return y; };
      expect(run(side.ir)).toEqual(run(matvec.ir));
    }));
  });

  it('is refused where iterations meet, and multiples of another length than the extent still count as meeting', () => {
    const shifted = (far: number) => kernel('shifted', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => {
      const ax = axes({ i: N.div(4) });
      for (const i of ax.i) { y.at(i).set(x.at(i)); y.at(i.add(N.div(far))).set(x.at(i)); }
      return ax;
    });
    expect(() => schedule(shifted(4), T, (s, ax) => s.parallel(ax.i))).not.toThrow();
    expect(() => schedule(shifted(5), T, (s, ax) => s.parallel(ax.i))).toThrow(/not independent/);
    expect(() => schedule(shifted(5), T, (s, ax) => s.interleave(ax.i, 2))).toThrow(/interleave\(i\): iterations are not independent/);
    expect(() => schedule(matvec, T, (s, ax) => s.interleave(ax.r, 0))).toThrow(/factor must be an integer/);
  });
});
