import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printKernel } from '../../src/ir/index.ts';
import { axes, kernel, tensor } from '../../src/lang/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';

const sums = kernel('sums', { x: tensor('f64', 'M', 'K'), y: tensor('f64', 'M').inout() }, ({ x, y, M, K }) => {
  const ax = axes({ i: M, k: K });
  for (const i of ax.i) for (const k of ax.k) y.at(i).addAssign(x.at(i, k));
  return ax;
});

describe('stage with partial sums', () => {
  const plain = schedule(sums, target('x86-64-v3'), (s, { i }) => { s.stage('y', i, 'reg', { partial: true }); });

  it('starts from zero, adds at the end, and says that the order of the sum is another', () => {
    const text = printKernel(plain.ir);
    expect(text).toMatch(/y_reg\[\] = 0/);
    expect(text).toMatch(/y\[i\] \+= y_reg\[\]/);
    expect(text).not.toMatch(/= y\[i\]/);
    expect(plain.reassociates).toBe(true);
    expect(schedule(sums, target('x86-64-v3'), (s, { i }) => { s.stage('y', i, 'reg'); }).reassociates).toBe(false);
  });

  it('computes y plus the sum, the sum first', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 5 }), fc.array(fc.double({ noNaN: true, min: -1e10, max: 1e10 }), { maxLength: 6 }), fc.double({ noNaN: true, min: -1e10, max: 1e10 }), (M, row, y0) => {
      const K = row.length, y = new Float64Array(M).fill(y0);
      interpret(plain.ir, { x: { data: new Float64Array(Array.from({ length: M }, () => row).flat()), shape: [M, K] }, y: { data: y, shape: [M] } });
      for (const v of y) expect(v).toBe(y0 + row.reduce((a, b) => a + b, 0));
    }));
  });
});
