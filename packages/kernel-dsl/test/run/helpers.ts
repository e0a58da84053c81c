/** Small kernels for the tests of the interpreter, put together from IR builders. */
import { expect } from 'vitest';
import { block, constant, load, newBuffer, newVar, size } from '../../src/ir/index.ts';
import type { Buffer, DType, Expr, KernelIR, LoopKind, Param, Stmt, Var } from '../../src/ir/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import type { InterpretArg, InterpretOptions, RunErrorId, TypedArray } from '../../src/run/index.ts';

export const ARRAY: Record<DType, new (n: number | number[]) => TypedArray> = {
  f64: Float64Array, f32: Float32Array, f16: Uint16Array, bf16: Uint16Array, i32: Int32Array, u32: Uint32Array, i16: Int16Array, u16: Uint16Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array,
  i64: BigInt64Array as unknown as new (n: number | number[]) => TypedArray,
};
export function array(t: DType, values: readonly number[]): TypedArray {
  const a = new ARRAY[t](values.length);
  values.forEach((x, i) => { a[i] = t === 'i64' ? BigInt(x) as never : x; });
  return a;
}

export type Dim = string | number;
export const dims = (d: readonly Dim[]): Expr[] => d.map((x) => (typeof x === 'string' ? size(x) : constant(x)));
export const param = (name: string, dtype: DType, shape: readonly Dim[], access: Buffer['access'] = 'in', strided = false): Buffer =>
  newBuffer({ name, dtype, space: 'param', shape: dims(shape), access, strided });
export const memory = (name: string, dtype: DType, shape: readonly Dim[], space: Buffer['space'] = 'reg'): Buffer => newBuffer({ name, dtype, space, shape: dims(shape) });
export const scalarParam = (name: string, dtype: DType): Param => ({ kind: 'scalar', name, dtype });

/** A kernel over these parameters; sizes in order of first appearance. */
export function kernelOf(params: readonly (Buffer | Param)[], body: readonly Stmt[], name = 'k'): KernelIR {
  const list = params.map((p): Param => ('space' in p ? { kind: 'tensor', name: p.name, buf: p } : p));
  const names = new Set<string>();
  const find = (e: Expr): void => { if (e.kind === 'size') names.add(e.name); else if (e.kind === 'binary') { find(e.a); find(e.b); } };
  for (const p of list) if (p.kind === 'tensor') p.buf.shape.forEach(find);
  return { name, params: list, sizes: [...names], body: block(body) };
}

export const store = (buf: Buffer, index: readonly Expr[], value: Expr): Stmt => ({ kind: 'store', buf, index, value });
export const accum = (fn: 'add' | 'mul' | 'min' | 'max', buf: Buffer, index: readonly Expr[], value: Expr): Stmt => ({ kind: 'accum', fn, buf, index, value });
export const alloc = (buf: Buffer): Stmt => ({ kind: 'alloc', buf });
export const bindTo = (v: Var, value: Expr): Stmt => ({ kind: 'let', v, value });
export function loop(name: string, extent: Expr | number | string, body: (v: Var) => readonly Stmt[], kind: LoopKind = 'seq'): Stmt {
  const v = newVar(name);
  return { kind: 'for', v, extent: typeof extent === 'number' ? constant(extent) : typeof extent === 'string' ? size(extent) : extent, loop: kind, body: block(body(v)) };
}
export const tensor = (data: TypedArray, ...shape: number[]): InterpretArg => ({ data, shape });

/** A function that runs one expression: `count` inputs of dtype `from`, one result of dtype `to`. */
export function evaluate(from: DType, to: DType, f: (inputs: Expr[]) => Expr, count: number): (x: number[]) => number {
  const x = param('x', from, [count]), r = param('r', to, [], 'out');
  const k = kernelOf([x, r], [store(r, [], f(Array.from({ length: count }, (_, i) => load(x, [constant(i)]))))]);
  return (values) => {
    const out = array(to, [0]);
    interpret(k, { x: tensor(array(from, values), count), r: tensor(out) });
    return Number(out[0]);
  };
}

/** r = f(load from x). */
export function scalarExpr(t: DType, x: Buffer, f: (load: (i: number) => Expr) => Expr): { kernel: KernelIR; r: Buffer } {
  const r = param('r', t, [], 'out');
  return { kernel: kernelOf([x, r], [store(r, [], f((i) => load(x, [constant(i)])))]), r };
}

/** The RunError that a run ends with; fails where it does not. */
export function runError(k: KernelIR, args: Readonly<Record<string, InterpretArg>>, id: RunErrorId, o?: InterpretOptions): RunError {
  let e: unknown;
  try { interpret(k, args, o); } catch (x) { e = x; }
  if (!(e instanceof RunError)) throw e ?? new Error(`no ${id} was thrown`);
  expect(e.id, e.message).toBe(id);
  expect(e.message).toContain(`fix: ${e.fix}`);
  expect(e.message.startsWith(`${id} `)).toBe(true);
  return e;
}
