import { binaryOp, valueOf } from './arith.ts';
import { checkOverlap } from './overlap.ts';
import { RunError } from './error.ts';
import type { RunErrorDetail, RunErrorId } from './error.ts';
import { ARRAYS, argumentStrides, paramMemory, perPlace } from './memory.ts';
import type { Memory, TypedArray } from './memory.ts';
import { DTYPES, isFloat, printExpr } from '../ir/index.ts';
import type { Buffer, DType, Expr, KernelIR } from '../ir/index.ts';

/** A tensor for {@link interpret}: `data[offset + sum of index[d] * strides[d]]` is an element. Strides and offset count elements; by default the tensor is dense and starts at 0. */
export interface TensorArg {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly strides?: readonly number[] | undefined;
  readonly offset?: number | undefined;
}
/** An argument of {@link interpret}: a tensor for a tensor parameter, a number for a scalar parameter. */
export type InterpretArg = TensorArg | number;

/** A kernel's parameters with values. */
export interface Bound {
  readonly memories: Map<number, Memory>;
  readonly sizes: ReadonlyMap<string, number>;
  readonly scalars: ReadonlyMap<string, number>;
}

/** A dimension of a parameter: sizes, constants and index arithmetic on them; undefined while a size in it is unknown. */
function dimension(e: Expr, sizes: ReadonlyMap<string, number>): number | undefined {
  if (e.kind === 'const') return e.value;
  if (e.kind === 'size') return sizes.get(e.name);
  if (e.kind !== 'binary') return undefined;
  const a = dimension(e.a, sizes), b = dimension(e.b, sizes);
  return a === undefined || b === undefined ? undefined : binaryOp(e.fn, 'i64')?.(a, b);
}

function scalar(k: KernelIR, name: string, t: DType, arg: InterpretArg): number {
  const fail = (why: string): never => { throw new RunError('KD-RUN-ARG', `${k.name}: scalar ${name} ${why}`, { loc: k.loc, buffer: name }); };
  if (typeof arg !== 'number') return fail(`is ${t}, but got a tensor`);
  if (isFloat(t)) return valueOf(arg, t);
  if (!Number.isSafeInteger(arg)) return fail(`is ${t}, but got ${arg}`);
  const v = valueOf(arg, t);
  return v === arg || (v === 0 && arg === 0) ? v : fail(`is ${t}, and ${arg} is out of its range`);
}

/** Checks all arguments against the kernel's parameters and gives them to it. Nothing has been written when this throws. */
export function bind(k: KernelIR, args: Readonly<Record<string, InterpretArg>>): Bound {
  const fail = (id: RunErrorId, what: string, d: RunErrorDetail = {}): never => { throw new RunError(id, `${k.name}: ${what}`, { loc: k.loc, ...d }); };
  const sizes = new Map<string, number>(), source = new Map<string, string>();
  const scalars = new Map<string, number>(), memories = new Map<number, Memory>();
  const known = new Set([...k.params.map((p) => p.name), ...k.sizes]);
  for (const name of Object.keys(args)) {
    if (!known.has(name)) fail('KD-RUN-ARG', `there is no parameter ${name}`, { buffer: name, fix: `The parameters are ${[...known].join(', ')}.` });
  }
  // A size may be given by name too: the only way where it appears in no dimension on its own.
  for (const s of k.sizes) {
    const v = Object.hasOwn(args, s) && !k.params.some((p) => p.name === s) ? args[s] : undefined;
    if (v === undefined) continue;
    if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 0) return fail('KD-RUN-ARG', `size ${s} is a count, but got ${typeof v === 'number' ? v : 'a tensor'}`, { buffer: s });
    sizes.set(s, v);
    source.set(s, 'the arguments');
  }

  const tensors: { buf: Buffer; arg: TensorArg; name: string }[] = [];
  for (const p of k.params) {
    const arg = Object.hasOwn(args, p.name) ? args[p.name] : undefined;
    if (arg === undefined) return fail('KD-RUN-ARG', `parameter ${p.name} is missing`, { buffer: p.name });
    if (p.kind === 'scalar') { scalars.set(p.name, scalar(k, p.name, p.dtype, arg)); continue; }
    const { buf } = p, want = ARRAYS[buf.packed ? 'u8' : buf.dtype], at = { loc: buf.loc ?? k.loc, buffer: p.name };
    if (typeof arg === 'number') return fail('KD-RUN-ARG', `${p.name} is a tensor, but got the number ${arg}`, at);
    if (!(arg.data instanceof want)) fail('KD-RUN-ARG', `${p.name} is ${buf.packed ?? buf.dtype}, which lives in a ${want.name}, but got ${(arg.data as object | undefined)?.constructor.name ?? typeof arg.data}`, at);
    if (arg.shape.length !== buf.shape.length) fail('KD-RUN-SIZE', `${p.name} has ${buf.shape.length} dimensions, but got the shape [${arg.shape.join(', ')}]`, at);
    if (!arg.shape.every((n) => Number.isSafeInteger(n) && n >= 0)) fail('KD-RUN-ARG', `${p.name}: [${arg.shape.join(', ')}] is no shape`, at);
    tensors.push({ buf, arg, name: p.name });
    for (const [d, e] of buf.shape.entries()) {
      if (e.kind !== 'size') continue;
      const n = arg.shape[d]!, old = sizes.get(e.name);
      if (old !== undefined && old !== n) fail('KD-RUN-SIZE', `dimension ${d} of ${p.name} is ${n}, but ${e.name} is ${old} from ${source.get(e.name)}`, at);
      if (old === undefined) { sizes.set(e.name, n); source.set(e.name, `dimension ${d} of ${p.name}`); }
    }
  }
  for (const s of k.sizes) {
    if (!sizes.has(s)) fail('KD-RUN-SIZE', `nothing tells the size ${s}`, { buffer: s, fix: `Pass ${s} as an argument of its own, or declare a tensor with a dimension that is just ${s}.` });
  }

  for (const { buf, arg, name } of tensors) {
    const at = { loc: buf.loc ?? k.loc, buffer: name };
    for (const [d, e] of buf.shape.entries()) {
      const n = dimension(e, sizes);
      if (n === undefined) fail('KD-RUN-IR', `dimension ${d} of ${name} is ${printExpr(e)}, which is no arithmetic on sizes`, at);
      if (n !== arg.shape[d]) fail('KD-RUN-SIZE', `dimension ${d} of ${name} is ${arg.shape[d]}, but ${printExpr(e)} is ${n}`, at);
    }
    const strides = arg.strides ?? argumentStrides(buf, arg.shape), base = arg.offset ?? 0;
    if (strides.length !== arg.shape.length || !strides.every(Number.isSafeInteger)) fail('KD-RUN-ARG', `${name} needs ${arg.shape.length} strides in elements, but got [${strides.join(', ')}]`, at);
    if (!Number.isSafeInteger(base) || base < 0) fail('KD-RUN-ARG', `${name}: ${base} is no offset`, at);
    const inner = arg.shape.length - 1;
    if (!buf.strided && inner >= 0 && arg.shape[inner]! > 1 && strides[inner] !== 1) {
      fail('KD-RUN-ARG', `the innermost stride of ${name} is ${strides[inner]}, but must be 1`, { ...at, fix: `Copy the tensor so that its rows are contiguous, or declare ${name} as strided.` });
    }
    if (buf.packed && (base % 2 !== 0 || strides.some((s, d) => d < inner && s % 2 !== 0))) fail('KD-RUN-ARG', `${name} holds two elements in a byte: its offset ${base} and strides [${strides.join(', ')}] must be even, but for the innermost stride`, { ...at, fix: 'Begin rows at whole bytes: pad them to an even number of elements.' });
    const m = paramMemory(buf, arg.data, arg.shape, strides, base, buf.access === 'out');
    if (m.span > 0 && (m.lo < 0 || m.lo + m.span > arg.data.length * perPlace(buf))) {
      fail('KD-RUN-OOB', `${name} with shape [${arg.shape.join(', ')}], strides [${strides.join(', ')}] and offset ${base} reaches positions ${m.lo} to ${m.lo + m.span - 1}, but its ${kindOf(buf.packed ? 'u8' : buf.dtype)} has ${arg.data.length} elements`,
        { ...at, fix: 'Pass a longer array, or the shape, strides and offset that it really has.' });
    }
    memories.set(buf.id, m);
  }
  const clash = checkOverlap([...memories.values()]);
  if (clash) fail('KD-RUN-ALIAS', clash.what, { buffer: clash.buffer });
  return { memories, sizes, scalars };
}

const kindOf = (t: DType): string => `${ARRAYS[t].name} (${DTYPES[t].bytes} bytes each)`;
