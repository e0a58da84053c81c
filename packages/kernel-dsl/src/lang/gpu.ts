import { DslError } from '../errors/index.ts';
import { add, binary, constant, mul, newBuffer, newVar } from '../ir/index.ts';
import type { DType, Expr, SubgroupFn } from '../ir/index.ts';
import { here } from './here.ts';
import { Tensor } from './tensor.ts';
import { boundLoops, emit, tracer, use } from './trace.ts';
import { Val, indexOf } from './val.ts';
import type { Index } from './val.ts';

const inLanes = (): boolean => boundLoops().some((b) => b.to.startsWith('lane.'));

/**
 * Memory of constant shape that the lanes of a workgroup share; undefined until written. Declared inside of the block loops, outside of the lane loops.
 * @example const tile = shared('f32', 'tile', 16, 17);
 */
export function shared<D extends DType, const S extends readonly number[]>(dtype: D, name: string, ...dims: S): Tensor<D, S> {
  const t = tracer('shared'), loc = here();
  if (!/^[A-Za-z]\w*$/.test(name)) throw new DslError('KD-NAME', { name }, { loc });
  if (inLanes() || boundLoops().length === 0) throw new DslError('KD-SHARED', { name, where: inLanes() ? 'inside of a lane loop' : 'outside of the block loops' }, { loc });
  let unique = name;
  for (let n = 2; t.names.has(unique); n++) unique = `${name}${n}`;
  t.names.add(unique);
  const buf = newBuffer({ name: unique, dtype, space: 'shared', shape: dims.map((n) => constant(n)), loc });
  emit({ kind: 'alloc', buf, loc });
  return new Tensor<D, S>(buf, dtype);
}

/** No lane of the workgroup (or of the subgroup) goes on before all have arrived; what they wrote before is then seen by all of them. */
export function barrier(scope: 'workgroup' | 'subgroup' = 'workgroup'): void {
  tracer('barrier');
  const loc = here();
  if (boundLoops().length === 0) throw new DslError('KD-LANES', { what: 'barrier()' }, { loc });
  emit({ kind: 'barrier', scope, loc });
}

/** The number of this lane in its workgroup: x counts fastest, then y, then z. */
function laneNumber(what: string): Expr {
  const all = boundLoops();
  if (!inLanes()) throw new DslError('KD-LANES', { what }, { loc: here() });
  return ['lane.z', 'lane.y', 'lane.x'].reduce<Expr>((n, to) => { const b = all.find((x) => x.to === to); return b ? add(mul(n, b.extent), b.v) : n; }, constant(0));
}

/** The number of this lane in its subgroup. Subgroups are runs of lanes of the workgroup, x counting fastest. */
export function subgroupLane(): Val<'i64'> {
  const t = tracer('subgroupLane');
  return new Val(binary('mod', laneNumber('subgroupLane()'), constant(t.subgroup), here()), 'i64');
}

/** Recorded at this point of the program: all lanes of the subgroup must come by. */
function subgroup<T extends DType>(fn: SubgroupFn, x: Val<DType>, dtype: T, lane?: Index): Val<T> {
  const what = `subgroup${fn[0]!.toUpperCase()}${fn.slice(1)}`, loc = here();
  if (!(x instanceof Val)) throw new DslError('KD-OPERAND', { what, given: String(x) }, { loc });
  if (!inLanes()) throw new DslError('KD-LANES', { what }, { loc });
  if ((fn === 'any' || fn === 'all' || fn === 'ballot') && x.dtype !== 'bool') throw new DslError('KD-CONDITION', { dtype: x.dtype }, { loc });
  if ((fn === 'add' || fn === 'min' || fn === 'max') && (x.dtype === 'f16' || x.dtype === 'bf16')) throw new DslError('KD-STORAGE', { dtype: x.dtype, what }, { loc });
  if ((fn === 'add' || fn === 'min' || fn === 'max') && x.dtype === 'bool') throw new DslError('KD-BOOL', { what }, { loc });
  const from = lane === undefined ? undefined : use(indexOf(lane, what));
  const v = newVar(`${fn}_v`, dtype, 1, loc);
  emit({ kind: 'let', v, value: { kind: 'subgroup', fn, dtype, lanes: 1, x: use(x.expr), ...(from && { lane: from }), loc }, loc });
  return new Val(v, dtype);
}
type Arithmetic = Exclude<DType, 'f16' | 'bf16' | 'bool'>;

/** x of the lane with this number in the subgroup; each lane may ask for another one. */
export const subgroupShuffle = <D extends DType>(x: Val<D>, lane: Index): Val<D> => subgroup('shuffle', x, x.dtype, lane);
/** x of the lane whose number in the subgroup differs in the bits of the mask. */
export const subgroupShuffleXor = <D extends DType>(x: Val<D>, mask: Index): Val<D> => subgroup('shuffleXor', x, x.dtype, mask);
/** x of one lane, by its number in the subgroup, in all lanes. */
export const subgroupBroadcast = <D extends DType>(x: Val<D>, lane: Index): Val<D> => subgroup('broadcast', x, x.dtype, lane);
/** The sum over the subgroup, in every lane: by halving, lane i with lane i + n/2, so that its bits are the same everywhere. */
export const subgroupAdd = <D extends Arithmetic>(x: Val<D>): Val<D> => subgroup('add', x, x.dtype);
/** The least x of the subgroup, in every lane. */
export const subgroupMin = <D extends Arithmetic>(x: Val<D>): Val<D> => subgroup('min', x, x.dtype);
/** The greatest x of the subgroup, in every lane. */
export const subgroupMax = <D extends Arithmetic>(x: Val<D>): Val<D> => subgroup('max', x, x.dtype);
/** Does the condition hold in some lane of the subgroup? */
export const subgroupAny = (cond: Val<'bool'>): Val<'bool'> => subgroup('any', cond, 'bool');
/** Does the condition hold in every lane of the subgroup? */
export const subgroupAll = (cond: Val<'bool'>): Val<'bool'> => subgroup('all', cond, 'bool');
/** Bit i tells whether the condition holds in lane i of the subgroup. */
export const subgroupBallot = (cond: Val<'bool'>): Val<'u32'> => subgroup('ballot', cond, 'u32');
