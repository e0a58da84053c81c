/** Functions of floats over special and random arguments. */
import { binary, constant, load, unary } from '../../src/ir/index.ts';
import type { Var } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import type { MathFn } from '../../src/passes/math/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array, kernelOf, loop, param, store } from '../run/helpers.ts';
import { fill } from './harness.ts';
import type { Case } from './harness.ts';

const SPECIAL = [0, -0, 1, -1, 0.5, -2.5, 3, 1e-45, -1e-40, 1e-310, 3.4e38, Infinity, -Infinity, NaN, 88.5, -104, 709.5, -745, 5e4, -1e30, 1e300, 0.75, 1.5, 2 ** 30 + 1];


/** The kernels for a target, with arguments. */
export function cases(fn: MathFn, t: Target): Case[] {
  return (['f32', 'f64'] as const).filter((d) => d === 'f32' || !t.gpu || t.features.includes('f64')).flatMap((d) => (t.fma ? [1, t.vecBytes / (d === 'f32' ? 4 : 8)] : [t.vecBytes / (d === 'f32' ? 4 : 8)]).map((lanes): Case => {
    const rows = lanes === 1 ? 60 : 24, shape = [rows, lanes], [x, y, z] = (['in', 'in', 'out'] as const).map((a, n) => param('xyz'[n]!, d, shape, a));
    const at = (b: ReturnType<typeof param>, row: Var): ReturnType<typeof load> => load(b, [row, constant(0)], { lanes });
    const k = kernelOf([x!, y!, z!], [loop('row', rows, (row) => [store(z!, [row, constant(0)], fn === 'pow' ? binary('pow', at(x!, row), at(y!, row)) : unary(fn, at(x!, row)))])], `${fn}_${d}_${lanes}`);
    const values = (seed: number): number[] => fill(d, rows * lanes, seed, SPECIAL).map((v, i) => (i % 3 === 0 ? v * 9 : v));
    return { k: lower(k, t), runs: [{ x: { shape, data: array(d, values(1)) }, y: { shape, data: array(d, values(2)) }, z: { shape, data: array(d, values(3)) } }] };
  }));
}
