import { describe, expect, it } from 'vitest';
import { axes, exp, kernel, named, reg, scalar, tensor, when } from '../../src/lang/index.ts';
import { specViolation } from '../../src/ir/index.ts';

describe('tracing a kernel', () => {
  it('records loops, reads and writes of saxpy', () => {
    const k = kernel('saxpy', { a: scalar('f32'), x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ a, x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).addAssign(a.mul(x.at(i)));
      return ax;
    });
    expect(specViolation(k.ir, 'algorithm')).toBeUndefined();
    expect(k.print()).toBe('kernel saxpy(a: f32, x: f32[N], inout y: f32[N]):\n  for i in 0..N:\n    y[i] += a * x[i]\n');
    expect(k.axes.i.name).toBe('i');
    expect(k.ir.loc?.file).toMatch(/kernel\.test\.ts$/);
    expect(k.ir.loc?.line).toBe(7);
  });

  it('traces softmax with registers read in later loops', () => {
    const k = kernel('softmax', { X: tensor('f32', 'R', 'C'), Y: tensor('f32', 'R', 'C').out() }, ({ X, Y, R, C }) => {
      const ax = axes({ r: R, m: C, e: C, w: C });
      for (const r of ax.r) {
        const hi = reg('f32', -Infinity, 'hi'), sum = reg('f32', 0, 'sum');
        for (const m of ax.m) hi.maxAssign(X.at(r, m));
        for (const e of ax.e) sum.addAssign(exp(X.at(r, e).sub(hi)));
        for (const w of ax.w) Y.at(r, w).set(exp(X.at(r, w).sub(hi)).div(sum));
      }
      return ax;
    });
    expect(k.print()).toMatchInlineSnapshot(`
      "kernel softmax(X: f32[R, C], out Y: f32[R, C]):
        for r in 0..R:
          reg hi: f32[]
          hi[] = -Infinityf32
          reg sum: f32[]
          sum[] = 0f32
          for m in 0..C:
            hi[] max= X[r, m]
          for e in 0..C:
            sum[] += exp(X[r, e] - hi[])
          for w in 0..C:
            Y[r, w] = exp(X[r, w] - hi[]) / sum[]
      "
    `);
  });

  it('keeps the value of a read that a later write overtakes', () => {
    const k = kernel('swap', { x: tensor('f32', 2).inout() }, ({ x }) => {
      const a = x.at(0).add(0), b = x.at(1).add(0);
      x.at(0).set(b);
      x.at(1).set(a);
      return {};
    });
    expect(k.print()).toBe('kernel swap(inout x: f32[2]):\n  x_was = x[0]\n  x[0] = x[1] + 0f32\n  x[1] = x_was + 0f32\n');
  });

  it('keeps a value read before a loop that changes its buffer', () => {
    const k = kernel('shift', { x: tensor('f32', 'N').inout() }, ({ x, N }) => {
      const first = x.at(0).mul(2);
      const ax = axes({ i: N });
      for (const i of ax.i) x.at(i).set(first);
      return ax;
    });
    expect(k.print()).toContain('x_was = x[0]');
    expect(k.print()).toContain('x[i] = x_was * 2f32');
  });

  it('records branches and named values', () => {
    const k = kernel('relu', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) {
        const v = named('v', x.at(i).mul(1));
        when(v.gt(0), () => y.at(i).set(v), () => y.at(i).set(0));
      }
      return ax;
    });
    expect(k.print()).toContain('    v = x[i] * 1f32\n    if v > 0f32:\n      y[i] = v\n    else:\n      y[i] = 0f32\n');
  });

  it('reads bytes of a block format as another dtype', () => {
    const k = kernel('scales', { W: tensor('u8', 'B', 18), d: tensor('f32', 'B').out() }, ({ W, d, B }) => {
      const ax = axes({ b: B });
      for (const b of ax.b) d.at(b).set(W.as('f16', b, 0).to('f32'));
      return ax;
    });
    expect(k.print()).toContain('d[b] = f32(W.f16[b, 0])');
  });
});
