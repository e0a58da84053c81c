import { DslError } from '../errors/index.ts';
import { constant, newBuffer, printKernel, size } from '../ir/index.ts';
import type { DType, Expr, KernelIR, Param } from '../ir/index.ts';
import type { Axis } from './axes.ts';
import { here } from './here.ts';
import { Tensor } from './tensor.ts';
import type { DimSpec, ScalarSpec, TensorSpec } from './tensor.ts';
import { trace } from './trace.ts';
import { Val } from './val.ts';

/** One parameter of a kernel as declared: what `tensor(…)` and `scalar(…)` return. */
export type ParamSpec = TensorSpec<DType, readonly DimSpec[]> | ScalarSpec<DType>;
/** The parameters of a kernel by name, in the order in which the compiled kernel takes them. */
export type Params = Readonly<Record<string, ParamSpec>>;
type NamedDims<S> = S extends readonly DimSpec[] ? Extract<S[number], string> : never;
type SizeNames<P extends Params> = { [K in keyof P]: P[K] extends { kind: 'tensor'; dims: infer S } ? NamedDims<S> : never }[keyof P];
/** What a body receives: each parameter under its name, each size under its own. */
export type BodyArgs<P extends Params> =
  { readonly [K in keyof P]: P[K] extends TensorSpec<infer D, infer S> ? Tensor<D, S> : P[K] extends ScalarSpec<infer D> ? Val<D> : never }
  & { readonly [N in SizeNames<P>]: Val<'i64'> };
/** The loops of a kernel by name: the handles that its body returns and that a schedule takes. */
export type Axes = Readonly<Record<string, Axis>>;

/** A traced kernel: its IR and the handles of its loops. */
export interface Kernel<A extends Axes = Axes> {
  readonly name: string;
  readonly ir: KernelIR;
  readonly axes: A;
  /** The IR as text. */
  print(): string;
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
export function kernel<const P extends Params, A extends Axes>(name: string, params: P, body: (args: BodyArgs<P>) => A): Kernel<A> {
  const loc = here();
  const seen = new Set<string>();
  const check = (n: string): void => {
    if (!/^[A-Za-z]\w*$/.test(n)) throw new DslError('KD-NAME', { name: n }, { loc });
  };
  check(name);
  const args: Record<string, unknown> = {};
  const sizes: string[] = [];
  const list: Param[] = [];
  const dim = (d: DimSpec): Expr => {
    if (typeof d === 'number') return constant(d);
    if (!sizes.includes(d)) { check(d); sizes.push(d); }
    return size(d);
  };
  for (const [n, p] of Object.entries(params)) {
    check(n);
    seen.add(n);
    if (p.kind === 'scalar') {
      list.push({ kind: 'scalar', name: n, dtype: p.dtype });
      args[n] = new Val({ kind: 'scalar', dtype: p.dtype, lanes: 1, name: n, loc }, p.dtype);
    } else {
      const buf = newBuffer({ name: n, dtype: p.dtype, space: 'param', shape: p.dims.map(dim), access: p.access, strided: p.isStrided, loc });
      list.push({ kind: 'tensor', name: n, buf });
      args[n] = new Tensor(buf, p.dtype);
    }
  }
  for (const s of sizes) {
    if (seen.has(s)) throw new DslError('KD-NAME', { name: s }, { loc });
    args[s] = new Val(size(s), 'i64');
  }
  const { result, stmt } = trace(name, () => body(args as BodyArgs<P>));
  const ir: KernelIR = { name, params: list, sizes, body: stmt, loc };
  return { name, ir, axes: result ?? ({} as A), print: () => printKernel(ir) };
}
