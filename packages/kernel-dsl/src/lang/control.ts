import { DslError } from '../errors/index.ts';
import { cast, constant, load, newBuffer, newVar, select as selectExpr } from '../ir/index.ts';
import type { DType, Expr } from '../ir/index.ts';
import { needDType, needFunction, needText } from './check.ts';
import { here } from './here.ts';
import { Tensor } from './tensor.ts';
import { close, emit, open, recordWrite, tracer, use } from './trace.ts';
import { Cell, Val, exprOf, indexOf } from './val.ts';
import type { Index, Operand } from './val.ts';

const condition = (c: Val<'bool'>): void => {
  if (!(c instanceof Val) || c.dtype !== 'bool') throw new DslError('KD-CONDITION', { dtype: c instanceof Val ? c.dtype : typeof c }, { loc: here() });
};

/**
 * Runs the statements of a branch where a condition holds.
 * @example when(i.lt(n), () => y.at(i).set(1), () => y.at(i).set(0))
 */
export function when(cond: Val<'bool'>, then: () => void, otherwise?: () => void): void {
  condition(cond);
  needFunction(then, 'when');
  if (otherwise !== undefined) needFunction(otherwise, 'when');
  const loc = here();
  const c = use(cond.expr);
  open(false);
  then();
  const a = close();
  if (!otherwise) return emit({ kind: 'if', cond: c, then: a, loc });
  open(false);
  otherwise();
  emit({ kind: 'if', cond: c, then: a, else: close(), loc });
}

/**
 * Repeats a body while a condition holds, at most `max` times: the condition is computed before each round, by a function since it is asked again.
 * Gives the number of the round, from 0. The interpreter refuses a run that the bound cuts off; emitted code stops there.
 * @throws DslError KD-BREAK when the body is left early.
 * @example for (const _ of loopWhile(() => error.gt(1e-6), { max: 50 })) step();
 */
export function* loopWhile(cond: () => Val<'bool'>, o: { readonly max: Index; readonly name?: string }): Generator<Val<'i64'>, void, undefined> {
  tracer('loopWhile');
  const loc = here(), name = o.name ?? 'round', max = use(indexOf(o.max, 'loopWhile'));
  const test = (): Val<'bool'> => { const c = cond(); condition(c); return c; };
  const go = reg('bool', test(), 'going');
  const v = newVar(name, 'i64', 1, loc);
  open(true);
  let done = false;
  try {
    yield new Val(v, 'i64');
    go.set(test());
    done = true;
  } finally {
    const body = close();
    if (!done) throw new DslError('KD-BREAK', { axis: name }, { loc });
    emit({ kind: 'while', v, max, cond: load(go.place.buf, [], { loc }), body, loc });
  }
}

/**
 * Writes a line when the kernel runs: the text, then the values. The interpreter gives it to its `print` option; emitted code has it only where
 * lowering is asked to keep it (`lower(k, t, { print: true })`): C writes to the standard error, CUDA and OpenCL to the standard output, WGSL records for `printedLines`.
 * @example print('row', r, 'sum', acc)
 */
export function print(...parts: readonly (string | Val<DType>)[]): void {
  tracer('print');
  const loc = here(), values: Expr[] = [];
  const text = parts.map((x) => {
    if (typeof x === 'string') return x.replaceAll('{', '{{');
    if (!(x instanceof Val)) throw new DslError('KD-OPERAND', { what: 'print', given: String(x) }, { loc });
    values.push(use(x.dtype === 'f16' || x.dtype === 'bf16' ? cast(x.expr, 'f32') : x.expr));
    return '{}';
  }).join(' ');
  emit({ kind: 'print', text, values, loc });
}

/** a where the condition holds, else b. Both are computed: use `when` where one of them must not be read. */
export function select<D extends DType>(cond: Val<'bool'>, a: Val<D>, b: Operand<NoInfer<D>>): Val<D>;
export function select<D extends DType>(cond: Val<'bool'>, a: number, b: Val<D>): Val<D>;
export function select<D extends DType>(cond: Val<'bool'>, a: Operand<D>, b: Operand<D>): Val<D> {
  condition(cond);
  const t = a instanceof Val ? a.dtype : b instanceof Val ? b.dtype : undefined;
  if (!t) throw new DslError('KD-OPERAND', { what: 'select', given: 'two numbers' }, { loc: here() });
  return new Val(selectExpr(cond.expr, exprOf(a, t, 'select'), exprOf(b, t, 'select'), here()), t);
}

/** A register: a scalar that lives in the iteration (or body) that made it. */
export function reg<D extends DType>(dtype: D, init: Operand<NoInfer<D>>, name = 'acc'): Cell<D> {
  const t = tracer('reg');
  needDType(dtype, 'reg');
  let unique = name;
  for (let n = 2; t.names.has(unique); n++) unique = `${name}${n}`;
  t.names.add(unique);
  const loc = here();
  const buf = newBuffer({ name: unique, dtype, space: 'reg', shape: [], loc });
  emit({ kind: 'alloc', buf, loc });
  const value = use(exprOf(init, dtype, 'reg'));
  emit({ kind: 'store', buf, index: [], value, loc });
  recordWrite(buf);
  return new Cell(buf, [], dtype);
}

/**
 * Working memory of constant shape, made by the iteration (or body) that asks for it; undefined until written. Inside of a parallel loop
 * each worker has its own.
 * @example const row = scratch('f32', 'row', 64);
 */
export function scratch<D extends DType, const S extends readonly number[]>(dtype: D, name: string, ...dims: S): Tensor<D, S> {
  const t = tracer('scratch');
  needDType(dtype, 'scratch');
  const loc = here();
  if (!/^[A-Za-z]\w*$/.test(name)) throw new DslError('KD-NAME', { name }, { loc });
  let unique = name;
  for (let n = 2; t.names.has(unique); n++) unique = `${name}${n}`;
  t.names.add(unique);
  for (const n of dims) if (!Number.isInteger(n) || n < 1) throw new DslError('KD-SCRATCH', { name, given: typeof n === 'number' ? n : 'no number' }, { loc });
  const buf = newBuffer({ name: unique, dtype, space: 'pack', shape: dims.map((n) => constant(n)), loc });
  emit({ kind: 'alloc', buf, loc });
  return new Tensor<D, S>(buf, dtype);
}

/** Gives a value a name: it is computed here, once, and its name appears in emitted code. */
export function named<D extends DType>(name: string, x: Val<D>): Val<D> {
  if (!/^[A-Za-z]\w*$/.test(name)) throw new DslError('KD-NAME', { name }, { loc: here() });
  if (!(x instanceof Val)) throw new DslError('KD-OPERAND', { what: 'named', given: String(x) }, { loc: here() });
  const value = use(x.expr);
  const v = newVar(name, x.dtype, 1, here());
  emit({ kind: 'let', v, value, loc: here() });
  return new Val(v, x.dtype);
}

/**
 * States what callers must guarantee: about sizes and scalars, or, in a loop that holds nothing else, about each element of a tensor. It is checked
 * when the kernel is launched, before anything is written, and verification takes it for granted.
 * @example for (const n of ax.n) assume(ids.at(n).ge(0).and(ids.at(n).lt(V.to('i32'))), 'ids are rows of W');
 */
export function assume(cond: Val<'bool'>, text: string): void {
  condition(cond);
  needText(text, 'assume');
  emit({ kind: 'assume', cond: use(cond.expr), text, loc: here() });
}

/** Names a part of the body; it becomes a comment in emitted code. */
export function region(name: string, body: () => void): void {
  needText(name, 'region');
  needFunction(body, 'region');
  const loc = here();
  open(false);
  body();
  emit({ kind: 'region', name, body: close(), loc });
}

/** A constant of a dtype. */
export function value<D extends DType>(dtype: D, x: number): Val<D> {
  needDType(dtype, 'value');
  if (typeof x !== 'number') throw new DslError('KD-OPERAND', { what: 'value', given: String(x) }, { loc: here() });
  return new Val(exprOf(x, dtype, 'value'), dtype);
}
