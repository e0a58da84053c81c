/** Random schedules: legal steps drawn one by one, and the comparison of what they made with the algorithm. */
import { DslError } from '../../src/errors/index.ts';
import { DTYPES, isFloat, printKernel } from '../../src/ir/index.ts';
import type { DType, KernelIR } from '../../src/ir/index.ts';
import { vdpbf16ps_f32x16, vfmadd_f32x8, vpdpbusd_i32x16 } from '../../src/instructions/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';

/** One drawn step: a verb, and numbers from which it picks its operands. */
export interface Draw { readonly verb: (typeof VERBS | typeof ROW_VERBS | typeof SHARED_VERBS)[number]; readonly a: number; readonly b: number; readonly n: number }

export const VERBS = [
  'split', 'split', 'split', 'tile', 'reorder', 'fuse', 'unroll', 'jam', 'interleave', 'vectorize', 'parallel', 'bind', 'stage', 'stage', 'inline', 'computeAt', 'hoist', 'pipeline', 'rfactor', 'tensorize', 'distribute', 'reverse',
] as const;
/** The verbs by which lanes share work, with those that move loops around them. */
export const ROW_VERBS = ['split', 'split', 'bind', 'bind', 'deal', 'deal', 'deal', 'partials', 'reorder', 'fuse', 'unroll', 'parallel'] as const;
/** The verbs of programs for GPUs: tiles on workgroups, what their lanes share in shared memory, and the registers of each. */
export const SHARED_VERBS = ['grid', 'grid', 'split', 'split', 'bind', 'reorder', 'shared', 'shared', 'shared', 'stage', 'stage', 'prefetch', 'ahead', 'expand', 'distribute', 'reverse', 'hoist', 'unroll', 'vectorize', 'jam', 'fuse'] as const;
const FACTORS = [1, 2, 3, 4, 8, 16] as const, TAILS = ['clamp', 'peel', 'mask', 'pad'] as const;
const NAMES = ['acc', 'top', 'sum', 'squares', 'scale', 'row', 'd'] as const;
const PLACES = ['block.x', 'block.y', 'lane.x', 'lane.y'] as const;
const INSTRUCTIONS = [vfmadd_f32x8, vpdpbusd_i32x16, vdpbf16ps_f32x16] as const;
/** Vectors, but products and sums that round as they are written: every difference is then a fault. */
export const MACHINE: Target = { ...target('x86-64-v4-bf16'), fma: false, vecBytes: 16 };
/** A GPU that rounds products and sums in the same way. */
export const GPU: Target = { ...target('cuda-sm80'), fma: false };

/** Applies a step; adds the axes that it made to the pool, and returns those that are no more. */
function apply(s: Schedule, d: Draw, pool: Axis[], tensors: readonly string[]): readonly Axis[] {
  const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!;
  const live = (i: number): Axis => pick(pool, i);
  const a = live(d.a), b = live(d.b);
  const made = (...axes: readonly (Axis | undefined)[]): void => { for (const x of axes) if (x) pool.push(x); };
  /** Few loops can do it: the first from the drawn one on that can. */
  const somewhere = (from: number, step: (x: Axis) => void): void => {
    let why: unknown;
    for (let i = 0; i < pool.length; i++) try { step(live(from + i)); return; } catch (e) { if (!(e instanceof DslError)) throw e; why ??= e; }
    throw why;
  };
  switch (d.verb) {
    case 'split': made(...s.split(a, pick(FACTORS, d.n), { tail: pick(TAILS, d.b) })); return [a];
    case 'tile': made(...s.tile(a, b, [pick(FACTORS, d.n), pick(FACTORS, d.n >> 3)], { tail: pick(['clamp', 'mask', 'pad'] as const, d.n >> 6) })); return [a, b];
    case 'reorder': s.reorder(a, b, ...(d.n % 3 === 0 ? [live(d.n)] : [])); return [];
    case 'fuse': made(s.fuse(a, b)); return [a, b];
    case 'unroll': s.unroll(a); return [];
    case 'jam': s.jam(a); return [];
    case 'interleave': made(...s.interleave(a, 1 + (d.n % 3))); return [];
    case 'vectorize': s.vectorize(a); return [];
    case 'parallel': s.parallel(a); return [];
    case 'bind': s.bind({ [pick(PLACES, d.n)]: a }); return [];
    case 'stage': made(...Object.values(s.stage(pick(tensors, d.b), a, d.n % 2 ? 'reg' : 'pack', { fold: d.n % 3 === 0, partial: d.n % 5 === 0, ...(d.n % 7 < 3 && { panel: b }) }))); return [];
    case 'grid': {
      const tail = pick(['mask', 'pad'] as const, d.n >> 6), [m, i] = s.split(a, pick(FACTORS, d.n >> 1), { tail });
      const nested = (...order: readonly Axis[]): boolean => { try { s.reorder(...order); return true; } catch (e) { if (e instanceof DslError) return false; throw e; } };
      const inner = pool.filter((x) => x !== a && x !== b).slice(0, 1 + (d.n % 2));
      const [n, j] = d.n % 3 === 0 || a === b ? [] : s.split(b, pick(FACTORS, d.n >> 3), { tail });
      // Conditions end up inside of the innermost loop, where lanes may differ.
      if (n && j && (nested(m, n, i, j, ...inner) || nested(m, n, i, j))) s.bind({ 'block.y': m, 'block.x': n, 'lane.y': i, 'lane.x': j });
      else { nested(m, i, ...inner); s.bind({ 'block.x': m, 'lane.x': i }); }
      made(m, i, n, j);
      return n ? [a, b] : [a];
    }
    case 'shared': somewhere(d.a, (x) => { made(...Object.values(s.stage(pick(tensors, d.b), x, 'shared', { fold: d.n % 3 === 0, vector: pick([1, 1, 2, 4] as const, d.n), pad: d.n % 4, ...(d.n % 7 < 2 && { panel: b }) }))); }); return [];
    case 'prefetch': somewhere(d.a, (x) => s.prefetch(x)); return [];
    case 'ahead': somewhere(d.a, (x) => s.pipeline(x, 2 + (d.n % 2))); return [];
    case 'expand': s.expand(pick(NAMES, d.b), b); return [];
    case 'distribute': {
      // One loop, or two in each other; loops inside of them may stay outside.
      const nest = d.n % 3 === 0 && a !== b ? [a, b] : [a], through = d.n % 2 ? [live(d.b + d.n)].filter((x) => !nest.includes(x)) : [];
      made(...Object.values(s.distribute(nest, through)).flat().filter((x) => !pool.some((y) => y.v.id === x.v.id)));
      return [];
    }
    case 'reverse': s.reverse(a); return [];
    case 'inline': s.inline(pick(NAMES, d.b)); return [];
    case 'computeAt': made(...Object.values(s.computeAt(pick(NAMES, d.b), a))); return [];
    case 'hoist': s.hoist(pick(NAMES, d.b), a); return [];
    case 'pipeline': s.pipeline(a, 2 + (d.n % 2)); return [];
    case 'rfactor': s.rfactor(pick(NAMES, d.b), a); return [];
    case 'deal': made(...Object.values(s.deal(a, d.n % 3 === 0 ? [b, live(d.n >> 2)] : [b], { lanes: pick([2, 4, 8] as const, d.n >> 1), vector: pick([1, 1, 2] as const, d.n) }))); return [];
    case 'partials': made(s.partials(pick(NAMES, d.b), a)); return [];
    case 'tensorize': s.tensorize(pick(INSTRUCTIONS, d.n), ...(d.n % 2 ? [a, b] : [a])); return [];
  }
}

/** `alive`: loops that a step made others of are drawn no more. */
interface DrawOptions { readonly machine?: Target; readonly alive?: boolean }

/** A kernel after the drawn steps; those that are refused change nothing. `refused` and `done` count. Undefined where padding stayed open at the end. */
export function scheduled(k: Kernel, draws: readonly Draw[], counts: { done: Map<string, number>; refused: Map<string, number> }, o: DrawOptions = {}): ScheduledKernel | undefined {
  const tensors = k.ir.params.flatMap((p) => (p.kind === 'tensor' ? [p.name] : []));
  const note = (m: Map<string, number>, key: string): void => { m.set(key, (m.get(key) ?? 0) + 1); };
  try {
    return schedule(k, o.machine ?? MACHINE, (s, ax) => {
      const pool: Axis[] = Object.values(ax);
      for (const d of draws) {
        try {
          const gone = apply(s, d, pool, tensors);
          note(counts.done, d.verb);
          if (o.alive) for (const x of gone) pool.splice(pool.indexOf(x), 1);
        } catch (e) {
          if (!(e instanceof DslError)) throw e;
          note(counts.refused, e.id);
          if (o.alive && e.id === 'KD-S-CONSUMED' && pool.length > 1) pool.splice(pool.findIndex((x) => e.text.includes(`${x.name} `)), 1);
        }
      }
    });
  } catch (e) {
    if (e instanceof DslError && (e.id === 'KD-S-PAD' || e.id === 'KD-S-LANES' || e.id === 'KD-S-BARRIER')) return undefined;
    throw e;
  }
}

type Sizes = Readonly<Record<string, number>>;
/** What a kernel leaves in its tensors, from data that a seed gives. */
function results(k: KernelIR, sizes: Sizes, seed: number): ReadonlyMap<string, { readonly dtype: DType; readonly data: readonly number[] }> {
  let x = seed | 0;
  const next = (): number => (x = Math.imul(x, 1664525) + 1013904223 | 0) >>> 8;
  const out = new Map<string, { dtype: DType; data: ArrayLike<number> }>();
  const args = Object.fromEntries(k.params.flatMap((p) => {
    if (p.kind !== 'tensor') return [];
    const t = p.buf.dtype, shape = p.buf.shape.map((e) => (e.kind === 'const' ? e.value : e.kind === 'size' ? sizes[e.name]! : 0)), n = shape.reduce((a, b) => a * b, 1);
    const lo = DTYPES[t].kind === 'uint' ? 0 : -100;
    const data = array(t, Array.from({ length: n }, () => (isFloat(t) ? next() / 2 ** 22 - 2 : lo + (next() % 200))));
    out.set(p.name, { dtype: t, data: data as ArrayLike<number> });
    return [[p.name, { data, shape }]];
  }));
  interpret(k, args, { seed });
  return new Map([...out].map(([n, v]) => [n, { dtype: v.dtype, data: Array.from(v.data) }]));
}

/** Compares with the algorithm: bit for bit, or within rounding where the schedule says that it adds up in another order. Throws what differs. */
export function compare(k: Kernel, s: ScheduledKernel, sizes: Sizes, seed: number): void {
  const want = results(k.ir, sizes, seed);
  const check = (what: string, ir: KernelIR): void => {
    const got = results(ir, sizes, seed);
    for (const [name, { dtype, data }] of want) {
      got.get(name)!.data.forEach((y, i) => {
        const x = data[i]!, near = s.reassociates && isFloat(dtype) && Math.abs(x - y) <= 1e-4 * (1 + Math.abs(x));
        if (!Object.is(x, y) && !near) throw new Error(`${what}: ${name}[${i}] is ${y}, the algorithm says ${x}\n${s.steps.map((t) => t.call).join('\n')}\n${printKernel(ir)}`);
      });
    }
  };
  check('scheduled', s.ir);
  let low: KernelIR | undefined;
  try { low = lower(s.ir, s.target); } catch (e) { if (!(e instanceof DslError)) throw e; }
  // Formulas for exp and its like round in their own way.
  if (low && !printKernel(k.ir).includes('exp(')) check('lowered', low);
}
