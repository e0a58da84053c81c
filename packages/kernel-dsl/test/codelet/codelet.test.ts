import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bisect, codelet, count, embed, fromFraction, Graph, multiply, optimize, reachable, toFloat, transpose, unitRoot, writeCodelet } from '../../src/codelet/index.ts';
import type { Codelet, CodeletNode, Complex, Signed } from '../../src/codelet/index.ts';
import { visitStmt } from '../../src/ir/index.ts';
import { kernel, tensor } from '../../src/lang/index.ts';
import { atMost } from '../../../../tools/test/often.ts';

function evaluate(c: Codelet, x: readonly number[]): number[] {
  const v = new Map<CodeletNode, number>(), of = (s: Signed): number => (s.node ? (s.minus ? -1 : 1) * v.get(s.node)! : 0);
  for (const n of reachable(c)) {
    v.set(n, n.kind === 'input' ? x[2 * n.index + (n.part === 're' ? 0 : 1)]! : n.kind === 'times' ? toFloat(n.k, 'f64') * v.get(n.x)! : n.kind === 'add' ? v.get(n.a)! + v.get(n.b)! : v.get(n.a)! - v.get(n.b)!);
  }
  return c.outputs.flatMap((o) => [of(o.re), of(o.im)]);
}

/** The real matrix of a codelet, a column an input part. */
const matrix = (c: Codelet): number[][] => Array.from({ length: 2 * c.inputs }, (_, i) => evaluate(c, Array.from({ length: 2 * c.inputs }, (_, j) => (i === j ? 1 : 0))));
const close = (a: number[][], b: number[][]): void => {
  expect([a.length, a[0]?.length]).toEqual([b.length, b[0]?.length]);
  a.forEach((col, i) => col.forEach((x, j) => atMost(Math.abs(x - b[i]![j]!), 1e-12)));
};

/** Random linear maps: each step combines two earlier values. */
const maps = fc.record({ inputs: fc.integer({ min: 1, max: 4 }), steps: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 15 })), { maxLength: 14 }), outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }) });
type MapSpec = typeof maps extends fc.Arbitrary<infer T> ? T : never;
const build = (m: MapSpec, o: { factor?: boolean; tangent?: boolean } = {}): Codelet => codelet(m.inputs, (g, x) => {
  const all: Complex[] = [...x];
  for (const [i, j, kind, k] of m.steps) {
    const a = all[i % all.length]!, b = all[j % all.length]!;
    all.push(kind === 0 ? g.plus(a, b) : kind === 1 ? g.minus(a, b) : kind === 2 ? g.rotate(unitRoot(k, 16), a) : { re: g.times(fromFraction(k - 8, 5), a.re), im: g.times(fromFraction(k - 8, 5), a.im) });
  }
  return m.outputs.map((i) => all[i % all.length]!);
}, o);

describe('codelets', () => {
  it('fold what folds', () => {
    const g = new Graph(), x = g.input(0), y = g.input(1), k = fromFraction(3, 7);
    expect(g.plus(x, y)).toEqual(g.plus(y, x));
    expect(g.sub(x.re, x.re).node).toBeUndefined();
    expect(g.times(k, g.times(k, x.re)).node).toBe(g.times(multiply(k, k), x.re).node);
    expect(g.sub(x.re, y.re).node).toBe(g.sub(y.re, x.re).node);
    // Equal numbers computed in two ways are one constant.
    expect(g.times(multiply(unitRoot(1, 12).im, fromFraction(2, 1)), x.re)).toEqual(x.re);
    const f = new Graph({ factor: true }), [a, b] = [f.input(0), f.input(1)];
    expect(f.add(f.times(k, a.re), f.times(k, b.re)).node).toMatchObject({ kind: 'times', k: expect.anything() });
  });

  it('stand where they are written, but for what the author does at their inputs and outputs', () => {
    const line = (e: Error): number => Number(/codelet\.test\.ts:(\d+)/.exec(e.stack!)![1]), c = codelet(2, (g, [a, b]) => [g.plus(a!, b!), g.minus(a!, b!)]);
    let call = 0, output = 0;
    const k = kernel('butterfly', { x: tensor('f32', 4), y: tensor('f32', 4).out() }, ({ x, y }) => {
      call = line(new Error()) + 1;
      writeCodelet(c, 'f32', (n) => ({ re: x.at(2 * n), im: x.at(2 * n + 1) }), (n, { re, im }) => {
        output = line(new Error()) + 1;
        y.at(2 * n).set(re); y.at(2 * n + 1).set(im);
      });
      return {};
    });
    const at: Record<string, Set<number | undefined>> = { let: new Set(), store: new Set() };
    visitStmt(k.ir.body, (s) => { at[s.kind]?.add(s.loc?.line); });
    expect(at).toEqual({ let: new Set([call]), store: new Set([output]) });
  });
  it('keep their meaning in every form', () => {
    fc.assert(fc.property(maps, (m) => {
      const plain = matrix(build(m));
      for (const o of [{ factor: true }, { tangent: true }, { factor: true, tangent: true }]) close(matrix(build(m, o)), plain);
    }));
  });

  it('transposed have the transposed matrix, as many products, and sums for forks; twice is the same map', () => {
    fc.assert(fc.property(maps, (m) => {
      const c = build(m), t = transpose(c), A = matrix(c), B = matrix(t);
      for (const [i, col] of A.entries()) for (const [j, x] of col.entries()) expect(Math.abs(x - B[j]![i]!)).toBeLessThan(1e-12);
      close(matrix(transpose(t)), A);
      expect(count(t).muls).toBeLessThanOrEqual(count(c).muls);
    }));
  });

  it('optimized cost no more and mean the same', () => {
    fc.assert(fc.property(maps, (m) => {
      const c = build(m), o = optimize(c), cost = (x: Codelet): number => count(x).adds + count(x).muls;
      expect(cost(o)).toBeLessThanOrEqual(cost(c));
      close(matrix(o), matrix(c));
    }));
    // a k + b k, written as two products, is found by way of the transpose.
    const twice = codelet(2, (g, [x, y]) => [{ re: g.add(g.times(fromFraction(1, 3), x!.re), g.times(fromFraction(1, 3), y!.re)), im: x!.im }]);
    expect([count(twice).muls, count(optimize(twice)).muls]).toEqual([2, 1]);
  });

  it('are parts of other codelets', () => {
    fc.assert(fc.property(maps, (m) => {
      const c = build(m);
      close(matrix(codelet(m.inputs, (g, x) => embed(g, c, x))), matrix(c));
    }));
  });

  it('count what a fused multiply-add takes over', () => {
    const k = fromFraction(1, 3), real = (f: (g: Graph, x: Signed, y: Signed) => Signed): Codelet => codelet(2, (g, [x, y]) => [{ re: f(g, x!.re, y!.re), im: { minus: false, node: undefined } }]);
    expect(count(real((g, x, y) => g.add(x, g.times(k, y))))).toEqual({ adds: 1, muls: 1, fused: 1 });
    expect(count(real((g, x, y) => g.add(g.times(k, x), g.times(fromFraction(1, 7), y))))).toEqual({ adds: 1, muls: 2, fused: 2 });
    expect(count(real((g, x) => g.times(k, x)))).toEqual({ adds: 0, muls: 1, fused: 1 });
  });

  it('come in the order of bisection: the same sums, operands first, with fewer values alive in a large one', () => {
    const check = (c: Codelet): { made: number; cut: number } => {
      const nodes = reachable(c), cut = bisect(nodes);
      expect(new Set(cut)).toEqual(new Set(nodes));
      expect(cut).toHaveLength(nodes.length);
      const seen = new Set<CodeletNode>();
      for (const n of cut) { for (const x of n.kind === 'input' ? [] : n.kind === 'times' ? [n.x] : [n.a, n.b]) expect(seen.has(x)).toBe(true); seen.add(n); }
      return { made: alive(c, nodes), cut: alive(c, cut) };
    };
    fc.assert(fc.property(maps, (m) => { check(build(m)); }));
    // Breadth first: every stage of a long transform in full before the next.
    const stages = codelet(64, (g, x) => { let y = [...x]; for (let s = 1; s < 64; s *= 2) y = y.map((_, i) => ((i & s) === 0 ? g.plus(y[i]!, y[i ^ s]!) : g.minus(y[i ^ s]!, y[i]!))); return y; });
    const { made, cut } = check(stages);
    expect(made).toBeGreaterThanOrEqual(128);
    expect(cut).toBeLessThan(100);
  });
});

/** The most inner values (no inputs, no outputs) that are needed later at any one time. */
function alive(c: Codelet, order: readonly CodeletNode[]): number {
  const out = new Set(c.outputs.flatMap((o) => [o.re.node, o.im.node])), last = new Map<CodeletNode, number>();
  order.forEach((n, i) => { for (const x of n.kind === 'input' ? [] : n.kind === 'times' ? [n.x] : [n.a, n.b]) last.set(x, i); });
  let now = 0, most = 0;
  const ends = new Map<number, number>();
  order.forEach((n, i) => {
    if (n.kind !== 'input' && !out.has(n)) { now++; ends.set(last.get(n)!, (ends.get(last.get(n)!) ?? 0) + 1); }
    most = Math.max(most, now);
    now -= ends.get(i) ?? 0;
  });
  return most;
}
