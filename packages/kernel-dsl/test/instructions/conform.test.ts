/** Every instruction's text against its meaning: compiled, run where the machine (or an emulator) has it, on random and extreme operands. */
import { describe, expect, it } from 'vitest';
import { assembleFileC, emitKernelC } from '../../src/emit/c/index.ts';
import { bytesOf, constant, load } from '../../src/ir/index.ts';
import type { DType, Expr, InstrArg, Instruction, KernelIR } from '../../src/ir/index.ts';
import { bf16ToF32, f32ToBf16, interpret } from '../../src/run/index.ts';
import { TARGETS } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { ARM, COMPILERS, EMULATES_ARM, compile, cpuHas, fill, runLibrary, sameAsInterpreter } from '../emit/harness.ts';
import type { Case, TensorValue, Value } from '../emit/harness.ts';
import { array, kernelOf, loop, param, scalarParam } from '../run/helpers.ts';

/** How often each instruction runs, and what unknown sizes are. */
const TIMES = 64, SIZE = 3;
const WORDS = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'i64' } as const;

/** A kernel that applies an instruction to TIMES sets of operands, which lie apart where it takes pointers. */
function applied(def: Instruction): { k: KernelIR; args: (seed: number) => Record<string, Value> } {
  const { meaning } = def, fillers: ((seed: number) => [string, Value])[] = [];
  const operands = meaning.params.map((p, i) => {
    if (p.kind === 'scalar') {
      fillers.push((seed) => [p.name, [0, 1, 7, 15, 16, 17, -3][seed % 7]!]);
      return { param: scalarParam(p.name, p.dtype), arg: (): InstrArg => ({ kind: 'value', value: { kind: 'scalar', dtype: p.dtype, lanes: 1, name: p.name } }) };
    }
    const dims = p.buf.shape.map((e) => (e.kind === 'const' ? e.value : SIZE)), n = dims.reduce((a, b) => a * b, 1), how = def.passing[p.name]!;
    const byValue = how === 'vector' || how === 'word', shape = byValue ? [n] : dims, apart = how === 'pointer' ? 5 : 0;
    const b = param(p.name, p.buf.dtype, [TIMES, ...shape], p.buf.access === 'in' ? 'in' : 'inout');
    const strides = shape.map((_, d) => (d === shape.length - 1 ? 1 : shape.slice(d + 1).reduce((x, y) => x * y, 1) + apart));
    const per = 1 + shape.reduce((s, x, d) => s + (x - 1) * strides[d]!, 0);
    fillers.push((seed) => [p.name, { data: array(p.buf.dtype, values(p.buf.dtype, TIMES * per, seed * 31 + i, def.exact)), shape: [TIMES, ...shape], strides: [per, ...strides] } satisfies TensorValue]);
    return {
      param: b,
      arg: (t: Expr): InstrArg => {
        const zeros = shape.map(() => constant(0));
        if (!byValue) return { kind: 'place', buf: b, index: [t, ...zeros], walk: dims.map((_, k) => [0, ...dims.map((__, d) => (d === k ? 1 : 0))]), lanes: 0 };
        if (p.buf.access !== 'in') return { kind: 'place', buf: b, index: [t, ...zeros], walk: dims.map((_, k) => [0, dims.slice(k + 1).reduce((x, y) => x * y, 1)]), lanes: n };
        const x = load(b, [t, ...zeros], { lanes: n });
        return { kind: 'value', value: how === 'vector' ? x : { kind: 'bitcast', dtype: WORDS[(n * bytesOf(p.buf.dtype)) as 4], lanes: 1, x } };
      },
    };
  });
  const body = loop('t', TIMES, (t) => [{ kind: 'instr', def, args: [...operands.map((o) => o.arg(t)), ...meaning.sizes.map((): InstrArg => ({ kind: 'value', value: constant(SIZE) }))] }]);
  return { k: kernelOf(operands.map((o) => o.param), [body], `apply_${def.name}`), args: (seed) => Object.fromEntries(fillers.map((f) => f(seed))) };
}

/** Random elements with the extremes among them. Where results may differ in rounding, bf16 stay normal numbers, infinities or NaN. */
function values(t: DType, n: number, seed: number, exact: boolean): number[] {
  const specials = t === 'f32' || t === 'f64' ? [0, -0, Infinity, -Infinity, NaN, 1e-40, 3e38, -3e38] : t === 'i32' ? [2 ** 31 - 1, -(2 ** 31), 0] : t.startsWith('i') ? [-(2 ** (bytesOf(t) * 8 - 1)), 2 ** (bytesOf(t) * 8 - 1) - 1, 0, -1] : [0, 255];
  if (t !== 'bf16') return fill(t, n, seed, exact ? specials : specials.slice(0, 5));
  return fill('f32', n, seed, [0, -0, Infinity, NaN, 2 ** 20]).map((x) => f32ToBf16(x));
}

/** Sums of bf16 products in any order: within a few roundings of the sum of their magnitudes. */
function withinRounding(def: Instruction, t: Target): void {
  const { k, args } = applied(def), e = emitKernelC(k, t), text = assembleFileC([e], t);
  for (const compiler of COMPILERS) {
    const lib = compile(text, t.cflags, { compiler });
    for (let seed = 0; seed < 8; seed++) {
      const got = args(seed), want = args(seed), c0 = [...((args(seed)['c'] as TensorValue).data as Float32Array)];
      expect(runLibrary(lib, [{ symbol: e.symbol, k, args: got, memory: e.meta }])).toEqual([0]);
      interpret(k, want as Parameters<typeof interpret>[1]);
      const [g, w, a, b] = [got['c'], want['c'], got['a'], got['b']].map((x) => (x as TensorValue).data as unknown as Float32Array);
      const lanes = w!.length / TIMES;
      w!.forEach((x, i) => {
        const s = Math.floor(i / lanes), q = [0, 1].map((n) => Math.abs(bf16ToF32(a![s * 2 + n]!) * bf16ToF32(b![i * 2 + n]!)));
        const bound = 4 * 2 ** -24 * (Math.abs(c0[i]!) + q[0]! + q[1]!);
        if (Number.isNaN(x) || !Number.isFinite(x)) expect(g![i], `${def.name} element ${i}`).toBe(x);
        else expect(Math.abs(g![i]! - x), `${def.name} element ${i}: ${g![i]}, not ${x}`).toBeLessThanOrEqual(bound);
      });
    }
  }
}

/** Each instruction with the first target that lists it. */
const ALL: readonly (readonly [string, Instruction, Target])[] = [...new Set(TARGETS.flatMap((t) => t.instructions))].map((def) => [def.name, def, [...TARGETS].reverse().find((t) => t.instructions.includes(def))!]);
const required = process.env['QUERN_REQUIRE_ALL'] !== undefined;

describe('the text of an instruction does what it means', () => {
  it('all of them are here', () => {
    expect(ALL.length).toBeGreaterThanOrEqual(16);
    if (required) expect(EMULATES_ARM, 'needs gcc-aarch64-linux-gnu and qemu-user').toBe(true);
  });
  const exact = (t: Target, times: number): Case[] => ALL.filter(([, d, u]) => u === t && d.exact).map(([, def]) => {
    const { k, args } = applied(def);
    return { k, runs: Array.from({ length: times }, (_, i) => args(i)) };
  });
  const machines = [...new Set(ALL.map(([, , t]) => t))].map((t) => [t.isa, t] as const), here = machines.filter(([, t]) => t.arch === process.arch && cpuHas(t));
  it.each(here.filter(([, t]) => exact(t, 0).length > 0))('%s', (_, t) => { sameAsInterpreter(exact(t, 7), t); });
  it.each(ALL.filter(([, d, t]) => !d.exact && here.some(([, x]) => x === t)))('%s, within the rounding of its sums', (_, def, t) => { withinRounding(def, t); });
  it.each(EMULATES_ARM ? machines.filter(([, t]) => t.arch === 'arm64') : [])('%s, emulated', (_, t) => { sameAsInterpreter(exact(t, 3), t, { compilers: [ARM] }); });
  it.each(machines.filter(([, t]) => t.arch === process.arch && !cpuHas(t)))('%s compiles', (_, t) => {
    compile(assembleFileC(ALL.filter(([, , u]) => u === t).map(([, def]) => emitKernelC(applied(def).k, t)), t), t.cflags, { object: true });
  });
});
