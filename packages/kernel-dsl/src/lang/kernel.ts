import { DslError } from '../errors/index.ts';
import { HELD, constant as constantExpr, newBuffer, printKernel, size, visitStmt } from '../ir/index.ts';
import type { DType, Expr, KernelIR, PackedDType, Param } from '../ir/index.ts';
import { Axis } from './axes.ts';
import { describe } from './check.ts';
import { chosen, variantName } from './constant.ts';
import type { ConstantSpec, ConstantValue } from './constant.ts';
import type { DimSpec } from './dim.ts';
import { here } from './here.ts';
import { PackedTensor } from './packed.ts';
import type { PackedSpec } from './packed.ts';
import { Tensor } from './tensor.ts';
import type { ScalarSpec, TensorSpec } from './tensor.ts';
import { assumptionsFirst } from './launch.ts';
import { checkScopes } from './scope.ts';
import { trace } from './trace.ts';
import { Val } from './val.ts';

/** One parameter of a kernel as declared: what `tensor(…)`, `scalar(…)` and `constant(…)` return. */
export type ParamSpec = TensorSpec<DType, readonly DimSpec[]> | PackedSpec<PackedDType, readonly DimSpec[]> | ScalarSpec<DType> | ConstantSpec<ConstantValue>;
/** The parameters of a kernel by name, in the order in which the compiled kernel takes them; constants are not passed to it. */
export type Params = Readonly<Record<string, ParamSpec>>;
type NamedDims<S> = S extends readonly DimSpec[] ? Extract<S[number], string> : never;
type ConstantNames<P extends Params> = { [K in keyof P]: P[K] extends { kind: 'constant' } ? K : never }[keyof P];
type SizeNames<P extends Params> = Exclude<{ [K in keyof P]: P[K] extends { kind: 'tensor'; dims: infer S } ? NamedDims<S> : never }[keyof P], ConstantNames<P>>;
/** What a body receives: each parameter under its name (constants as plain numbers, booleans or strings), each size under its own. */
export type BodyArgs<P extends Params> =
  { readonly [K in keyof P]: P[K] extends TensorSpec<infer D, infer S> ? Tensor<D, S> : P[K] extends PackedSpec<infer D, infer S> ? PackedTensor<D, S> : P[K] extends ScalarSpec<infer D> ? Val<D> : P[K] extends ConstantSpec<infer V> ? V : never }
  & { readonly [N in SizeNames<P>]: Val<'i64'> };
/** Values for some of a kernel's constants, by name. */
export type ConstantChoice<P extends Params> = { readonly [K in keyof P as P[K] extends { kind: 'constant' } ? K : never]?: P[K] extends ConstantSpec<infer V> ? V : never };
/** The loops of a kernel by name: the handles that its body returns and that a schedule takes. */
export type Axes = Readonly<Record<string, Axis>>;

/** A traced kernel: its IR and the handles of its loops. */
export interface Kernel<A extends Axes = Axes, P extends Params = Params> {
  readonly name: string;
  readonly params: P;
  readonly ir: KernelIR;
  readonly axes: A;
  /** The IR as text. */
  print(): string;
  /**
   * The kernel with other values for its constants: the body runs again. Its name tells which differ from the defaults.
   * @throws DslError KD-CONSTANT for a name that is no constant of the kernel, or a value of another type than the default.
   * @example tile.with({ T: 32 }).name // 'tile_T32'
   */
  with(constants: ConstantChoice<P>): Kernel<A, P>;
}

/** What a kernel asks of the machine. */
export interface KernelOptions {
  /** Lanes of a subgroup that it is written for: a power of two up to 32, 32 unless told. */
  readonly subgroup?: number;
}

/**
 * Defines a kernel. The body runs once, now, on symbols; it returns the handles of its loops for schedules.
 * @example
 * const saxpy = kernel('saxpy', { a: scalar('f32'), x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ a, x, y, N }) => {
 *   const ax = axes({ i: N });
 *   for (const i of ax.i) y.at(i).addAssign(a.mul(x.at(i)));
 *   return ax;
 * });
 */
export function kernel<const P extends Params, A extends Axes>(name: string, params: P, body: (args: BodyArgs<P>) => A, o: KernelOptions = {}): Kernel<A, P> {
  const loc = here();
  const n = o.subgroup ?? 32;
  if (!Number.isInteger(n) || n < 1 || n > 32 || (n & (n - 1)) !== 0) throw new DslError('KD-SUBGROUP-SIZE', { given: n }, { loc });
  for (const [p, x] of Object.entries(params)) {
    if (!['constant', 'scalar', 'tensor'].includes((x as { kind?: string } | undefined)?.kind ?? '')) throw new DslError('KD-PARAM', { kernel: name, name: p, given: describe(x) }, { loc });
  }
  const build = (choice: ConstantChoice<P>): Kernel<A, P> => {
    const constants = chosen(params, choice, name);
    const variant = variantName(name, params, constants);
    const { ir, axes } = traced(variant, params, constants, body, loc, o);
    return { name: variant, params, ir, axes, print: () => printKernel(ir), with: (more) => build({ ...choice, ...more }) };
  };
  return build({});
}

function traced<P extends Params, A extends Axes>(name: string, params: P, constants: Readonly<Record<string, ConstantValue>>, body: (args: BodyArgs<P>) => A, loc: KernelIR['loc'], o: KernelOptions): { ir: KernelIR; axes: A } {
  const seen = new Set<string>();
  const check = (n: string): void => {
    if (!/^[A-Za-z]\w*$/.test(n)) throw new DslError('KD-NAME', { name: n }, { loc });
  };
  check(name);
  const args: Record<string, unknown> = {};
  const sizes: string[] = [];
  const list: Param[] = [];
  const dim = (d: DimSpec): Expr => {
    const n = typeof d === 'string' && Object.hasOwn(constants, d) ? constants[d] : d;
    if (typeof n !== 'string') {
      if (typeof n !== 'number' || !Number.isInteger(n) || n < 0) throw new DslError('KD-DIM', { dim: String(d), given: String(n) }, { loc });
      return constantExpr(n);
    }
    if (!sizes.includes(n)) { check(n); sizes.push(n); }
    return size(n);
  };
  for (const [n, p] of Object.entries(params)) {
    check(n);
    seen.add(n);
    if (p.kind === 'constant') args[n] = constants[n];
    else if (p.kind === 'scalar') {
      list.push({ kind: 'scalar', name: n, dtype: p.dtype });
      args[n] = new Val({ kind: 'scalar', dtype: p.dtype, lanes: 1, name: n, loc }, p.dtype);
    } else {
      const t = p.dtype, packed = t === 'i4' || t === 'u4' ? t : undefined, held = t === 'i4' || t === 'u4' ? HELD[t] : t;
      const buf = newBuffer({ name: n, dtype: held, space: 'param', shape: p.dims.map(dim), access: p.access, strided: p.isStrided, ...(packed && { packed }), loc });
      list.push({ kind: 'tensor', name: n, buf });
      args[n] = packed ? new PackedTensor(buf, packed) : new Tensor(buf, held);
    }
  }
  for (const s of sizes) {
    if (seen.has(s)) throw new DslError('KD-NAME', { name: s }, { loc });
    args[s] = new Val(size(s), 'i64');
  }
  const why = typeof body === 'function' && body.constructor.name === 'Function' ? undefined : `is ${describe(body)}`;
  if (why !== undefined) throw new DslError('KD-BODY', { kernel: name, why }, { loc });
  const { result, stmt } = trace(name, () => body(args as BodyArgs<P>), o.subgroup);
  if (result !== undefined && (result === null || typeof result !== 'object' || !Object.values(result).every((x) => x instanceof Axis))) throw new DslError('KD-BODY', { kernel: name, why: `returns ${describe(result)}${typeof result === 'object' && result !== null && !(result instanceof Promise) ? ' that holds more than handles of loops' : ''}` }, { loc });
  checkScopes(stmt, list);
  const loops = new Set<number>();
  visitStmt(stmt, (s) => { if (s.kind === 'for') loops.add(s.v.id); });
  for (const a of Object.values(result ?? {})) if (!loops.has(a.v.id)) throw new DslError('KD-AXIS-UNUSED', { axis: a.name }, { loc: a.loc ?? loc });
  const ir: KernelIR = { name, params: list, sizes, ...(Object.keys(constants).length ? { constants } : {}), ...(o.subgroup !== undefined && { subgroup: o.subgroup }), body: assumptionsFirst(stmt), loc };
  return { ir, axes: result ?? ({} as A) };
}
