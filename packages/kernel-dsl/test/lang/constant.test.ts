import { describe, expect, it } from 'vitest';
import { emitKernelC, libraryFiles } from '../../src/emit/c/index.ts';
import { axes, constant, kernel, reg, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { target } from '../../src/targets/index.ts';

const sums = kernel('sums', { T: constant(4), twice: constant(false), how: constant<'sum' | 'max'>('sum'), x: tensor('f32', 'N', 'T'), y: tensor('f32', 'N').out() }, ({ T, twice, how, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) {
    const acc = reg('f32', 0);
    // A constant is a number of JavaScript: this loop is gone when the kernel is traced.
    for (let t = 0; t < T; t++) if (how === 'sum') acc.addAssign(x.at(i, t)); else acc.maxAssign(x.at(i, t));
    y.at(i).set(twice ? acc.mul(2) : acc);
  }
  return ax;
});
const run = (k: typeof sums, width: number): number[] => {
  const y = new Float32Array(2);
  interpret(k.ir, { x: { data: Float32Array.from({ length: 2 * width }, (_, i) => i), shape: [2, width] }, y: { data: y, shape: [2] } });
  return [...y];
};

describe('specialisation constants', () => {
  it('are numbers in the body and dimensions of tensors', () => {
    expect(run(sums, 4)).toEqual([6, 22]);
    expect(run(sums.with({ T: 2, twice: true }), 2)).toEqual([2, 10]);
    expect(run(sums.with({ how: 'max' }).with({ T: 3 }), 3)).toEqual([2, 5]);
  });
  it('are part of the name, the program, the metadata, the C text and the hash of a library', () => {
    const t = target('x86-64'), other = sums.with({ T: 8, how: 'max' });
    expect([sums.name, other.name]).toEqual(['sums', 'sums_T8_howmax']);
    expect(other.print().split('\n')[0]).toBe('kernel sums_T8_howmax(x: f32[N, 8], out y: f32[N]) with T = 8, twice = false, how = "max":');
    const e = emitKernelC(lower(other.ir, t), t);
    expect(e.meta.constants).toEqual({ T: 8, twice: false, how: 'max' });
    expect(e.source).toContain('with T = 8, twice = false, how = "max"   constant.test.ts:');
    expect(e.meta.sizes).toEqual(['N']);
    // Two values that give one program still are two entries of a cache.
    const idle = kernel('idle', { spare: constant(1), y: tensor('f32', 'N').out() }, ({ y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(0); return ax; });
    const hash = (k: typeof idle): string => (JSON.parse(libraryFiles([{ name: 'idle', build: (x) => lower(k.ir, x) }], [t], { name: 'demo' }).at(-1)!.text) as { hash: string }).hash;
    expect(hash(idle.with({ spare: 2 }))).not.toBe(hash(idle));
    expect(hash(idle.with({ spare: 1 }))).toBe(hash(idle));
  });
});
