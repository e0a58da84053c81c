import { DslError } from '../errors/index.ts';
import { constant, newBuffer, newVar, select as selectExpr } from '../ir/index.ts';
import type { DType } from '../ir/index.ts';
import { here } from './here.ts';
import { Tensor } from './tensor.ts';
import { close, emit, open, recordWrite, tracer, use } from './trace.ts';
import { Cell, Val, exprOf } from './val.ts';
import type { Operand } from './val.ts';

const condition = (c: Val<'bool'>): void => {
  if (!(c instanceof Val) || c.dtype !== 'bool') throw new DslError('KD-CONDITION', { dtype: c instanceof Val ? c.dtype : typeof c }, { loc: here() });
};

/**
 * Runs the statements of a branch where a condition holds.
 * @example when(i.lt(n), () => y.at(i).set(1), () => y.at(i).set(0))
 */
export function when(cond: Val<'bool'>, then: () => void, otherwise?: () => void): void {
  condition(cond);
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

/** a where the condition holds, else b. Both are computed: use `when` where one of them must not be read. */
export function select<D extends DType>(cond: Val<'bool'>, a: Val<D>, b: Operand<D>): Val<D>;
export function select<D extends DType>(cond: Val<'bool'>, a: number, b: Val<D>): Val<D>;
export function select<D extends DType>(cond: Val<'bool'>, a: Operand<D>, b: Operand<D>): Val<D> {
  condition(cond);
  const t = a instanceof Val ? a.dtype : b instanceof Val ? b.dtype : undefined;
  if (!t) throw new DslError('KD-OPERAND', { what: 'select', given: 'two numbers' }, { loc: here() });
  return new Val(selectExpr(cond.expr, exprOf(a, t, 'select'), exprOf(b, t, 'select'), here()), t);
}

/** A register: a scalar that lives in the iteration (or body) that made it. */
export function reg<D extends DType>(dtype: D, init: Operand<D>, name = 'acc'): Cell<D> {
  const t = tracer('reg');
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
  const loc = here();
  if (!/^[A-Za-z]\w*$/.test(name)) throw new DslError('KD-NAME', { name }, { loc });
  let unique = name;
  for (let n = 2; t.names.has(unique); n++) unique = `${name}${n}`;
  t.names.add(unique);
  const buf = newBuffer({ name: unique, dtype, space: 'pack', shape: dims.map((n) => constant(n)), loc });
  emit({ kind: 'alloc', buf, loc });
  return new Tensor<D, S>(buf, dtype);
}

/** Gives a value a name: it is computed here, once, and its name appears in emitted code. */
export function named<D extends DType>(name: string, x: Val<D>): Val<D> {
  if (!/^[A-Za-z]\w*$/.test(name)) throw new DslError('KD-NAME', { name }, { loc: here() });
  const value = use(x.expr);
  const v = newVar(name, x.dtype, 1, here());
  emit({ kind: 'let', v, value, loc: here() });
  return new Val(v, x.dtype);
}

/** States what callers must guarantee; checked when the kernel is launched. */
export function assume(cond: Val<'bool'>, text: string): void {
  condition(cond);
  emit({ kind: 'assume', cond: use(cond.expr), text, loc: here() });
}

/** Names a part of the body; it becomes a comment in emitted code. */
export function region(name: string, body: () => void): void {
  const loc = here();
  open(false);
  body();
  emit({ kind: 'region', name, body: close(), loc });
}

/** A constant of a dtype. */
export const value = <D extends DType>(dtype: D, x: number): Val<D> => new Val(constant(x, dtype), dtype);
