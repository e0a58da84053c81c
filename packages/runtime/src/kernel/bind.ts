import { ArgumentError, ShapeError } from '../errors/index.ts';
import type { NativeBuffer } from '../native/index.ts';
import { operand, type Operand, type TensorArg } from './operand.ts';
import { mayOverlap, selfDistinct } from './overlap.ts';
import type { Signature } from './signature.ts';
import { setInteger, setScalar, slots, type Slots } from './slots.ts';

/** What a scalar parameter may be given. */
export type ScalarArg = number | bigint | boolean;

/** Arguments by parameter name. */
export type KernelArgs = Readonly<Record<string, TensorArg | ScalarArg>>;

/** A launch's arguments in the form that native code takes; reused between calls. */
export interface Bound {
  readonly buffers: NativeBuffer[];
  /** start, low, high, writes of each buffer, in bytes. */
  readonly ranges: Float64Array;
  readonly sizes: Slots;
  readonly scalars: Slots;
  /** The value of each named size. */
  readonly values: number[];
  /** The least dimension that bears each named size: what the size may grow to while the tensors stay. */
  readonly limits: number[];
}

/** Room for the arguments of one launch. */
export function emptyBound(s: Signature): Bound {
  const count = s.sizes.length;
  return {
    buffers: [], ranges: new Float64Array(4 * s.tensors.length), sizes: slots(s.sizeCount), scalars: slots(s.scalars.length),
    values: new Array<number>(count).fill(0), limits: new Array<number>(count).fill(Infinity),
  };
}

/**
 * Checks all arguments of a launch and writes them to `into`. Nothing native has run when it throws.
 *
 * @param device where the kernel runs; the CPU unless told
 * @returns the tensors, in the order of the signature
 * @param given sizes that the caller sets instead of the shapes; each dimension that bears one must be at least as large
 */
export function bindArguments(s: Signature, args: KernelArgs, given: Readonly<Record<string, number>> | undefined, into: Bound, device?: string): readonly Operand[] {
  for (const name in args) {
    if (!s.names.has(name)) throw new ArgumentError(`kernel '${s.name}' has no parameter '${name}'`, { fix: `its parameters are ${[...s.names].join(', ')}` });
  }
  const operands = s.tensors.map((p) => operand(p, required(s, args, p.meta.name), s.name, device));
  bindSizes(s, operands, given, into);
  checkOverlaps(s, operands);
  for (const [i, p] of s.scalars.entries()) setScalar(into.scalars, i, p.dtype, required(s, args, p.name), `kernel '${s.name}': '${p.name}'`);
  for (const [i, o] of operands.entries()) writeOperand(s, i, o, into);
  return operands;
}

/** Puts one operand where native code finds it. */
function writeOperand(s: Signature, i: number, o: Operand, into: Bound): void {
  const param = s.tensors[i];
  if (o.buffer !== undefined) into.buffers[i] = o.buffer;
  into.ranges[4 * i] = o.start;
  into.ranges[4 * i + 1] = o.low;
  into.ranges[4 * i + 2] = o.high;
  into.ranges[4 * i + 3] = param?.writes === true ? 1 : 0;
  for (let d = 0; d < o.strides.length; d++) setInteger(into.sizes, (param?.strideSlot ?? 0) + d, o.strides[d] ?? 0);
}

function required(s: Signature, args: KernelArgs, name: string): TensorArg | ScalarArg {
  const value = args[name];
  if (value === undefined) throw new ArgumentError(`kernel '${s.name}' needs '${name}'`, { fix: `pass ${[...s.names].join(', ')}` });
  return value;
}

/** Gives each named size its value and holds every dimension to it. */
function bindSizes(s: Signature, operands: readonly Operand[], given: Readonly<Record<string, number>> | undefined, into: Bound): void {
  const values = new Map<string, number>();
  const origin = new Map<string, string>();
  into.limits.fill(Infinity);
  for (const name in given) {
    const value = given[name];
    if (!s.sizes.includes(name)) throw new ArgumentError(`kernel '${s.name}' has no size '${name}'`, { fix: `its sizes are ${s.sizes.join(', ')}` });
    if (value === undefined || !Number.isSafeInteger(value) || value < 0) throw new ArgumentError(`kernel '${s.name}': size '${name}' must be a non-negative integer, got ${String(value)}`);
    values.set(name, value);
  }
  eachDimension(s, operands, (dim, n, tensor, d) => {
    if (dim.kind === 'number') {
      if (n !== dim.value) throw new ShapeError(`kernel '${s.name}': '${tensor}' must have ${dim.value} in dimension ${d}, got ${n}`);
    } else if (dim.kind === 'size') {
      const k = s.sizes.indexOf(dim.name);
      into.limits[k] = Math.min(into.limits[k] ?? Infinity, n);
      const value = values.get(dim.name);
      if (given?.[dim.name] !== undefined) {
        if (n < (value ?? 0)) throw new ShapeError(`kernel '${s.name}': size '${dim.name}' is ${value}, but '${tensor}' has only ${n} in dimension ${d}`);
      } else if (value === undefined) {
        values.set(dim.name, n);
        origin.set(dim.name, tensor);
      } else if (value !== n) {
        throw new ShapeError(`kernel '${s.name}': size '${dim.name}' is ${value} in '${origin.get(dim.name)}' but ${n} in '${tensor}'`);
      }
    }
  });
  for (const [k, name] of s.sizes.entries()) {
    const value = values.get(name);
    if (value === undefined) throw new ArgumentError(`kernel '${s.name}': no tensor has the size '${name}' as a dimension`, { fix: `give it: { sizes: { ${name}: ... } }` });
    into.values[k] = value;
    setInteger(into.sizes, k, value);
  }
  eachDimension(s, operands, (dim, n, tensor, d) => {
    if (dim.kind !== 'expression') return;
    const value = dim.value(values);
    if (value === n) return;
    if (n > value && dim.names.some((name) => given?.[name] !== undefined)) return;
    throw new ShapeError(`kernel '${s.name}': '${tensor}' must have ${dim.text} = ${value} in dimension ${d}, got ${n}`);
  });
}

function eachDimension(s: Signature, operands: readonly Operand[], f: (dim: Signature['tensors'][number]['dims'][number], n: number, tensor: string, d: number) => void): void {
  for (const [i, p] of s.tensors.entries()) {
    for (const [d, dim] of p.dims.entries()) f(dim, operands[i]?.shape[d] ?? 0, p.meta.name, d);
  }
}

function checkOverlaps(s: Signature, operands: readonly Operand[]): void {
  for (const [i, a] of operands.entries()) {
    const p = s.tensors[i];
    if (p === undefined || !p.writes) continue;
    if (!selfDistinct(a)) {
      throw new ArgumentError(`kernel '${s.name}': '${p.meta.name}' is written, but several of its elements share a place`, { code: 'QUERN_OVERLAP', fix: 'pass a tensor that is not broadcast' });
    }
    for (const [j, b] of operands.entries()) {
      if (i === j || a.identity !== b.identity || !mayOverlap(a, b)) continue;
      throw new ArgumentError(`kernel '${s.name}': '${p.meta.name}' is written and overlaps '${s.tensors[j]?.meta.name ?? ''}'`, { code: 'QUERN_OVERLAP', fix: 'pass a tensor of its own, for instance clone(tensor)' });
    }
  }
}
