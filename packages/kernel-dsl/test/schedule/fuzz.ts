/** Random schedules: legal steps drawn one by one, and the comparison of what they made with the algorithm. */
import { DslError } from '../../src/errors/index.ts';
import { DTYPES, isFloat, printKernel } from '../../src/ir/index.ts';
import type { DType, KernelIR } from '../../src/ir/index.ts';
import { mmaNamed, vdpbf16ps_f32x16, vfmadd_f32x8, vpdpbusd_i32x16, wgmmaNamed } from '../../src/instructions/index.ts';
import { emitFileC, emitKernelC } from '../../src/emit/c/index.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { holds, lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { compile, runLibrary } from '../emit/harness.ts';
import type { TensorValue, Value } from '../emit/harness.ts';
import { copyArgs, moduleFor, runOpenCl } from '../gpu/harness.ts';
import { onWarpMachine } from '../gpu/warp-machine.ts';
import { array } from '../run/helpers.ts';
import type { Handles, Piece } from './fuzz-teams.ts';

/** One drawn step: a verb, and numbers from which it picks its operands. */
export interface Draw { readonly verb: (typeof VERBS | typeof ROW_VERBS | typeof SHARED_VERBS | typeof TEAM_VERBS)[number] | 'piece'; readonly a: number; readonly b: number; readonly n: number }

export const VERBS = [
  'split', 'split', 'split', 'tile', 'reorder', 'fuse', 'unroll', 'jam', 'interleave', 'vectorize', 'parallel', 'bind', 'stage', 'stage', 'inline', 'computeAt', 'hoist', 'pipeline', 'rfactor', 'tensorize', 'distribute', 'reverse',
  'deal', 'partials', 'expand', 'wrong',
] as const;
/** The verbs by which lanes share work, with those that move loops around them. */
export const ROW_VERBS = ['split', 'split', 'bind', 'bind', 'deal', 'deal', 'deal', 'partials', 'reorder', 'fuse', 'unroll', 'parallel'] as const;
/** The verbs of programs for GPUs: tiles on workgroups, what their lanes share in shared memory, and the registers of each. */
export const SHARED_VERBS = ['grid', 'grid', 'split', 'split', 'bind', 'reorder', 'shared', 'shared', 'shared', 'stage', 'stage', 'prefetch', 'ahead', 'expand', 'distribute', 'reverse', 'hoist', 'unroll', 'vectorize', 'jam', 'fuse', 'image', 'resident', 'approximate', 'persistent', 'bulk', 'wrong'] as const;
/** The verbs of programs of teams, and those that move loops around them: they come between the steps of a schedule that is right. */
export const TEAM_VERBS = ['split', 'reorder', 'fuse', 'unroll', 'jam', 'vectorize', 'bind', 'team', 'stage', 'shared', 'distribute', 'reverse', 'expand', 'hoist', 'inline', 'prefetch', 'bulk', 'bulk', 'ring', 'ring', 'overlap', 'persistent', 'persistent', 'cluster', 'cluster', 'stream', 'resident', 'approximate', 'product', 'rfactor', 'deal', 'wrong'] as const;
const FACTORS = [1, 2, 3, 4, 8, 16] as const, TAILS = ['clamp', 'peel', 'mask', 'pad'] as const;
const NAMES = ['acc', 'top', 'sum', 'squares', 'scale', 'row', 'd'] as const;
const PLACES = ['block.x', 'block.y', 'lane.x', 'lane.y'] as const;
const INSTRUCTIONS = [vfmadd_f32x8, vpdpbusd_i32x16, vdpbf16ps_f32x16] as const;
const TEAMS = ['team.warp.x', 'team.warp.y', 'team.warpgroup'] as const;
const PRODUCTS = [mmaNamed('mma_m16n16k16_f16'), mmaNamed('mma_m16n16k32_i8'), mmaNamed('mma_m16n16k8_f64'), wgmmaNamed('wgmma_m64n64k16_bf16'), vfmadd_f32x8] as const;
/** Vectors, but products and sums that round as they are written: every difference is then a fault. */
export const MACHINE: Target = { ...target('x86-64-v4-bf16'), fma: false, vecBytes: 16 };
/** The same with instructions that this processor has: what was emitted for it can run. */
export const HERE: Target = { ...target('x86-64-v3'), fma: false, vecBytes: 16 };
/** A GPU that rounds products and sums in the same way. */
export const GPU: Target = { ...target('cuda-sm80'), fma: false };
/** What runs OpenCL on this machine, rounding in the same way. */
export const CL: Target = { ...target('opencl'), fma: false };

/** A call with arguments that types refuse, or that make no sense: also that is refused by an error of the catalogue, or right. */
function wrong(s: Schedule, d: Draw, a: Axis, b: Axis): void {
  const verbs = Object.entries(s).filter((e): e is [string, (...args: readonly unknown[]) => unknown] => typeof e[1] === 'function' && e[0] !== 'vec'), [, call] = verbs[d.n % verbs.length]!;
  const given: readonly unknown[] = [a, undefined, b, null, NaN, -1, 0, 1.5, 2 ** 31, 'acc', 'x', 'reg', [a], [], {}, a.v];
  call(...[d.a, d.b, d.n >> 5, d.n >> 2].slice(0, 1 + (d.n % 4)).map((i) => given[i % given.length]));
}

/** Applies a step; adds the axes that it made to the pool, and returns those that are no more. */
function apply(s: Schedule, d: Draw, pool: Axis[], tensors: readonly string[], { pieces, handles }: { readonly pieces: readonly Piece[]; readonly handles: Handles }): readonly Axis[] {
  const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!;
  const live = (i: number): Axis => pick(pool, i);
  const a = live(d.a), b = live(d.b);
  const made = (...axes: readonly (Axis | undefined)[]): void => { for (const x of axes) if (x) pool.push(x); };
  /** Few loops, or names, can do it: the first from the drawn one on that can. */
  const first = <T>(list: readonly T[], from: number, step: (x: T) => void): void => {
    let why: unknown;
    for (let i = 0; i < list.length; i++) try { step(pick(list, from + i)); return; } catch (e) { if (!(e instanceof DslError)) throw e; why ??= e; }
    throw why;
  };
  const somewhere = (from: number, step: (x: Axis) => void): void => first([...pool], from, step), called = (step: (name: string, x: Axis) => void): void => first(NAMES, d.b, (name) => somewhere(d.a, (x) => step(name, x)));
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
    case 'shared': somewhere(d.a, (x) => { made(...Object.values(s.stage(pick(tensors, d.b), x, 'shared', { fold: d.n % 3 === 0, vector: pick([1, 1, 2, 4] as const, d.n), pad: d.n % 4, ...(d.n % 7 < 2 && { panel: b, turned: d.n % 7 === 1 }) }))); }); return [];
    case 'prefetch': somewhere(d.a, (x) => s.prefetch(x)); return [];
    case 'ahead': somewhere(d.a, (x) => s.pipeline(x, 2 + (d.n % 2))); return [];
    case 'expand': called((name, x) => s.expand(name, x)); return [];
    case 'distribute': {
      // One loop, or two in each other; loops inside of them may stay outside.
      const nest = d.n % 3 === 0 && a !== b ? [a, b] : [a], through = d.n % 2 ? [live(d.b + d.n)].filter((x) => !nest.includes(x)) : [];
      made(...Object.values(s.distribute(nest, through)).flat().filter((x) => !pool.some((y) => y.v.id === x.v.id)));
      return [];
    }
    case 'reverse': s.reverse(a); return [];
    case 'image': somewhere(d.a, (x) => { s.stage(pick(tensors, d.b), x, 'image'); }); return [];
    case 'resident': s.resident(d.n % 5); return [];
    case 'approximate': s.approximate(...pick([['exp2'], ['max'], ['exp2', 'min'], []] as const, d.n)); return [];
    case 'bulk': somewhere(d.a, (x) => s.bulk(pick(tensors, d.b), x)); return [];
    case 'ring': somewhere(d.a, (x) => s.ring(x, 1 + (d.n % 4))); return [];
    case 'overlap': somewhere(d.a, (x) => s.overlap(x)); return [];
    case 'persistent': somewhere(d.a, (x) => s.persistent(x, live(d.b), { workgroups: 1 + (d.n % 5), group: d.n % 4 })); return [];
    case 'stream': somewhere(d.a, (x) => s.stream(x, live(d.b), live(d.n >> 3), { workgroups: d.n % 5 })); return [];
    case 'cluster': somewhere(d.a, (x) => s.cluster(x)); return [];
    case 'team': s.bind({ [pick(TEAMS, d.n)]: a }); return [];
    case 'product': s.tensorize(pick(PRODUCTS, d.n), a, b, live(d.n >> 3)); return [];
    case 'wrong': wrong(s, d, a, b); return [];
    case 'piece': try { pick(pieces, d.n)(s, handles); } finally { made(...Object.values(handles).filter((x) => !pool.includes(x))); } return [];
    case 'inline': first(NAMES, d.b, (name) => s.inline(name)); return [];
    case 'computeAt': called((name, x) => made(...Object.values(s.computeAt(name, x)))); return [];
    case 'hoist': called((name, x) => s.hoist(name, x)); return [];
    case 'pipeline': s.pipeline(a, 2 + (d.n % 2)); return [];
    case 'rfactor': called((name, x) => s.rfactor(name, x)); return [];
    case 'deal': made(...Object.values(s.deal(a, d.n % 3 === 0 ? [b, live(d.n >> 2)] : [b], { lanes: pick([2, 4, 8] as const, d.n >> 1), vector: pick([1, 1, 2] as const, d.n) }))); return [];
    case 'partials': called((name, x) => made(s.partials(name, x))); return [];
    case 'tensorize': s.tensorize(pick(INSTRUCTIONS, d.n), ...(d.n % 2 ? [a, b] : [a])); return [];
  }
}

/** `alive`: loops that a step made others of are drawn no more. `pieces`: steps that draws name by their numbers. */
interface DrawOptions { readonly machine?: Target; readonly alive?: boolean; readonly pieces?: readonly Piece[] }
/** What was drawn: verbs that did something and errors that refused, and the calls of a schedule's own verbs that it took. */
export interface Counts { readonly done: Map<string, number>; readonly refused: Map<string, number>; readonly calls: Map<string, number> }
export const counts = (calls: Map<string, number> = new Map()): Counts => ({ done: new Map(), refused: new Map(), calls });

/** A kernel after the drawn steps; those that are refused change nothing. `refused` and `done` count. Undefined where padding stayed open at the end. */
export function scheduled(k: Kernel, draws: readonly Draw[], counts: Counts, o: DrawOptions = {}): ScheduledKernel | undefined {
  const tensors = k.ir.params.flatMap((p) => (p.kind === 'tensor' ? [p.name] : []));
  const note = (m: Map<string, number>, key: string): void => { m.set(key, (m.get(key) ?? 0) + 1); };
  try {
    return schedule(k, o.machine ?? MACHINE, (verbs, ax) => {
      const pool: Axis[] = Object.values(ax), with_ = { pieces: o.pieces ?? [], handles: { ...ax } as Handles };
      const s = Object.fromEntries(Object.entries(verbs).map(([n, f]) => [n, typeof f === 'function' ? (...args: unknown[]): unknown => { const r = (f as (...args: unknown[]) => unknown)(...args); note(counts.calls, n); return r; } : f as unknown])) as unknown as Schedule;
      for (const d of draws) {
        try {
          const gone = apply(s, d, pool, tensors, with_);
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
    if (e instanceof DslError && (e.id === 'KD-S-PAD' || e.id === 'KD-S-LANES' || e.id === 'KD-S-BARRIER' || e.id === 'KD-S-CARRIED')) return undefined;
    throw e;
  }
}

type Sizes = Readonly<Record<string, number>>;
type Tensors = ReadonlyMap<string, { readonly dtype: DType; readonly data: ArrayLike<number> }>;
/** Arguments from data that a seed gives. */
function argsOf(k: KernelIR, sizes: Sizes, seed: number): Readonly<Record<string, Value>> {
  let x = seed | 0;
  const next = (): number => (x = Math.imul(x, 1664525) + 1013904223 | 0) >>> 8;
  return Object.fromEntries(k.params.flatMap((p) => {
    if (p.kind !== 'tensor') return [];
    const t = p.buf.dtype, shape = p.buf.shape.map((e) => (e.kind === 'const' ? e.value : e.kind === 'size' ? sizes[e.name]! : 0)), n = shape.reduce((a, b) => a * b, 1);
    const lo = DTYPES[t].kind === 'uint' ? 0 : -100;
    return [[p.name, { data: array(t, Array.from({ length: n }, () => (isFloat(t) ? next() / 2 ** 22 - 2 : lo + (next() % 200)))), shape }]];
  }));
}
/** What a kernel leaves in its tensors. */
function results(k: KernelIR, given: Readonly<Record<string, Value>>, seed: number): Tensors {
  const args = copyArgs(given);
  interpret(k, args as Parameters<typeof interpret>[1], { seed });
  return new Map(k.params.flatMap((p) => { const a = args[p.name]; return p.kind === 'tensor' && typeof a === 'object' ? [[p.name, { dtype: p.buf.dtype, data: a.data as ArrayLike<number> }]] : []; }));
}

/** Runs the text of a lowered program on arguments that change in place; false where it could not. */
export type Runner = (low: KernelIR, target: Target, args: Record<string, Value>) => unknown;
/** `args`: instead of drawn ones. `exact`: for which no order of sums rounds. `proved`: is it proved and emitted as well? `run`: what runs the text of the lowered program. */
interface CompareOptions { readonly args?: Readonly<Record<string, Value>>; readonly exact?: boolean; readonly proved?: boolean; readonly run?: Runner | undefined }

/** Compares with the algorithm: bit for bit, or within rounding where the schedule says that it adds up in another order. Throws what differs. */
export function compare(k: Kernel, s: ScheduledKernel, sizes: Sizes, seed: number, o: CompareOptions = {}): void {
  const args = o.args ?? argsOf(k.ir, sizes, seed), want = results(k.ir, args, seed), told = s.steps.map((t) => t.call).join('\n');
  const same = (what: string, got: Tensors, ir: KernelIR, meant = want): void => {
    for (const [name, { dtype, data }] of meant) {
      const mine = got.get(name)!.data;
      for (let i = 0; i < data.length; i++) {
        const x = data[i]!, y = mine[i]!, near = s.reassociates && !o.exact && meant === want && isFloat(dtype) && Math.abs(x - y) <= 1e-4 * (1 + Math.abs(x));
        if (!Object.is(x, y) && !near) throw new Error(`${what}: ${name}[${i}] is ${y}, it should be ${x}\n${told}\n${printKernel(ir)}`);
      }
    }
  };
  same('scheduled', results(s.ir, args, seed), s.ir);
  if (o.proved) for (const f of verify(s.ir).findings) if (f.verdict === 'refuted') throw new Error(`verify: ${f.id} ${f.message}\n${told}\n${printKernel(s.ir)}`);
  let low: KernelIR | undefined;
  try {
    low = lower(s.ir, s.target);
    if (o.proved && s.target.gpu) { for (const a of emitGpu(low, s.target).alignment) if (!k.ir.params.some((p) => p.name === a.param)) throw new Error(`emitted: how ${a.param} lies is asked, which is no argument\n${told}`); }
    else if (o.proved) emitKernelC(low, s.target);
  } catch (e) { if (!(e instanceof DslError)) throw e; }
  if (!low) return;
  const calls = holds(low.body, (x) => x.kind === 'call');
  if (o.run) {
    const got = copyArgs(args), meant = calls ? want : results(low, args, seed);
    if (o.run(low, s.target, got) !== false) same('text', new Map([...want].map(([n, v]) => [n, { dtype: v.dtype, data: (got[n] as { readonly data: ArrayLike<number> }).data }])), low, meant);
  } else if (!calls && !printKernel(k.ir).includes('exp(')) same('lowered', results(low, args, seed), low); // formulas for exp and its like round in their own way
}

/** Emitted C. */
export const inC: Runner = (low, on, args) => {
  const { symbol, meta } = emitKernelC(low, on);
  runLibrary(compile(emitFileC([low], on), on.cflags), [{ symbol, k: low, args, memory: meta }]);
};
/** Emitted CUDA, of GPUs as old as `arch`; asynchronous copies come at once, or as late as they may. */
export const inCuda = (arch: number, late: boolean): Runner => (low, on, args) => onWarpMachine(low, on, args as Record<string, TensorValue>, arch)(args as Record<string, TensorValue>, late);
/**
 * Emitted OpenCL, `bounds`: with every access checked. Throws where one is outside. False where PoCL cannot tell: after a barrier that stands under a condition, which all
 * lanes share, PoCL 3.1 takes the first lane's answer to what each lane is asked. The same text with the condition as the end of a loop runs as it says.
 */
export const inOpenCl = (bounds: boolean, low: KernelIR, on: Target, args: Record<string, Value>): boolean => {
  if (holds(low.body, (s) => s.kind === 'if' && holds(s, (x) => x.kind === 'barrier'))) return false;
  const [faults] = runOpenCl([{ m: moduleFor(low, on, args, { bounds }), k: low, args }]);
  if (faults!.some((x) => x !== 0)) throw new Error(`OpenCL: an access outside of its tensor: ${faults!.join(' ')}\n${printKernel(low)}`);
  return true;
};
