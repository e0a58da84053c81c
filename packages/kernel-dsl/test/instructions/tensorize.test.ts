import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import { instr, masked_store_f32x16, vdpbf16ps_f32x16, vfmadd_f32x8, vpdpbusd_i32x16 } from '../../src/instructions/index.ts';
import { printKernel, specViolation } from '../../src/ir/index.ts';
import type { Instruction, KernelIR } from '../../src/ir/index.ts';
import { axes, fma, kernel, scalar, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { gotoGroups } from '../../src/library/index.ts';
import { lower } from '../../src/passes/index.ts';
import { f32ToBf16, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { cpuHas, sameAsInterpreter } from '../emit/harness.ts';
import { array } from '../run/helpers.ts';

type Ax = { readonly i: Axis; readonly j: Axis; readonly k: Axis };
const gemm = <T extends 'u8' | 'bf16'>(T: T): Kernel<Ax> => kernel(`gemm_${T}`, { A: tensor(T, 'M', 'K'), B: tensor(T === 'u8' ? 'i8' : 'bf16', 'K', 'N'), C: tensor(T === 'u8' ? 'i32' : 'f32', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K }), wide = T === 'u8' ? 'i32' as const : 'f32' as const;
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).to(wide).mul(B.at(k, j).to(wide)));
  return ax;
});
const bytes = gemm('u8'), halves = gemm('bf16');
const names = { A: 'A', B: 'B', C: 'C' }, small = { mr: 2, nr: 32, mc: 4, kc: 8, nc: 64 };
const bytesScheduled = schedule(bytes, target('x86-64-v4-vnni'), (s, ax) => gotoGroups(s, ax, names, small, { instruction: vpdpbusd_i32x16, lanes: 16, group: 4 }));
const halvesScheduled = schedule(halves, target('x86-64-v4-bf16'), (s, ax) => gotoGroups(s, ax, names, small, { instruction: vdpbf16ps_f32x16, lanes: 16, group: 2 }));

/** A matrix product on sizes and data from a seed; what it leaves in C. */
function product(k: KernelIR, [M, N, K]: readonly [number, number, number], seed: number): readonly number[] {
  let x = seed | 0;
  const half = k.name.includes('bf16'), next = (): number => (x = Math.imul(x, 1664525) + 1013904223 | 0) >>> 8;
  const A = Array.from({ length: M * K }, () => (half ? f32ToBf16((next() % 64) - 32) : next() % 256)), B = Array.from({ length: K * N }, () => (half ? f32ToBf16((next() % 64) - 32) : next() % 256 - 128));
  const C = array(half ? 'f32' : 'i32', Array.from({ length: M * N }, () => next() % 1000));
  interpret(k, { A: { data: array(half ? 'bf16' : 'u8', A), shape: [M, K] }, B: { data: array(half ? 'bf16' : 'i8', B), shape: [K, N] }, C: { data: C, shape: [M, N] } });
  return [...C as Int32Array];
}

describe('tensorize', () => {
  it('shows the loops that the instruction stands for, and leaves its call after lowering', () => {
    expect(printKernel(bytesScheduled.ir)).toContain(['', 'instruction vpdpbusd_i32x16:', '  for l in 0..16:    # split(j2, 16)', '    for q in 0..4:    # split(p1, 4, pad)', '      C_reg[i, j, l] += i32(A_pack[ir, p, i, q]) * i32(B_pack[jr, p, j, l, q])'].join('\n                  '));
    const low = lower(bytesScheduled.ir, bytesScheduled.target);
    expect(specViolation(low, 'lowered')).toBeUndefined();
    expect(printKernel(low)).toContain('vpdpbusd_i32x16(t0, b1, C_0_1_0[0])');
    expect(bytesScheduled.steps.map((s) => s.call)).toContain('tensorize(vpdpbusd_i32x16, l, q)');
  });

  it('keeps every bit of an integer product, scheduled and lowered, whatever the sizes; exact sums of bf16 too', () => {
    const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
    const both = ([k, s]: readonly [Kernel<Ax>, ScheduledKernel]): readonly [KernelIR, KernelIR, KernelIR] => [k.ir, s.ir, lower(s.ir, s.target)];
    for (const [plain, scheduled, lowered] of ([[bytes, bytesScheduled], [halves, halvesScheduled]] as const).map(both)) {
      fc.assert(fc.property(fc.tuple(size(7), size(70), size(18)), fc.integer(), (sizes, seed) => {
        const want = product(plain, sizes, seed);
        expect(product(scheduled, sizes, seed)).toEqual(want);
        expect(product(lowered, sizes, seed)).toEqual(want);
      }), { numRuns: 25 });
    }
    expect([bytesScheduled.reassociates, halvesScheduled.reassociates]).toEqual([true, true]);
  });

  it.each([['bytes', bytesScheduled], ['pairs of bf16', halvesScheduled]] as const)('of %s gives the same in C', (_, s) => {
    if (!cpuHas(s.target)) return;
    const low = lower(s.ir, s.target), half = low.name.includes('bf16');
    const runs = [[5, 40, 13], [4, 64, 8], [1, 1, 1], [0, 3, 2]].map(([M, N, K]) => ({
      A: { data: array(half ? 'bf16' : 'u8', Array.from({ length: M! * K! }, (__, i) => (half ? f32ToBf16((i * 7) % 33 - 16) : (i * 37) % 256))), shape: [M!, K!] },
      B: { data: array(half ? 'bf16' : 'i8', Array.from({ length: K! * N! }, (__, i) => (half ? f32ToBf16((i * 5) % 31 - 15) : (i * 91) % 256 - 128))), shape: [K!, N!] },
      C: { data: array(half ? 'f32' : 'i32', Array.from({ length: M! * N! }, (__, i) => i)), shape: [M!, N!] },
    }));
    expect(sameAsInterpreter([{ k: low, runs }], s.target)).toContain(half ? '_mm512_dpbf16_ps' : '_mm512_dpbusd_epi32');
  });

  it('passes conditions and values from the program, and places with their strides', () => {
    const copy = kernel('copy', { x: tensor('f32', 'R', 'N'), y: tensor('f32', 'R', 'N').out() }, ({ x, y, R, N }) => {
      const ax = axes({ r: R, o: N.add(15).div(16), l: 16 });
      for (const r of ax.r) for (const o of ax.o) for (const l of ax.l) when(l.lt(N.sub(o.mul(16))), () => y.at(r, o.mul(16).add(l)).set(x.at(r, o.mul(16).add(l))));
      return ax;
    });
    const s = schedule(copy, target('x86-64-v4'), (t, { l }) => t.tensorize(masked_store_f32x16, l)), low = lower(s.ir, s.target);
    expect(printKernel(low)).toContain('masked_store_f32x16(x[r, o * 16], y[r, o * 16], N - (o * 16))');
    const data = array('f32', Array.from({ length: 2 * 37 }, (_, i) => i));
    const run = (k: KernelIR): unknown => { const y = array('f32', Array.from({ length: 74 }, () => -1)); interpret(k, { x: { data, shape: [2, 37] }, y: { data: y, shape: [2, 37] } }); return y; };
    expect(run(low)).toEqual(data);
    if (cpuHas(s.target)) sameAsInterpreter([{ k: low, runs: [{ x: { data, shape: [2, 37] }, y: { data: data.slice().fill(0 as never) as typeof data, shape: [2, 37] } }] }], s.target);
  });
});

/** y[r, l] = a[r, l] * b[r, l] + y[r, l] over rows of eight, and variations that are not it. */
const rows = kernel('rows', { a: tensor('f32', 'R', 8), b: tensor('f32', 'R', 8), y: tensor('f32', 'R', 8).inout(), t: tensor('f32', 8, 'R').strided(), s: scalar('f32') }, ({ a, b, y, t, s, R }) => {
  const ax = axes({ r: R, l: 8, r1: R, l1: 8, u: 1, r2: R, l2: 8, r3: R, l3: 8, r4: R, l4: 4 });
  for (const r of ax.r) for (const l of ax.l) y.at(r, l).set(fma(b.at(r, l), a.at(r, l), y.at(r, l)));
  for (const r of ax.r1) for (const l of ax.l1) for (const u of ax.u) y.at(r, l.add(u)).set(fma(a.at(r, l), b.at(r, l), y.at(r, l)));
  for (const r of ax.r2) for (const l of ax.l2) y.at(r, l).set(fma(a.at(r, l), t.at(l, r), y.at(r, l)));
  for (const r of ax.r3) for (const l of ax.l3) y.at(r, l).set(fma(a.at(r, l), y.at(r, l), y.at(r, l)));
  for (const r of ax.r4) for (const l of ax.l4) y.at(r, l.mul(2)).set(fma(a.at(r, l), b.at(r, l), s));
  return ax;
});
const v3 = target('x86-64-v3');

describe('what is not the instruction', () => {
  it('factors may change places, and loops of one iteration are looked through', () => {
    const s = schedule(rows, v3, (t, { l, l1 }) => { t.tensorize(vfmadd_f32x8, l); t.tensorize(vfmadd_f32x8, l1); });
    expect(printKernel(lower(s.ir, v3)).match(/vfmadd_f32x8\(/g)).toHaveLength(2);
  });
  const refusals: readonly [string, (s: Schedule, ax: typeof rows.axes) => void, RegExp][] = [
    ['strides', (s, { l2 }) => s.tensorize(vfmadd_f32x8, l2), /neighbours along dimension 0 of b lie as far apart as the launch says in t, vfmadd_f32x8 takes them 1 apart: stage t/],
    ['an operand that is written under another name', (s, { l3 }) => s.tensorize(vfmadd_f32x8, l3), /y is both c, which vfmadd_f32x8 writes, and b/],
    ['extents', (s, { l4 }) => s.tensorize(vfmadd_f32x8, l4), /l4 runs to 4, l of vfmadd_f32x8 to 8/],
    ['no loops', (s) => s.tensorize(vfmadd_f32x8), /no loops are given/],
    ['too many loops', (s, { r }) => s.tensorize(vfmadd_f32x8, r), /r runs to R, l of vfmadd_f32x8 to 8/],
    ['parallel loops', (s, { l }) => { s.parallel(l); s.tensorize(vfmadd_f32x8, l); }, /l is a parallel loop/],
    ['dtypes', (s, { l }) => s.tensorize(double, l), /y is f32, c of fma_f64x8 f64/],
  ];
  it.each(refusals)('%s', (_, f, why) => {
    let e: unknown;
    try { schedule(rows, v3, f); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(DslError);
    expect((e as DslError).id).toBe('KD-S-TENSORIZE');
    expect((e as DslError).message).toMatch(why);
    expect((e as DslError).step).toMatch(/^tensorize\(/);
    expect((e as DslError).loc?.file).toMatch(/tensorize\.test\.ts$/);
  });
  it('a step that changes the loops afterwards is caught by lowering', () => {
    const s = schedule(rows, v3, (t, { r, l }) => { t.tensorize(vfmadd_f32x8, l); t.stage('b', r, 'pack'); });
    expect(() => lower(s.ir, v3)).not.toThrow();
    expect(() => lower(s.ir, target('x86-64'))).toThrow(/KD-L-INSTR .*x86-64 has no fma/);
  });
});

const double: Instruction = instr({
  name: 'fma_f64x8', needs: ['fma'], operands: { a: 'vector', b: 'vector', c: 'vector' },
  meaning: () => kernel('fma_f64x8', { a: tensor('f64', 8), b: tensor('f64', 8), c: tensor('f64', 8).inout() }, ({ a, b, c }) => {
    const ax = axes({ l: 8 });
    for (const l of ax.l) c.at(l).set(fma(a.at(l), b.at(l), c.at(l)));
    return ax;
  }),
  emit: {},
});

describe('an instruction that is not well defined', () => {
  const over = (operands: Instruction['passing'], lanes = 8, reach = 8): Instruction => instr({
    name: 'odd', needs: [], operands, emit: {},
    meaning: () => kernel('odd', { a: tensor('f32', lanes), c: tensor('f32', lanes).inout() }, ({ a, c }) => {
      const ax = axes({ l: reach });
      for (const l of ax.l) c.at(l).addAssign(a.at(l));
      return ax;
    }),
  });
  it.each([
    [() => over({ a: 'vector' }), /does not say how c is passed/],
    [() => over({ a: 'vector', c: 'vector', d: 'word' }), /d is passed, but no tensor/],
    [() => over({ a: 'word', c: 'vector' }), /a has 32 bytes, a word has 1, 2, 4 or 8/],
    [() => over({ a: 'vector', c: 'word' }), /c is written: it cannot be a word/],
    [() => over({ a: 'vector', c: 'vector' }, 6, 6), /a has 6 lanes/],
    [() => over({ a: 'vector', c: 'vector' }, 8, 4), /does not walk over all of it/],
  ])('%#', (make, why) => { expect(() => make().meaning).toThrow(why); });
  it('its name is checked at once', () => { expect(() => instr({ ...over({}), name: 'a b', meaning: () => bytes, operands: {}, emit: {} })).toThrow(/KD-I-DEFINE/); });
});
