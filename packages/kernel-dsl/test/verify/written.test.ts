import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapStmt, substitute, visitStmt } from '../../src/ir/index.ts';
import type { KernelIR, Let } from '../../src/ir/index.ts';
import { axes, kernel, scratch, tensor, when } from '../../src/lang/index.ts';
import type { Cell, Kernel, Val } from '../../src/lang/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { verify } from '../../src/verify/index.ts';
import { programOf } from '../../src/verify/program.ts';
import { unwritten } from '../../src/verify/written.ts';

/** Reads of working memory that are not proved to come after a write. */
const open = (k: { readonly ir: KernelIR }): number => { const w = unwritten(programOf(k.ir)); return w.reads - w.proved; };
type Cells = { at(i: number | Val<'i64'>): Cell<'f32'> };
/** For each i: `write` writes into t[8], of which `n` are read then. */
const filling = (write: (t: Cells, i: Val<'i64'>, x: Val<'f32'>) => void, from = 0, n = 8): Kernel => kernel('fill', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) {
    const t = scratch('f32', 't', 8) as unknown as Cells;
    write(t, i, x.at(i));
    y.at(i).set(0);
    const inner = axes({ r: n });
    for (const r of inner.r) y.at(i).addAssign(t.at(r.add(from)));
  }
  return ax;
});
/** A loop of `n`. */
const loop = (n: number, f: (a: Val<'i64'>) => void): void => { for (const a of axes({ a: n }).a) f(a); };

describe('memory is written', () => {
  it('by writes at constant places that fill it', () => {
    expect(open(filling((t) => { for (let a = 0; a < 8; a++) t.at(a).set(a); }))).toBe(0);
    expect(open(filling((t) => { for (let a = 0; a < 7; a++) t.at(a).set(a); }))).toBe(1);
    expect(open(filling((t, i) => { for (let a = 0; a < 8; a++) when(i.gt(a), () => t.at(a).set(a)); }))).toBe(1);
  });
  it('in both ways that one `if` may go, in loops of neighbours', () => {
    expect(open(filling((t, _, x) => { loop(8, (a) => when(x.gt(0), () => t.at(a).set(1), () => t.at(a).set(2))); }))).toBe(0);
    expect(open(filling((t, i) => { when(i.gt(3), () => { for (let a = 0; a < 8; a++) t.at(a).set(1); }, () => loop(8, (a) => when(a.gt(i), () => t.at(a).set(2), () => t.at(a).set(3)))); }))).toBe(0);
    expect(open(filling((t, _, x) => { loop(8, (a) => when(x.gt(0), () => t.at(a).set(1), () => t.at(a.mul(0)).set(2))); }))).toBe(1);
    expect(open(filling((t) => { loop(4, (a) => loop(2, (b) => t.at(a.mul(2).add(b)).set(1))); }))).toBe(0);
    expect(open(filling((t) => { loop(2, (a) => loop(2, (b) => t.at(a.mul(4).add(b)).set(1))); }, 2, 2))).toBe(1);
    expect(open(filling((t) => { loop(2, (a) => loop(4, (b) => t.at(a.add(b)).set(1))); }))).toBe(1);
    expect(open(filling((t) => { loop(4, (a) => t.at(a.mul(2)).set(1)); loop(4, (a) => t.at(a).set(1)); }))).toBe(1);
  });
  it('but not by one way of each of two, whose condition changes between them', () => {
    const k = kernel('two', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) {
        const t = scratch('f32', 't', 8);
        y.at(i).set(x.at(i));
        const c = y.at(i).gt(0);
        when(c, () => y.at(i).set(1), () => t.at(3).set(1));
        y.at(i).set(x.at(i).neg());
        when(c, () => t.at(3).set(2));
        y.at(i).set(t.at(3));
      }
      return ax;
    });
    // The language keeps what a condition was; a pass may read it again.
    const was: Let[] = [];
    visitStmt(k.ir.body, (s) => { if (s.kind === 'let') was.push(s); });
    const again = { ...k.ir, body: substitute(mapStmt(k.ir.body, (s) => (s.kind === 'let' ? null : s))!, new Map(was.map((l) => [l.v.id, l.value]))) };
    expect(was).toHaveLength(1);
    expect(open({ ir: again })).toBe(1);
    expect(() => interpret(again, { x: { data: new Float32Array([1]), shape: [1] }, y: { data: new Float32Array(1), shape: [1] } })).toThrow(RunError);
  });
});

type Step = { at: 'one'; a: number } | { at: 'run'; from: number; n: number; by: number } | { at: 'rows'; from: number; n: number; by: number; m: number } | { at: 'if'; on: 'i' | 'x'; over: number; then: Step[]; els: Step[] };
const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    fc.record({ at: fc.constant('one' as const), a: fc.nat(7) }),
    fc.record({ at: fc.constant('run' as const), from: fc.nat(7), n: fc.integer({ min: 1, max: 8 }), by: fc.constantFrom(1, 1, 1, 2) }).filter((s) => s.from + (s.n - 1) * s.by < 8),
    fc.record({ at: fc.constant('rows' as const), from: fc.nat(3), n: fc.integer({ min: 1, max: 3 }), by: fc.integer({ min: 0, max: 4 }), m: fc.integer({ min: 1, max: 3 }) }).filter((s) => s.from + (s.n - 1) * s.by + s.m <= 8),
    fc.record({ at: fc.constant('if' as const), on: fc.constantFrom('i' as const, 'x' as const), over: fc.nat(4), then: fc.array(tie('step'), { minLength: 1, maxLength: 4 }), els: fc.array(tie('step'), { maxLength: 4 }) }),
  ),
}));

describe('what is proved to be written', () => {
  it('is written in every run', () => {
    let proved = 0;
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), fc.nat(7), fc.integer({ min: 1, max: 3 }), (steps, from, n) => {
      const k = filling((t, i, x) => {
        const write = (list: readonly Step[]): void => {
          for (const s of list) {
            if (s.at === 'one') t.at(s.a).set(1);
            else if (s.at === 'run') loop(s.n, (a) => t.at(a.mul(s.by).add(s.from)).set(2));
            else if (s.at === 'rows') loop(s.n, (a) => loop(s.m, (b) => t.at(a.mul(s.by).add(b).add(s.from)).set(4)));
            else when(s.on === 'i' ? i.gt(s.over) : x.gt(s.over - 2), () => write(s.then), s.els.length > 0 ? () => write(s.els) : undefined);
          }
        };
        write(steps);
      }, Math.min(from, 8 - n), n);
      if (open(k) > 0 || verify(k).findings.length > 0) return;
      proved++;
      for (const sign of [1, -1]) {
        try {
          interpret(k.ir, { x: { data: Float32Array.from({ length: 7 }, (_, i) => sign * (i - 3)), shape: [7] }, y: { data: new Float32Array(7), shape: [7] } });
        } catch (e) {
          expect.fail(`${(e as RunError).id}: ${(e as Error).message}`);
        }
      }
    }), { numRuns: Number(process.env['RUNS'] ?? 60) });
    expect(proved).toBeGreaterThan(4);
  });
});
