/** Random programs around a vector loop, for every test that compares two ways to run one. */
import fc from 'fast-check';
import { add, binary, cast, compare, constant, load, mul, newVar, select, sub, unary } from '../../src/ir/index.ts';
import type { Buffer, Expr, KernelIR, LoopKind, Stmt, Var } from '../../src/ir/index.ts';
import { accum, alloc, buffer, kernel, letStmt, loop, store, v } from './helpers.ts';

/** Numbers that tell apart roundings and orders, the same for a seed. */
export function numbers(n: number, seed: number): Float32Array {
  let x = (seed | 0) ^ 0x9e3779b9;
  return Float32Array.from({ length: n }, () => ((x = (Math.imul(x, 1664525) + 1013904223) | 0) / 2 ** 29));
}

/** What is drawn: the extent of the vector loop, the loops around and inside of it, and what happens in it. */
export interface Program { readonly extent: number; readonly vecBytes: number; readonly outer: LoopKind; readonly inner: LoopKind; readonly ops: readonly number[]; readonly seed: number }

/**
 * Random bodies inside of a vector loop i of extent E: rows, strides, gathers, scatters, registers. No lane reads what another one writes,
 * and each buffer is written in one pattern only: what a schedule checks before it vectorises.
 */
export const program: fc.Arbitrary<Program> = fc.record({
  extent: fc.constantFrom(1, 2, 3, 4, 6, 8, 12, 16),
  vecBytes: fc.constantFrom(8, 16, 32),
  outer: fc.constantFrom<LoopKind>('seq', 'unroll', 'parallel'),
  inner: fc.constantFrom<LoopKind>('seq', 'unroll'),
  ops: fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 6 }),
  seed: fc.nat(1000),
});

/** The program itself. */
export function build(p: Omit<Program, 'vecBytes'>): KernelIR {
  const E = constant(p.extent), eight = constant(8);
  const x = buffer('x', [eight]), y = buffer('y', [eight, E]), z = buffer('z', [eight, constant(2 * p.extent + 1)]);
  const w = buffer('w', [eight, constant(p.extent + 1)]), u = buffer('u', [eight, constant(2 * p.extent)]);
  const ids = buffer('ids', [eight, E], { dtype: 'i32', access: 'in' });
  const acc = buffer('acc_reg', [E], { space: 'reg' });
  const o = v('o'), i = v('i');
  let pick = p.seed;
  const choose = <T>(xs: readonly T[]): T => { pick = (pick * 31 + 17) % 10007; return xs[pick % xs.length]!; };
  const temps: Var[] = [];
  const own: Buffer[] = [];
  const value = (depth: number): Expr => {
    const leaf = (): Expr => choose<() => Expr>([
      () => load(x, [o]), () => load(y, [o, i]), () => load(z, [o, add(i, constant(p.extent))]), () => load(z, [o, add(mul(i, constant(2)), constant(1))]),
      () => load(z, [o, sub(constant(p.extent), i)]), () => constant(choose([0.5, -3, 7]), 'f32'), () => cast(i, 'f32'), () => load(acc, [i]),
      () => load(y, [cast(load(ids, [o, i]), 'i64'), i]),
      () => (temps.length > 0 ? choose(temps) : load(y, [o, i])), () => (own.length > 0 ? load(choose(own), []) : load(acc, [i])),
    ])();
    if (depth === 0) return leaf();
    return choose<() => Expr>([
      leaf, () => add(value(depth - 1), value(depth - 1)), () => mul(value(depth - 1), value(depth - 1)), () => sub(value(depth - 1), value(depth - 1)),
      () => binary('max', value(depth - 1), value(depth - 1)), () => unary('neg', value(depth - 1)),
      () => select(compare('lt', value(depth - 1), value(depth - 1)), value(depth - 1), value(depth - 1)),
      () => { const twice = value(depth - 1); return add(twice, mul(twice, twice)); },
    ])();
  };
  const statement = (op: number): readonly Stmt[] => {
    switch (op) {
      case 0: case 1: { const t = newVar('t', 'f32'), s = letStmt(t, value(2)); temps.push(t); return [s]; }
      case 2: { const b = buffer('mine_reg', [], { space: 'reg' }), s = store(b, [], value(1)); own.push(b); return [alloc(b), s]; }
      case 3: return [store(w, [o, add(i, constant(1))], value(2))];
      case 4: return [store(u, [o, mul(i, constant(2))], value(1))];
      case 5: return own.length > 0 ? [accum(choose(own), [], value(1))] : [accum(acc, [i], value(1))];
      case 6: { const kk = newVar('k'); return [loop(kk, eight, p.inner, [accum(acc, [i], mul(load(y, [kk, i]), load(x, [kk])))])]; }
      case 7: { const b = choose([add(o, constant(1)), constant(3)]); return [{ kind: 'if', cond: compare('lt', b, constant(5)), then: store(y, [o, i], value(2)), else: accum(y, [o, i], value(1)) }]; }
      case 8: return [accum(y, [o, i], mul(value(1), value(1)))];
      default: return [store(y, [o, i], value(2))];
    }
  };
  const body = p.ops.flatMap(statement), i0 = v('i');
  return kernel([x, y, z, w, u, ids], [loop(o, p.outer === 'parallel' ? constant(1) : eight, p.outer, [
    alloc(acc),
    loop(i0, E, 'vector', [store(acc, [i0], load(y, [o, i0]))]),
    loop(i, E, 'vector', body),
  ])], []);
}
