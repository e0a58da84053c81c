import { DslError } from '../errors/index.ts';
import { compare, isConst, mapExpr, newVar, operands, printExpr, renew, sameExpr, showLoc, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, DType, Expr, Loc, PackedDType } from '../ir/index.ts';
import { Axis } from './axes.ts';
import { here } from './here.ts';
import type { DimSpec } from './dim.ts';
import type { Axes, Kernel, Params } from './kernel.ts';
import { PackedTensor } from './packed.ts';
import type { PackedSpec } from './packed.ts';
import { Tensor } from './tensor.ts';
import type { ScalarSpec, TensorSpec } from './tensor.ts';
import { emit, recordWrite, tracer, use } from './trace.ts';
import { Val, exprOf } from './val.ts';
import type { Operand } from './val.ts';
import { View, placeIn, slicesOf } from './view.ts';
import type { Slice } from './view.ts';

/** A tensor, or a view of one, with this dtype and this many dimensions. */
type TensorOf<D extends DType, N extends number> = { readonly dtype: D; readonly rank: N; readonly buf: Buffer };
/** What a called kernel takes: a tensor or view for each tensor parameter, a value for each scalar. */
export type CallArgs<P extends Params> = {
  readonly [K in keyof P as P[K] extends { kind: 'constant' } ? never : K]:
    P[K] extends TensorSpec<infer D, infer S> ? TensorOf<D, S['length']> : P[K] extends PackedSpec<infer D, infer S> ? PackedTensor<D, S & readonly DimSpec[]> : P[K] extends ScalarSpec<infer D> ? Operand<D> : never };

const pure = (e: Expr): boolean => e.kind !== 'load' && operands(e).every(pure);
const known = (e: Expr): boolean => e.kind !== 'load' && e.kind !== 'var' && operands(e).every(known);

/**
 * Runs another kernel here: its loops and statements become part of this one, on these tensors and values, and can be scheduled with it.
 * Sizes of the called kernel are those of its tensors; where two that it takes for equal are not known to be, that becomes an assumption which is checked at launch.
 * @returns the axes of the called kernel, as loops of this one
 * @throws DslError KD-CALL-ARG, KD-CALL-SHAPE, KD-CALL-ASSUME, KD-READONLY: with this place and the called kernel's
 * @example const inner = call(dot, { x: A.view(i, 'all'), y: x, out: y.view([i, 1]) });
 */
export function call<A extends Axes, P extends Params>(k: Kernel<A, P>, args: CallArgs<P>): A {
  const t = tracer('call'), loc = here(), { ir } = k, given = args as Readonly<Record<string, unknown>>;
  const fail = (id: 'KD-CALL-ARG' | 'KD-CALL-SHAPE' | 'KD-CALL-ASSUME', name: string, why: string, there: { readonly loc?: Loc | undefined }): never => {
    throw new DslError(id, { kernel: k.name, name, why, there: showLoc(there.loc ?? ir.loc) }, { loc });
  };
  for (const n of Object.keys(given)) if (!ir.params.some((p) => p.name === n)) fail('KD-CALL-ARG', n, 'is no parameter', ir);
  const sizes = new Map<string, Expr>(), scalars = new Map<string, Expr>(), tensors = new Map<number, { readonly buf: Buffer; readonly slices: readonly Slice[] }>();

  for (const p of ir.params) {
    const x = given[p.name];
    if (p.kind === 'scalar') {
      if (!(x instanceof Val) && typeof x !== 'number') return fail('KD-CALL-ARG', p.name, `is a ${p.dtype}, but got ${x === undefined ? 'nothing' : 'something else'}`, ir);
      const value = use(exprOf(x, p.dtype, `${k.name}, ${p.name}`));
      if (pure(value)) { scalars.set(p.name, value); continue; }
      // What it is now, whatever the called kernel writes.
      const v = newVar(p.name, p.dtype, 1, loc);
      emit({ kind: 'let', v, value, loc });
      scalars.set(p.name, v);
      continue;
    }
    if (!(x instanceof Tensor || x instanceof View || x instanceof PackedTensor)) return fail('KD-CALL-ARG', p.name, `is a tensor, but got ${x === undefined ? 'nothing' : 'something else'}`, p.buf);
    const of = (b: Buffer): DType | PackedDType => b.packed ?? b.dtype;
    if (of(x.buf) !== of(p.buf)) return fail('KD-CALL-ARG', p.name, `is ${of(p.buf)}, but ${x.buf.name} is ${of(x.buf)}`, p.buf);
    if (p.buf.access !== 'in' && x.buf.space === 'param' && x.buf.access === 'in') throw new DslError('KD-READONLY', { name: x.buf.name }, { loc });
    const slices = x instanceof View ? x.slices.map(named) : slicesOf(x.buf, x.buf.shape.map(() => 'all' as const));
    const extents = slices.flatMap((s) => ('extent' in s ? [s.extent] : []));
    if (extents.length !== p.buf.shape.length) return fail('KD-CALL-SHAPE', p.name, `has ${p.buf.shape.length} dimensions, but ${extents.length} are given of ${x.buf.name}`, p.buf);
    p.buf.shape.forEach((d, i) => agree(d, extents[i]!, p.buf, i));
    if ('at' in slices.at(-1)! && readsBytes(p.buf)) return fail('KD-CALL-SHAPE', p.name, `is read as bytes of other dtypes, but the innermost dimension of ${x.buf.name} is fixed`, p.buf);
    tensors.set(p.buf.id, { buf: x.buf, slices });
  }

  function named(s: Slice): Slice {
    const keep = (e: Expr): Expr => {
      if (pure(e)) return e;
      const v = newVar('at', 'i64', 1, loc);
      emit({ kind: 'let', v, value: use(e), loc });
      return v;
    };
    return 'at' in s ? { at: keep(s.at) } : { start: s.start && keep(s.start), extent: keep(s.extent) };
  }
  function agree(want: Expr, extent: Expr, p: Buffer, d: number): void {
    if (want.kind === 'size' && !sizes.has(want.name)) { sizes.set(want.name, extent); return; }
    const is = want.kind === 'size' ? sizes.get(want.name)! : want, text = `dimension ${d} is ${printExpr(want)}${want.kind === 'size' ? `, which is ${printExpr(is)}` : ''}, but ${printExpr(extent)} is given`;
    if (sameExpr(is, extent)) return;
    if ((isConst(is) && isConst(extent)) || !known(is) || !known(extent)) fail('KD-CALL-SHAPE', p.name, text, p);
    emit({ kind: 'assume', cond: compare('eq', extent, is), text: `${printExpr(extent)} = ${printExpr(is)}, for ${p.name} of ${k.name}`, loc });
  }
  function readsBytes(b: Buffer): boolean {
    let found = false;
    visitExprs(ir.body, (e) => { if (e.kind === 'load' && e.buf.id === b.id && e.as) found = true; });
    return found;
  }

  const leaf = (e: Expr): Expr => (e.kind === 'size' ? sizes.get(e.name) ?? e : e.kind === 'scalar' ? scalars.get(e.name)! : e);
  const unique = (b: Buffer): string => {
    let name = b.name;
    for (let n = 2; t.names.has(name); n++) name = `${b.name}${n}`;
    t.names.add(name);
    return name;
  };
  const { stmt, vars } = renew(ir.body, {
    leaf, nameOf: unique,
    place: (b, index) => { const x = tensors.get(b.id); return x && { buf: x.buf, index: placeIn(x.slices, index) }; },
  });
  visitStmt(stmt, (s) => { if (s.kind === 'assume' && !known(s.cond)) fail('KD-CALL-ASSUME', s.text, printExpr(s.cond), s); });
  emit(stmt);
  for (const p of ir.params) if (p.kind === 'tensor' && p.buf.access !== 'in') recordWrite(tensors.get(p.buf.id)!.buf);
  const extentOf = (e: Expr): Expr => mapExpr(e, leaf);
  return Object.fromEntries(Object.entries(k.axes).map(([n, a]) => [n, new Axis(n, extentOf(a.extent), vars.get(a.v.id) ?? newVar(n, 'i64', 1, loc), a.loc ?? loc)])) as unknown as A;
}
