import { bf16ToF32, f16ToF32, ir } from '@quern/kernel-dsl';
import type { InterpretArg, KernelIR } from '@quern/kernel-dsl';
import { dot4, integerOp, wrap } from './integer.ts';
import { blank, cellsOf, offsetOf } from './memory.ts';
import type { Cells } from './memory.ts';
import { errorOf, exact, extreme, isExact, magnitude, monotone, negated, product, quotient, rounded, sum, unknown, wave } from './number.ts';
import type { Approx } from './number.ts';

/** For each tensor that a kernel writes: every element's value in doubles, and how far a result may lie from it (Infinity: not known). Row-major. */
export type Bounds = ReadonlyMap<string, { readonly value: Float64Array; readonly error: Float64Array }>;

interface State {
  readonly sizes: ReadonlyMap<string, number>;
  readonly scalars: ReadonlyMap<string, number>;
  readonly memory: Map<number, Cells>;
  readonly strides: ReadonlyMap<number, readonly number[]>;
  readonly vars: Map<number, Approx>;
}

/** A branch hung on a value that is not known well enough. */
class Undecided extends Error {}

/**
 * Runs a kernel's algorithm on approximate numbers. Undefined when the path it takes depends on rounding: then nothing can be said.
 * The rounding of a sum of n terms is bounded by n u times the sum of their magnitudes (Higham, "Accuracy and Stability", 2002, 4.2), which holds in any order.
 */
export function boundsOf(k: KernelIR, args: Readonly<Record<string, InterpretArg>>): Bounds | undefined {
  const sizes = new Map<string, number>(), scalars = new Map<string, number>(), memory = new Map<number, Cells>(), strides = new Map<number, readonly number[]>();
  for (const n of k.sizes) if (typeof args[n] === 'number') sizes.set(n, args[n]);
  for (const p of k.params) {
    const a = args[p.name];
    if (p.kind === 'scalar') scalars.set(p.name, p.dtype === 'f32' ? Math.fround(a as number) : (a as number));
    else if (typeof a === 'object') {
      memory.set(p.buf.id, cellsOf(a, p.buf.dtype));
      strides.set(p.buf.id, a.strides ?? []);
      for (const [d, e] of p.buf.shape.entries()) if (e.kind === 'size') sizes.set(e.name, a.shape[d]!);
    }
  }
  const s: State = { sizes, scalars, memory, strides, vars: new Map() };
  try {
    run(s, k.body);
  } catch (e) {
    if (e instanceof Undecided) return undefined;
    throw e;
  }
  return new Map(k.params.flatMap((p) => {
    if (p.kind === 'scalar' || p.buf.access === 'in') return [];
    const { cells } = memory.get(p.buf.id)!;
    return [[p.name, { value: Float64Array.from(cells, (x) => x.v), error: Float64Array.from(cells, errorOf) }] as const];
  }));
}

function whole(s: State, e: ir.Expr): number {
  const x = evaluate(s, e);
  if (!isExact(x)) throw new Undecided();
  return x.v;
}

function run(s: State, x: ir.Stmt): void {
  switch (x.kind) {
    case 'block': for (const y of x.body) run(s, y); return;
    case 'region': return run(s, x.body);
    case 'for': {
      const n = whole(s, x.extent);
      for (let i = 0; i < n; i++) {
        s.vars.set(x.v.id, exact(i));
        run(s, x.body);
      }
      return;
    }
    case 'if': {
      if (whole(s, x.cond) !== 0) run(s, x.then);
      else if (x.else) run(s, x.else);
      return;
    }
    case 'let': s.vars.set(x.v.id, evaluate(s, x.value)); return;
    case 'alloc': s.memory.set(x.buf.id, blank(x.buf.shape.map((d) => whole(s, d)))); return;
    case 'store': case 'accum': {
      const value = evaluate(s, x.value), m = s.memory.get(x.buf.id)!, at = offsetOf(m, x.index.map((i) => whole(s, i)));
      if (at === undefined) throw new Undecided();
      m.cells[at] = x.kind === 'store' ? value : combine(x.fn, m.cells[at]!, value, x.buf.dtype);
      return;
    }
    case 'assume': case 'barrier': return;
  }
}

function combine(fn: ir.BinaryFn, a: Approx, b: Approx, t: ir.DType): Approx {
  if (!ir.isFloat(t)) {
    if (isExact(a) && isExact(b)) return exact(integerOp(fn, a.v, b.v, t));
    const v = Number.isFinite(a.v) && Number.isFinite(b.v) ? integerOp(fn, a.v, b.v, t) : 0;
    return fn === 'add' || fn === 'sub' ? { ...exact(v), e: errorOf(a) + errorOf(b) } : fn === 'min' || fn === 'max' ? extreme(a, b, fn === 'max') : unknown(v);
  }
  switch (fn) {
    case 'add': return sum(a, b, 1, t);
    case 'sub': return sum(a, b, -1, t);
    case 'mul': return product(a, b, t);
    case 'div': return quotient(a, b, t);
    case 'min': case 'max': return extreme(a, b, fn === 'max');
    // Of operands that are known, the formula's rounding.
    case 'pow': return isExact(a) && isExact(b) ? monotone((x) => (x === 1 || (x === -1 && Math.abs(b.v) === Infinity) ? 1 : x ** b.v), a, t, 2) : unknown(NaN);
    default: return unknown(NaN);
  }
}

const erf = (x: number): number => {
  // Series for small arguments, else Lentz' continued fraction: enough digits to judge an f32 by.
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let t = a, total = a;
  for (let n = 1; n < 200; n++) total += (t *= -(a * a) / n) / (2 * n + 1);
  return a < 3 ? (Math.sign(x) * total * 2) / Math.sqrt(Math.PI) : Math.sign(x) * (1 - erfc(a));
};
function erfc(a: number): number {
  let f = 0;
  for (let n = 60; n > 0; n--) f = n / 2 / (a + f);
  return Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f);
}
const half = (x: number): number => { const r = Math.round(x); return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r; };
/** Function, and ulps of the formulas that lowering puts in its place. */
const RISING: Readonly<Partial<Record<ir.UnaryFn, readonly [(x: number) => number, number]>>> = {
  floor: [Math.floor, 0], ceil: [Math.ceil, 0], round: [half, 0], trunc: [Math.trunc, 0], sqrt: [Math.sqrt, 1], rsqrt: [(x) => 1 / Math.sqrt(x), 2],
  exp: [Math.exp, 2], exp2: [(x) => 2 ** x, 2], log: [Math.log, 2], log2: [Math.log2, 2], tanh: [Math.tanh, 2], erf: [erf, 4],
};

function unary(fn: ir.UnaryFn, x: Approx, t: ir.DType): Approx {
  if (fn === 'neg') return ir.isFloat(t) ? negated(x) : combine('sub', exact(0), x, t);
  if (fn === 'abs') return magnitude(x);
  if (fn === 'not') return isExact(x) ? exact(t === 'bool' ? 1 - x.v : wrap(~x.v, t)) : unknown(0);
  if (fn === 'sin' || fn === 'cos') return wave(fn === 'sin' ? Math.sin : Math.cos, x, t, 2);
  const [f, ulps] = RISING[fn]!;
  return monotone(f, x, t, ulps);
}

function compare(fn: ir.CmpFn, a: Approx, b: Approx): Approx {
  const r = fn === 'lt' ? a.v < b.v : fn === 'le' ? a.v <= b.v : fn === 'gt' ? a.v > b.v : fn === 'ge' ? a.v >= b.v : fn === 'eq' ? a.v === b.v : a.v !== b.v;
  const doubt = errorOf(a) + errorOf(b);
  return doubt > 0 && !(Math.abs(a.v - b.v) > doubt) ? unknown(r ? 1 : 0) : exact(r ? 1 : 0);
}

function cast(x: Approx, from: ir.DType, to: ir.DType): Approx {
  if (ir.isFloat(to)) {
    const wider = from === to || (from === 'f32' && to === 'f64') || ((from === 'f16' || from === 'bf16') && to !== 'f16' && to !== 'bf16');
    const fits = !ir.isFloat(from) && isExact(x) && Math.fround(x.v) === x.v && (to === 'f32' || to === 'f64');
    return wider || fits || !Number.isFinite(x.v) ? x : rounded(x.v, errorOf(x), to);
  }
  if (!ir.isFloat(from)) return isExact(x) ? exact(wrap(x.v, to)) : { ...x, v: wrap(x.v, to) };
  const e = errorOf(x), v = Math.trunc(x.v);
  if (!Number.isFinite(x.v) || e === Infinity || Math.abs(x.v) > 2 ** 31) return unknown(Number.isFinite(v) ? 0 : v);
  return { ...exact(wrap(v, to)), e: Math.max(Math.trunc(x.v + e) - v, v - Math.trunc(x.v - e)) };
}

const scratch = new DataView(new ArrayBuffer(8));
function fromBytes(bytes: readonly number[], t: ir.DType): number {
  bytes.forEach((b, i) => scratch.setUint8(i, b));
  switch (t) {
    case 'f64': return scratch.getFloat64(0, true);
    case 'f32': return scratch.getFloat32(0, true);
    case 'f16': return f16ToF32(scratch.getUint16(0, true));
    case 'bf16': return bf16ToF32(scratch.getUint16(0, true));
    case 'i64': return Number(scratch.getBigInt64(0, true));
    case 'i32': return scratch.getInt32(0, true);
    case 'u32': return scratch.getUint32(0, true);
    case 'i16': return scratch.getInt16(0, true);
    case 'u16': return scratch.getUint16(0, true);
    case 'i8': return scratch.getInt8(0);
    default: return scratch.getUint8(0);
  }
}
function bitsOf(x: number, from: ir.DType, to: ir.DType): number {
  if (from === 'f64') scratch.setFloat64(0, x, true);
  else if (from === 'f32') scratch.setFloat32(0, x, true);
  else if (from === 'i64') scratch.setBigInt64(0, BigInt(x), true);
  else scratch.setInt32(0, x | 0, true);
  return fromBytes(Array.from({ length: ir.bytesOf(to) }, (_, i) => scratch.getUint8(i)), to);
}

function load(s: State, e: ir.Load): Approx {
  const m = s.memory.get(e.buf.id)!, index = e.index.map((i) => whole(s, i));
  const at = offsetOf(m, index), n = e.as ? ir.bytesOf(e.as) : 1;
  if (at === undefined || at + n > m.cells.length) throw new Undecided();
  if (!e.as) return m.cells[at]!;
  const bytes = m.cells.slice(at, at + n);
  return bytes.every(isExact) ? exact(fromBytes(bytes.map((b) => b.v), e.as)) : unknown(NaN);
}

function evaluate(s: State, e: ir.Expr): Approx {
  switch (e.kind) {
    case 'const': return exact(e.value);
    case 'size': return exact(s.sizes.get(e.name)!);
    case 'stride': return exact(s.strides.get(e.buf.id)![e.dim]!);
    case 'scalar': return exact(s.scalars.get(e.name)!);
    case 'var': return s.vars.get(e.id)!;
    case 'load': return load(s, e);
    case 'cast': return cast(evaluate(s, e.x), e.x.dtype, e.dtype);
    case 'bitcast': { const x = evaluate(s, e.x); return isExact(x) ? exact(bitsOf(x.v, e.x.dtype, e.dtype)) : unknown(0); }
    case 'unary': return unary(e.fn, evaluate(s, e.x), e.dtype);
    case 'binary': return combine(e.fn, evaluate(s, e.a), evaluate(s, e.b), e.dtype);
    case 'cmp': return compare(e.fn, evaluate(s, e.a), evaluate(s, e.b));
    case 'fma': return sum(product(evaluate(s, e.a), evaluate(s, e.b), e.dtype), evaluate(s, e.c), 1, e.dtype);
    case 'select': {
      const c = evaluate(s, e.cond), a = evaluate(s, e.a), b = evaluate(s, e.b), x = c.v ? a : b;
      if (isExact(c)) return x;
      const gap = Math.abs(a.v - b.v);
      return Number.isFinite(gap) ? { ...exact(x.v), e: gap + Math.max(errorOf(a), errorOf(b)) } : unknown(x.v);
    }
    case 'dot4': {
      const [acc, a, b] = [evaluate(s, e.acc), evaluate(s, e.a), evaluate(s, e.b)];
      return isExact(acc) && isExact(a) && isExact(b) ? exact(dot4(acc.v, a.v, b.v)) : unknown(0);
    }
    // Vectors come with schedules; algorithms have none.
    default: throw new Error(`an algorithm has no ${e.kind}`);
  }
}
