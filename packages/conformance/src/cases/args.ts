import fc from 'fast-check';
import type { InterpretArg, KernelIR, TensorArg, ir } from '@quern/kernel-dsl';
import { eachElement } from '../memory/index.ts';
import { randomFrom } from './random.ts';
import type { Random } from './random.ts';
import { FILL, SPECIALS, VALUES, arrayOf, encoded, put, scalarOf, turningPoints, valueOf } from './values.ts';
import type { Case } from './plan.ts';

/** What a function that makes an argument is told. */
export interface ArgSource {
  /** Of the tensor; empty for a scalar. */
  readonly shape: readonly number[];
  readonly sizes: Readonly<Record<string, number>>;
  /** Numbers from 0 to 1, the same for the same case. */
  readonly random: () => number;
}

/**
 * Where an argument's values come from, instead of the usual ones: a fast-check arbitrary of numbers for a scalar or for each element, or a
 * function that makes all elements, row-major. Halves are given as the numbers that they stand for, bools as 0 and 1.
 */
export type ArgHint = fc.Arbitrary<number> | ((s: ArgSource) => number | ArrayLike<number>);

/** Arguments of one run. `args` holds the sizes by name too where no tensor tells them. */
export interface Trial {
  readonly args: Readonly<Record<string, InterpretArg>>;
  readonly sizes: Readonly<Record<string, number>>;
  /** Sizes that no dimension of a tensor is. */
  readonly loose: Readonly<Record<string, number>>;
}

/** Elements of canary on each side of a tensor. */
export const MARGIN = 16;

/** A dimension of a parameter for given sizes. */
export function dimension(e: ir.Expr, sizes: Readonly<Record<string, number>>): number {
  if (e.kind === 'const') return e.value;
  if (e.kind === 'size') return sizes[e.name] ?? 0;
  if (e.kind !== 'binary') throw new Error(`a dimension is made of sizes and constants, not of ${e.kind}`);
  const a = dimension(e.a, sizes), b = dimension(e.b, sizes);
  switch (e.fn) {
    case 'add': return a + b;
    case 'sub': return a - b;
    case 'mul': return a * b;
    case 'div': return Math.floor(a / b);
    case 'mod': return a - Math.floor(a / b) * b;
    case 'min': return Math.min(a, b);
    case 'max': return Math.max(a, b);
    default: throw new Error(`a dimension cannot be computed with ${e.fn}`);
  }
}

function stridesOf(buf: ir.Buffer, shape: readonly number[], l: Case['layouts'][string]): number[] {
  const rank = shape.length, strides = new Array<number>(rank).fill(1), by = buf.strided && l.transposed && rank > 1;
  const order = shape.map((_, d) => d);
  if (by) order.reverse();
  let step = buf.strided ? 1 + l.inner : 1;
  for (const d of order.toReversed()) {
    strides[d] = step;
    step = step * Math.max(1, shape[d]!) + l.pad;
  }
  if (rank > 0 && l.reversed && (rank > 1 || buf.strided)) strides[0] = -strides[0]!;
  return strides;
}

function tensorArg(buf: ir.Buffer, sizes: Readonly<Record<string, number>>, l: Case['layouts'][string], element: (i: number) => number): TensorArg {
  const shape = buf.shape.map((e) => Math.max(0, dimension(e, sizes))), strides = stridesOf(buf, shape, l);
  let low = 0, high = 0;
  if (!shape.includes(0)) {
    for (const [d, n] of shape.entries()) {
      const reach = (n - 1) * strides[d]!;
      if (reach < 0) low += reach; else high += reach;
    }
  }
  const offset = MARGIN + l.offset - low, data = arrayOf(buf.dtype, offset + high + 1 + MARGIN);
  for (let i = 0; i < data.length; i++) put(data, i, FILL[buf.dtype]);
  const arg = { data, shape, strides, offset };
  if (buf.access !== 'out') eachElement(arg, (i, p) => put(data, p, element(i)));
  return arg;
}

function hinted(hint: ArgHint, s: ArgSource, n: number, seed: number): ArrayLike<number> | number {
  if (typeof hint === 'function') return hint(s);
  return n === 0 ? [] : fc.sample(hint, { numRuns: n, seed });
}

/** The arguments of a case. Equal cases give equal arguments. */
export function makeArgs(k: KernelIR, c: Case, hints: Readonly<Record<string, ArgHint>>): Trial {
  const kind = VALUES[c.values] ?? 'plain', args: Record<string, InterpretArg> = {}, mixture = { turns: turningPoints(k), specials: SPECIALS[c.seed % SPECIALS.length]! };
  for (const [j, p] of k.params.entries()) {
    const seed = Math.imul(c.seed, 31) + j, random: Random = randomFrom(seed), hint = hints[p.name];
    if (p.kind === 'scalar') {
      const made = hint ? hinted(hint, { shape: [], sizes: c.sizes, random }, 1, seed) : scalarOf(p.dtype, kind, random);
      args[p.name] = typeof made === 'number' ? made : made[0] ?? 0;
      continue;
    }
    const shape = p.buf.shape.map((e) => dimension(e, c.sizes)), n = shape.reduce((a, b) => a * b, 1), t = p.buf.dtype;
    const made = hint ? hinted(hint, { shape, sizes: c.sizes, random }, n, seed) : undefined;
    args[p.name] = tensorArg(p.buf, c.sizes, c.layouts[p.name]!, (i) => encoded(made === undefined ? valueOf(t, kind, i, random, mixture) : typeof made === 'number' ? made : made[i] ?? 0, t));
  }
  const told = new Set(k.params.flatMap((p) => (p.kind === 'tensor' ? p.buf.shape.flatMap((e) => (e.kind === 'size' ? [e.name] : [])) : [])));
  const loose = Object.fromEntries(Object.entries(c.sizes).filter(([n]) => !told.has(n)));
  return { args: { ...args, ...loose }, sizes: c.sizes, loose };
}
