import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assume, axes, kernel, select, tensor, when } from '../../src/lang/index.ts';
import type { Val } from '../../src/lang/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';

type I = Val<'i64'>;
/** A way to make an index from two loop variables and two sizes. */
type Index = (v: { i: I; j: I; N: I; M: I }) => I;

const leaf = fc.constantFrom<Index[]>((v) => v.i, (v) => v.j, (v) => v.N, (v) => v.M, (v) => v.N.sub(v.i), (v) => v.i.mul(4).add(v.j), (v) => v.M.sub(1));
const { index } = fc.letrec<{ index: Index }>((tie) => ({
  index: fc.oneof(
    { maxDepth: 3, depthSize: 'small' }, leaf,
    fc.tuple(tie('index'), tie('index'), fc.constantFrom('add', 'sub', 'min', 'max')).map(([a, b, op]): Index => (v) => a(v)[op as 'add'](b(v))),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 9 }), fc.constantFrom('add', 'sub', 'div', 'mod', 'mul', 'min', 'max')).map(([a, n, op]): Index => (v) => a(v)[op as 'add'](n)),
    fc.tuple(tie('index'), tie('index'), tie('index')).map(([a, b, c]): Index => (v) => select(a(v).lt(b(v)), b(v), c(v))),
  ),
}));
const program = fc.record({
  at: index, to: index, guard: fc.option(fc.tuple(index, index)), i: index, j: fc.constantFrom<Index[]>((v) => v.N, (v) => v.i.add(1), (v) => v.M.min(5)),
  fact: fc.option(fc.tuple(leaf, leaf)), safe: fc.boolean(), factor: fc.integer({ min: 1, max: 6 }), tail: fc.constantFrom('clamp', 'peel', 'mask'),
});

describe('what is proved', () => {
  it('does not happen at any size', { timeout: 120_000 }, () => {
    let proved = 0, refuted = 0;
    fc.assert(fc.property(program, (p) => {
      const k = kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'M').inout() }, ({ x, y, N, M }) => {
        const none = N.sub(N), size = { i: none, j: none, N, M };
        if (p.fact) assume(p.fact[0](size).le(p.fact[1](size)), 'a fact');
        const ax = axes({ i: p.i(size).max(0).min(20) });
        for (const i of ax.i) {
          const inner = axes({ j: p.j({ ...size, i }) });
          for (const j of inner.j) {
            const v = { i, j, N, M }, from = p.at(v), to = p.to(v);
            // Half of the programs are made safe by a clamp, or there would be little to prove.
            const copy = (): void => { y.at(p.safe ? to.max(0).min(M.sub(1)) : to).addAssign(x.at(p.safe ? from.max(0).min(N.sub(1)) : from)); };
            when(N.gt(0).and(M.gt(0)), () => { if (p.guard) when(p.guard[0](v).lt(p.guard[1](v)), copy); else copy(); });
          }
        }
        return ax;
      });
      for (const ir of [k.ir, schedule(k, target('x86-64'), (s, { i }) => { s.split(i, p.factor, { tail: p.tail as 'peel' }); }).ir]) {
        const v = verify(ir), bounds = v.findings.filter((f) => f.id === 'KD-V-BOUNDS' || f.id === 'KD-V-BOUNDS-OPEN');
        if (bounds.length > 0) { refuted++; continue; }
        proved++;
        for (const N of [0, 1, 2, 3, 5, 8, 13]) for (const M of [0, 1, 2, 4, 7, 16]) {
          try {
            interpret(ir, { x: { data: new Float32Array(N), shape: [N] }, y: { data: new Float32Array(M), shape: [M] } });
          } catch (e) {
            expect((e as RunError).id, `N = ${N}, M = ${M}: ${(e as Error).message}`).toBe('KD-RUN-ASSUME');
          }
        }
      }
    }), { numRuns: Number(process.env['RUNS'] ?? 25) });
    expect(proved).toBeGreaterThan(8);
    expect(refuted).toBeGreaterThan(2);
  });
});
