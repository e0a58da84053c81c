import { readFileSync } from 'node:fs';
import { TARGETS, assume, axes, ir, kernel, lower, reg, schedule, target, tensor } from '@quern/kernel-dsl';
import { emitFileC } from '@quern/kernel-dsl/c';
import type { Axes, Kernel, KernelIR, Schedule, Target } from '@quern/kernel-dsl';
import { cpuInfo } from '@quern/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConformanceError, conform } from '../src/index.ts';
import type { ConformOptions, Subject } from '../src/index.ts';
import * as oracles from '../src/oracles/index.ts';
import { addRow, dot, hash, lanes, peeled, relu6 } from './kernels.ts';

const TARGET = target('x86-64'), ONE = { targets: [TARGET] } as const;

/** What conform says of something broken. */
function broken<A extends Axes>(k: Kernel<A> | Subject, o: ConformOptions<A>): ConformanceError {
  try {
    conform(k, o);
  } catch (e) {
    if (e instanceof ConformanceError) return e;
    throw e;
  }
  throw new Error(`nothing found wrong with ${k.name}`);
}

/** A kernel whose scheduled program is changed by hand. */
const rescheduled = <A extends Axes>(k: Kernel<A>, cpu: (s: Schedule, ax: A) => void, change: (k: KernelIR) => KernelIR): Subject =>
  ({ name: k.name, ir: k.ir, schedule: (t) => { const s = schedule(k, t, cpu); return { ir: change(s.ir), steps: s.steps, reassociates: s.reassociates }; } });
/** Lowers, then changes statements. */
const withStmt = (f: (s: ir.Stmt) => ir.Stmt | null) => (k: KernelIR, t: Target): KernelIR => { const l = lower(k, t); return { ...l, body: ir.mapStmt(l.body, f)! }; };
const withExpr = (f: (e: ir.Expr) => ir.Expr) => (k: KernelIR, t: Target): KernelIR => { const l = lower(k, t); return { ...l, body: ir.mapExprs(l.body, f) }; };
/** Emits, then changes the text; a change that changes nothing is a mistake of the test. */
const withText = (from: string | RegExp, to: string) => (k: KernelIR, t: Target): string => {
  const text = emitFileC([k], t), changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  return changed;
};

describe('conform finds', () => {
  it('a schedule without its tail, at the smallest size that has one', () => {
    const e = broken(rescheduled(relu6, peeled as never, (k) => ({ ...k, body: ir.mapStmt(k.body, (s) => (s.kind === 'for' && s.v.name === 'i_rest' ? null : s))! })), ONE);
    expect(e.mismatch).toMatchObject({ backend: 'scheduled', isa: 'x86-64', param: 'y', index: [0] });
    expect(e.mismatch.what).toContain('never written');
    expect(e.case?.sizes).toEqual({ N: 1 });
    expect(e.case?.layouts['y']).toMatchObject({ pad: 0, offset: 0, reversed: false });
  });

  it('an index that is off by one, as a read outside or as a wrong value', () => {
    const off = withExpr((e) => (e.kind === 'load' && e.buf.name === 'x' ? { ...e, index: [ir.add(e.index[0]!, ir.constant(1))] } : e));
    expect(broken(relu6, { ...ONE, lower: off }).mismatch).toMatchObject({ backend: 'lowered', param: 'x' });
    const back = withExpr((e) => (e.kind === 'load' && e.buf.name === 'x' ? { ...e, index: [ir.binary('max', ir.sub(e.index[0]!, ir.constant(1)), ir.constant(0))] } : e));
    const e = broken(relu6, { ...ONE, lower: back });
    expect(e.mismatch).toMatchObject({ backend: 'lowered', param: 'y' });
    expect(e.case?.sizes['N']).toBeLessThanOrEqual(4);
  });

  it('a guard that is missing', () => {
    const e = broken(rescheduled(relu6, (s, { i }) => { s.split(i, 8, { tail: 'mask' }); }, (k) => ({ ...k, body: ir.mapStmt(k.body, (s) => (s.kind === 'if' ? s.then : s))! })), ONE);
    expect(e.mismatch.backend).toBe('scheduled');
    expect(e.message).toContain('KD-RUN-OOB');
    expect(e.case?.sizes).toEqual({ N: 1 });
  });

  it('a constant that is wrong, also where only a bound holds', () => {
    expect(broken(relu6, { ...ONE, lower: withExpr((e) => (ir.isConst(e, 6) && e.dtype === 'f32' ? ir.constant(6.5, 'f32') : e)) }).mismatch).toMatchObject({ backend: 'lowered' });
    // With ordinary numbers alone: values lie on both sides of what a kernel compares with.
    const high = broken(relu6, { ...ONE, oracle: ({ x }) => ({ y: oracles.vector(x).map((v) => Math.min(Math.max(v, 0), 5.5)) }) });
    expect(high.mismatch).toMatchObject({ backend: 'algorithm', param: 'y' });
    const v3 = target('x86-64-v3');
    // One part in a million on a sum that is held to a bound.
    const scaled = withStmt((s) => (s.kind === 'store' && s.buf.name === 's' ? { ...s, value: ir.binary('mul', s.value, ir.constant(1 + 2 ** -18, 'f32')) } : s));
    expect(broken(dot, { cpu: lanes, targets: [v3], lower: scaled }).mismatch).toMatchObject({ backend: 'lowered', param: 's' });
  });

  it('an element that is not written', () => {
    const skip = withStmt((s) => (s.kind === 'store' && s.buf.name === 'y' ? { kind: 'if', cond: ir.lt(s.index[0]!, ir.constant(9)), then: s } : s));
    const e = broken(relu6, { ...ONE, lower: skip });
    expect(e.mismatch).toMatchObject({ backend: 'lowered', param: 'y', index: [9] });
    expect(e.mismatch.what).toContain('never written');
    expect(e.case?.sizes).toEqual({ N: 10 });
  });

  it('C that writes beside a tensor, before, after, and far away', () => {
    for (const [at, where] of [['-1', 'before'], ['N', 'after'], ['N + 900', 'after'], ['-3000', 'before']] as const) {
      const e = broken(relu6, { ...ONE, emit: withText(/\n {2}return 0;/, `\n  ((float *)y)[${at}] = 7.0f;\n  return 0;`) });
      expect(e.mismatch).toMatchObject({ backend: 'c', isa: 'x86-64', param: 'y' });
      expect(e.mismatch.what).toContain(`outside of y, ${where} it`);
      expect(e.case?.sizes).toEqual({ N: 0 });
    }
  });

  it('C that reads past a tensor, though the value is not used', () => {
    const e = broken(relu6, { ...ONE, emit: withText(/\n {2}return 0;/, '\n  (void)((const volatile float *)x)[N];\n  return 0;') });
    expect(e.mismatch).toMatchObject({ backend: 'c', param: 'x' });
    expect(e.mismatch.what).toBe('touched memory outside of x, after it');
    const before = broken(relu6, { ...ONE, emit: withText(/\n {2}return 0;/, '\n  (void)((const volatile float *)x)[-1];\n  return 0;') });
    expect(before.mismatch.what).toBe('touched memory outside of x, before it');
  });

  it('C that writes between the rows, or to what it should only read', () => {
    const gap = broken(addRow, { ...ONE, emit: withText(/\n {2}return 0;/, '\n  if (M > 1 && N > 0) { const int64_t *z = size + 5; if (z[0] > N * z[1]) ((float *)buf[2])[(N - 1) * z[1] + 1] = 1.0f; }\n  return 0;') });
    expect(gap.mismatch).toMatchObject({ backend: 'c', param: 'y', what: 'wrote outside of y, between its rows' });
    const input = broken(relu6, { ...ONE, emit: withText(/\n {2}return 0;/, '\n  if (N > 4) ((float *)x)[4] = 1.0f;\n  return 0;') });
    expect(input.mismatch).toMatchObject({ param: 'x', index: [4], what: 'wrote to x, which is only read' });
  });

  it('an emitter that confuses an operator, a sign of zero, a stride, or an operand', () => {
    expect(broken(hash, { ...ONE, emit: withText('>> 13', '>> 12') }).mismatch).toMatchObject({ backend: 'c', param: 'y' });
    const copy = kernel('copy', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M', 'N').out() }, ({ x, y, M, N }) => {
      const ax = axes({ i: M, j: N });
      for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(i, j));
      return ax;
    });
    const e = broken(copy, { ...ONE, emit: withText(/= x\[(.*)\];/, '= x[$1] + 0.0f;') });
    expect(e.mismatch).toMatchObject({ backend: 'c', expected: -0, got: 0 });
    expect(e.message).toContain('expected: -0');
    const stride = broken(copy, { ...ONE, emit: withText('size[2]', 'size[1]') });
    expect(stride.mismatch.backend).toBe('c');
    expect(Object.values(stride.case!.layouts).some((l) => l.pad > 0 || l.reversed)).toBe(true);
    const largest = kernel('largest', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(y.at(i).max(x.at(i)));
      return ax;
    });
    // NaN decides which operand comes out.
    const swap = withExpr((x) => (x.kind === 'binary' && x.fn === 'max' ? { ...x, a: x.b, b: x.a } : x));
    expect(broken(largest, { ...ONE, lower: swap }).case?.values).toBe(2);
  });

  it('C that does not compile', () => {
    const e = broken(relu6, { ...ONE, emit: withText(/\n {2}return 0;/, '\n  retrun 0;') });
    expect(e.mismatch.what).toContain('it does not compile');
    expect(e.message).toContain('retrun');
  });

  it('a race between parallel iterations', () => {
    const racy = rescheduled(addRow, () => {}, (k) => ({ ...k, body: ir.mapStmt(k.body, (s) => (s.kind === 'for' && s.v.name === 'i' ? { ...s, loop: 'parallel' } : s.kind === 'store' ? { ...s, index: [ir.constant(0), s.index[1]!] } : s))! }));
    expect(broken(racy, ONE).message).toContain('KD-RUN-RACE');
  });

  it('an algorithm that reads outside, with advice when an argument is the index', () => {
    const k = kernel('pick', { at: tensor('i32', 'N'), x: tensor('f32', 'R'), y: tensor('f32', 'N').out() }, ({ at, x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(x.at(at.at(i)));
      return ax;
    });
    const e = broken(k, ONE);
    expect(e.mismatch.backend).toBe('algorithm');
    expect(e.message).toContain('say with `args`');
  });

  it('a bound that is too tight, or says nothing, and an oracle that disagrees', () => {
    const tight = broken(dot, { cpu: lanes, targets: [target('x86-64-v3')], bound: () => 0 });
    expect(tight.mismatch).toMatchObject({ param: 's', bound: 0, what: 'is too far from what the algorithm computes' });
    expect(broken(dot, { cpu: lanes, ...ONE, bound: () => Infinity }).message).toContain('the bound says something of 0 elements');
    const wrong = broken(dot, { cpu: lanes, ...ONE, oracle: ({ x }) => ({ s: oracles.vector(x).reduce((a, b) => a + b, 1) }) });
    expect(wrong.mismatch).toMatchObject({ backend: 'algorithm', what: 'is too far from the oracle' });
    expect(broken(dot, { ...ONE, oracle: () => ({ s: [1, 2] }) }).message).toContain('the oracle gives 2 elements, the kernel 1');
    expect(broken(dot, { ...ONE, oracle: () => ({ x: 1 }) }).message).toContain('tells of what the kernel does not write');
  });

  it('a sum that leaves out a term, within a bound that its size sets', () => {
    const terms = fc.integer({ min: 1, max: 9 }); // no term is so small that the bound lets it go
    const short = (k: KernelIR, t: Target): KernelIR => { const l = lower(k, t); return { ...l, body: ir.mapStmt(l.body, (s) => (s.kind === 'for' && s.v.name === 'i_rest' ? { ...s, extent: ir.binary('max', ir.constant(0), ir.sub(s.extent, ir.constant(1))) } : s))! }; };
    expect(broken(dot, { cpu: lanes, targets: [target('x86-64-v3')], lower: short, args: { x: terms, y: terms } }).case?.sizes).toEqual({ N: 1 });
  });

  it('an accumulator that is not cleared between rows', () => {
    const k = kernel('row_sums', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M').out() }, ({ x, y, M, N }) => {
      const ax = axes({ i: M, j: N });
      for (const i of ax.i) {
        const acc = reg('f32', 0);
        for (const j of ax.j) acc.addAssign(x.at(i, j));
        y.at(i).set(acc);
      }
      return ax;
    });
    const e = broken(k, { ...ONE, emit: (l, t) => emitFileC([l], t).replace(/(\n *)float acc = 0\.0f;/, '$1static float acc = 0.0f;') });
    expect(e.mismatch).toMatchObject({ backend: 'c', param: 'y' });
  });
});

describe('a failure', () => {
  const o = { ...ONE, lower: withStmt((s) => (s.kind === 'store' && s.buf.name === 'y' ? { kind: 'if', cond: ir.lt(s.index[0]!, ir.constant(20)), then: s } : s)) };

  it('says sizes, element, values, instruction set and how to repeat it, and repeats', () => {
    const e = broken(relu6, o);
    for (const part of ['relu6: the lowered program for x86-64: differs from the scheduled program', 'argument: y[20]', 'sizes: N = 21', 'expected: ', 'got: ', 'layout: dense', `seed: ${e.seed}, path: '${e.path}'`, `FC_SEED=${e.seed}`]) expect(e.message).toContain(part);
    // The README shows this very message; its numbers depend on the seed.
    const [, shown = ''] = /```text\n([^]*?)```/.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8')) ?? [];
    const shape = (x: string): string => x.replace(/-?[\d.]+(e[+-]?\d+)?(:\d+)*/g, '#').replace(/values: .*/, 'values: #');
    expect(shape(e.message)).toBe(shape(shown));
    const again = broken(relu6, { ...o, seed: e.seed, path: e.path! });
    expect(again.case).toEqual(e.case);
    expect(again.mismatch).toEqual(e.mismatch);
  });

  it('of an instruction set that this CPU lacks is an error, not a skip', () => {
    const alien: Target = { ...TARGET, isa: 'x86-64-v9' };
    expect(broken(relu6, { targets: [alien] }).message).toContain('this CPU cannot run it');
    expect(TARGETS.some((t) => t.isa === cpuInfo().isas[0])).toBe(true);
  });

  it('of assumptions that no case meets is told', () => {
    const k = kernel('even', { x: tensor('f32', 'N').inout() }, ({ x, N }) => {
      const ax = axes({ i: N });
      assume(N.eq(-1), 'N is negative');
      for (const i of ax.i) x.at(i).set(1);
      return ax;
    });
    expect(broken(k, ONE).message).toContain('its assumptions exclude almost every case');
  });
});
