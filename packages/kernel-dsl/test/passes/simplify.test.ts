import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, and, binary, block, cast, compare, constant, load, min, mul, newVar, printExpr, printStmt, size, specViolation, sub } from '../../src/ir/index.ts';
import type { Expr, KernelIR, Stmt } from '../../src/ir/index.ts';
import { simplify, simplifyExpr } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { alloc, buffer, kernel, letStmt, loop, N, store, v } from './helpers.ts';

const c = constant, i = v('i'), j = v('j');
const div = (a: Expr, n: number): Expr => binary('div', a, c(n)), mod = (a: Expr, n: number): Expr => binary('mod', a, c(n));
const x = buffer('x', [N]), y = buffer('y', [N]);
const body = (s: Stmt): string => printStmt(simplify(kernel([x, y], [s])).body);

describe('index arithmetic', () => {
  const show = (e: Expr): string => printExpr(simplifyExpr(e));
  it('collects terms and prints them well', () => {
    expect(show(add(add(mul(i, c(6)), c(2)), sub(i, c(2))))).toBe('i * 7');
    expect(show(sub(add(i, j), i))).toBe('j');
    expect(show(sub(c(3), mul(i, c(2))))).toBe('3 - (i * 2)');
    expect(show(mul(add(i, c(1)), c(4)))).toBe('(i * 4) + 4');
  });
  it('divides what is divisible', () => {
    expect(show(div(add(mul(i, c(64)), c(70)), 64))).toBe('i + 1');
    expect(show(mod(add(mul(i, c(64)), c(70)), 64))).toBe('6');
    expect(show(div(add(mul(i, c(4)), add(mul(j, c(2)), c(1))), 4))).toBe('i + (j / 2)');
    expect(show(div(div(i, 3), 4))).toBe('i / 12');
  });
  it('knows the range of loop variables', () => {
    const panel = (e: Expr): Stmt => loop(i, N, 'seq', [loop(j, c(64), 'seq', [store(x, [e], c(0, 'f32'))])]);
    expect(body(panel(div(add(mul(i, c(64)), j), 64)))).toContain('x[i] =');
    expect(body(panel(mod(add(mul(i, c(64)), j), 64)))).toContain('x[j] =');
    expect(body(panel(min(add(j, c(1)), c(64))))).toContain('x[j + 1] =');
    expect(body(panel(min(add(j, c(2)), c(64))))).toContain('x[min(j + 2, 64)] =');
  });
});

describe('guards and loops', () => {
  const put = store(x, [i], c(0, 'f32'));
  it('drops guards that the extent of the loop implies, and keeps others', () => {
    const guarded = (limit: Expr): string => body(loop(i, min(c(8), sub(N, mul(j, c(8)))), 'seq', [{ kind: 'if', cond: compare('lt', add(mul(j, c(8)), i), limit), then: put }]));
    expect(guarded(N)).not.toContain('if');
    expect(guarded(sub(N, c(1)))).toContain('if');
    expect(body(loop(i, N, 'seq', [{ kind: 'if', cond: compare('ge', i, N), then: put, else: store(y, [i], c(0, 'f32')) }]))).toBe('for i in 0..N:\n  y[i] = 0f32\n');
  });
  it('drops a guard inside of the same guard, unless it reads memory', () => {
    const onIndex = and(compare('lt', add(i, c(3)), N), compare('lt', c(2), i));
    const twice = (cond: Expr, inner: Expr): Stmt => loop(i, N, 'seq', [{ kind: 'if', cond, then: block([store(y, [i], c(1, 'f32')), { kind: 'if', cond: inner, then: put }]) }]);
    expect(body(twice(onIndex, compare('lt', c(2), i))).match(/if/g)).toHaveLength(1);
    const onData = compare('lt', cast(load(y, [i]), 'i64'), c(2));
    expect(body(twice(onData, onData)).match(/if/g)).toHaveLength(2);
  });
  it('replaces loops of one iteration and removes loops of none, empty blocks and unused names', () => {
    const t = newVar('t', 'f32'), u = newVar('u', 'f32'), r = buffer('r', [], { space: 'reg' });
    expect(body(loop(i, c(1), 'seq', [put]))).toBe('x[0] = 0f32\n');
    expect(body(block([loop(i, c(0), 'seq', [put]), loop(j, N, 'seq', [{ kind: 'region', name: 'nothing', body: block([]) }]), store(x, [c(0)], c(1, 'f32'))]))).toBe('x[0] = 1f32\n');
    expect(body(block([alloc(r), letStmt(t, load(x, [c(0)])), letStmt(u, mul(t, t)), store(x, [c(0)], c(1, 'f32'))]))).toBe('x[0] = 1f32\n');
  });
  it('keeps a GPU loop of one iteration: it says where the body runs', () => {
    expect(body(loop(i, c(1), 'lane.x', [put]))).toContain('lane.x i in 0..1');
  });
  it('keeps assumptions: they are numbered', () => {
    expect(body({ kind: 'assume', cond: compare('lt', c(1), c(2)), text: '' })).toBe('assume true\n');
  });
});

describe('random index arithmetic', () => {
  const vars = [i, j], K = size('K');
  const { expr, cond } = fc.letrec<{ expr: Expr; cond: Expr; leaf: Expr }>((tie) => ({
    leaf: fc.oneof(fc.constantFrom<Expr>(...vars, N, K), fc.integer({ min: -9, max: 9 }).map((n) => c(n))),
    expr: fc.oneof({ maxDepth: 4 },
      tie('leaf'),
      fc.tuple(fc.constantFrom('add' as const, 'sub' as const, 'mul' as const, 'min' as const, 'max' as const), tie('expr'), tie('expr')).map(([f, a, b]) => binary(f, a, b)),
      fc.tuple(fc.constantFrom('div' as const, 'mod' as const), tie('expr'), fc.integer({ min: 1, max: 9 })).map(([f, a, n]) => binary(f, a, c(n))),
    ),
    cond: fc.tuple(fc.constantFrom('lt' as const, 'le' as const, 'gt' as const, 'ge' as const, 'eq' as const, 'ne' as const), tie('expr'), tie('expr')).map(([f, a, b]) => compare(f, a, b)),
  }));
  const run = (k: KernelIR, n: number, kk: number): number[] => {
    const data = new Float64Array(n * 6);
    interpret(k, { out: { data, shape: [n, 6] }, N: n, K: kk });
    return [...data];
  };
  it('keeps its value', () => {
    fc.assert(fc.property(expr, cond, fc.integer({ min: 1, max: 7 }), fc.nat(9), (e, guard, n, kk) => {
      const out = buffer('out', [N, c(6)], { dtype: 'f64' });
      const k = kernel([out], [loop(i, N, 'seq', [loop(j, c(6), 'seq', [{ kind: 'if', cond: guard, then: store(out, [i, j], cast(e, 'f64')), else: store(out, [i, j], c(0.5, 'f64')) }])])], ['N', 'K']);
      const s = simplify(k);
      expect(specViolation(s, 'scheduled')).toBeUndefined();
      expect(run(s, n, kk), `${printStmt(k.body)}${printStmt(s.body)}`).toEqual(run(k, n, kk));
    }), { numRuns: 500 });
  });
});
