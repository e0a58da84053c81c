import { DslError } from '../errors/index.ts';
import { DTYPES, isFloat, newVar } from '../ir/index.ts';
import type { AtomicFn, DType } from '../ir/index.ts';
import { here } from './here.ts';
import { emit, recordWrite, use } from './trace.ts';
import { Val, exprOf } from './val.ts';
import type { Cell, Operand } from './val.ts';

type Number = Exclude<DType, 'f16' | 'bf16' | 'bool'>;
type Int = Exclude<Number, 'f64' | 'f32'>;

function atomic<D extends DType>(fn: AtomicFn, cell: Cell<D>, x: Operand<D>): Val<D> {
  const loc = here(), what = `atomic${fn[0]!.toUpperCase()}${fn.slice(1)}`, { buf, index } = cell.place, t = cell.dtype;
  if (!DTYPES[t].arithmetic) throw new DslError(t === 'bool' ? 'KD-BOOL' : 'KD-STORAGE', { dtype: t, what }, { loc });
  if (isFloat(t) && (fn === 'and' || fn === 'or' || fn === 'xor')) throw new DslError('KD-FLOAT', { dtype: t, what }, { loc });
  if (buf.space === 'reg') throw new DslError('KD-ATOMIC', { what, name: buf.name }, { loc });
  if (buf.space === 'param' && buf.access === 'in') throw new DslError('KD-READONLY', { name: buf.name }, { loc });
  const value = use(exprOf(x, t, what)), old = newVar(`${buf.name}_old`, t, 1, loc);
  emit({ kind: 'atomic', fn, buf, index: index.map(use), value, old, loc });
  recordWrite(buf);
  return new Val(old, t);
}

/*
 * Updates in one step, which other threads can make at once: each returns what the cell held before. Their order is open, so sums of floats may differ
 * in their last bits from run to run. A cell that some iterations of a parallel loop update so must be touched by no other of its iterations in another way.
 */

/** cell += x, atomically; integers wrap. Returns what the cell held. */
export const atomicAdd = <D extends Number>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('add', cell, x);
/** cell = min(cell, x), atomically: x where either is NaN. Returns what the cell held. */
export const atomicMin = <D extends Number>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('min', cell, x);
/** cell = max(cell, x), atomically: x where either is NaN. Returns what the cell held. */
export const atomicMax = <D extends Number>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('max', cell, x);
/** cell &= x, atomically. Returns what the cell held. */
export const atomicAnd = <D extends Int>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('and', cell, x);
/** cell |= x, atomically. Returns what the cell held. */
export const atomicOr = <D extends Int>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('or', cell, x);
/** cell ^= x, atomically. Returns what the cell held. */
export const atomicXor = <D extends Int>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('xor', cell, x);
/** Writes x and returns what the cell held, atomically. */
export const atomicExchange = <D extends Number>(cell: Cell<D>, x: Operand<NoInfer<D>>): Val<D> => atomic('exchange', cell, x);
