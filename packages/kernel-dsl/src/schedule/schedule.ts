import type { Approximate, Instruction, KernelIR, Loc } from '../ir/index.ts';
import { specViolation } from '../ir/index.ts';
import { DslError } from '../errors/index.ts';
import { here } from '../lang/index.ts';
import type { Axes, Axis, Kernel } from '../lang/index.ts';
import type { Target } from '../targets/index.ts';
import { approximate } from './approximate.ts';
import { guarded } from './arguments.ts';
import { placeBarriers } from './barriers.ts';
import { bind, checkBlocks, checkLanes } from './bind.ts';
import { bulk, overlap, persistent, ring } from './bulk.ts';
import { cluster } from './cluster.ts';
import type { GridPlace } from './bind.ts';
import { computeAt } from './compute-at.ts';
import { deal } from './deal.ts';
import type { DealOptions } from './deal.ts';
import { distribute, reverse } from './distribute.ts';
import { expand } from './expand.ts';
import { fuse } from './fuse.ts';
import { hoist } from './hoist.ts';
import { inline } from './inline.ts';
import { interleave, jam } from './jam.ts';
import * as mark from './mark.ts';
import { resolvePads } from './pads.ts';
import { pipeline } from './pipeline.ts';
import { prefetch } from './prefetch.ts';
import { reorder } from './reorder.ts';
import { partials, rfactor } from './rfactor.ts';
import { split } from './split.ts';
import type { Tail } from './split.ts';
import { stage } from './stage.ts';
import { stream } from './stream.ts';
import type { StageOptions } from './stage-options.ts';
import type { At, State } from './state.ts';
import { tensorize } from './tensorize.ts';

/** The program after one call of a schedule. */
export interface Step { readonly call: string; readonly loc: Loc | undefined; readonly ir: KernelIR }

/** A kernel with the order, the memory and the parallelism that a schedule chose for one target. */
export interface ScheduledKernel {
  readonly name: string;
  readonly target: Target;
  readonly ir: KernelIR;
  /** The algorithm, then the program after each call. */
  readonly steps: readonly Step[];
  /** Does the schedule change the order of sums? If not, results equal the interpreter's bit for bit. */
  readonly reassociates: boolean;
}

/** The verbs of a schedule. Each states what it needs and refuses with the reason, the place and a fix. */
export interface Schedule {
  readonly target: Target;
  /** Lanes of a vector register for a dtype. */
  vec(dtype: 'f32' | 'f64' | 'i32'): number;
  /** i = outer * factor + inner. Tails: see {@link Tail}; with `peel`, the third handle is the loop over the rest. */
  split(axis: Axis, factor: number, o?: { tail?: Tail; names?: readonly [string, string] }): readonly [Axis, Axis, Axis | undefined];
  /** Two loops of one nest in tiles: both are split and the inner loops moved inside. Returns the loops over tiles, then those inside of one. */
  tile(a: Axis, b: Axis, sizes: readonly [number, number], o?: { tail?: Exclude<Tail, 'peel'> }): readonly [Axis, Axis, Axis, Axis];
  /** Two loops, the second directly in the first, as one over all pairs. */
  fuse(outer: Axis, inner: Axis, name?: string): Axis;
  /** The loops of one nest, in a new order, outermost first. */
  reorder(...order: readonly Axis[]): void;
  /** Writes the iterations of a loop of constant extent one after another. */
  unroll(axis: Axis): void;
  /** Unroll and jam: the iterations run side by side, sharing the loops inside. For independent iterations with accumulators of their own. */
  jam(axis: Axis): void;
  /** Cuts a loop into ranges of equal length and walks them side by side, jammed; returns the loop over a range and the loop over the rest. */
  interleave(axis: Axis, parts: number): readonly [Axis, Axis];
  /** Makes lanes of the iterations of a loop of constant extent, which must not depend on each other. */
  vectorize(axis: Axis): void;
  /** Runs the iterations, which must not depend on each other, on the worker threads. Parallel loops cannot be nested. */
  parallel(axis: Axis): void;
  /** Runs the iterations on workgroups (`block`) or the threads of one (`lane`). */
  bind(places: Readonly<Partial<Record<GridPlace, Axis>>>): void;
  /**
   * Lets the lanes of a workgroup share each iteration of `row`: they take the iterations of the loops `over` inside of it in turns. What these add up in
   * registers is joined in every lane; working memory that they fill becomes shared, or registers where each touches its own elements alone. Returns the loops over rounds, by the names of the loops.
   */
  deal(row: Axis, over: readonly Axis[], o?: DealOptions): Readonly<Record<string, Axis>>;
  /** Computes a register's or working memory's elements where they are read. */
  inline(name: string): void;
  /** Computes the elements of working memory that an iteration of `axis` reads inside of it; returns the loops that do. */
  computeAt(name: string, axis: Axis): Readonly<Record<string, Axis>>;
  /** Computes a register, working memory or named value once in front of a loop in which it is always the same. */
  hoist(name: string, axis: Axis): void;
  /** Runs the copies at the start of the body `stages` - 1 iterations ahead, into a ring of buffers. */
  pipeline(axis: Axis, stages: number): void;
  /**
   * Copies what the body of `axis` uses of a tensor into registers, a packed panel, or memory that the lanes of a workgroup share; returns the loops
   * of the copy by name. Registers may be filled from shared memory too, by the name that its stage gave it. `image` copies nothing: OpenCL reads the tensor, all of whose
   * reads must stand inside of `axis`, as an image, through the caches of textures.
   */
  stage(tensor: string, axis: Axis, space: 'reg' | 'pack' | 'shared' | 'image', o?: StageOptions): Readonly<Record<string, Axis>>;
  /** Puts an instruction in the place of loops that compute what it computes: `axes` in the order of its own loops. */
  tensorize(instruction: Instruction, ...axes: readonly Axis[]): void;
  /** Gives a register an element for each iteration of some loops, which run once before, inside and after the loop that adds to it: the sum goes outside. */
  expand(register: string, ...axes: readonly Axis[]): void;
  /**
   * Each statement inside of some loops gets these loops for itself; loops in `through` stay outside, and what is made inside gets an element for each iteration.
   * Returns the loops around each inner loop, by the name of that one.
   */
  distribute(axes: readonly Axis[], through: readonly Axis[]): Readonly<Record<string, readonly Axis[]>>;
  /** The iterations of a loop, which must not depend on each other, last one first. */
  reverse(axis: Axis): void;
  /**
   * Lets the machine compute functions of float32 in its own way: `exp2` with a relative error of up to 2^-22, whole numbers exactly, and 0 for results below
   * 2^-126; `max` and `min` may give either operand where one of them is NaN. On CUDA.
   */
  approximate(...functions: readonly Approximate[]): void;
  /** Fetches what lanes copy into shared memory one iteration ahead, into registers, and stores it to the other half of twice the memory after the body. */
  prefetch(axis: Axis): void;
  /**
   * Copies the tile of a tensor that an iteration uses into shared memory, with zeros where the tensor ends. For programs of teams. A condition around a sum of products
   * that says no more than that the tile's element exists goes away: it adds zeros, and NaN where the other factor is infinite or NaN.
   */
  bulk(tensor: string, axis: Axis): void;
  /** Lets the bulk copies of a loop run ahead, into a ring of so many tiles. */
  ring(axis: Axis, stages: number): void;
  /** Asks for the products that the body of a ring's loop begins with one iteration ahead, so that they run beside the rest of the iteration before. */
  overlap(axis: Axis): void;
  /** Asks for registers of each lane to be few enough that so many workgroups fit a multiprocessor at once (CUDA). */
  resident(workgroups: number): void;
  /** So many workgroups share all iterations of two block loops, in bands of `group` rows. For programs of teams. */
  persistent(outer: Axis, inner: Axis, o: { readonly workgroups: number; readonly group: number }): void;
  /**
   * The workgroups of a block loop, 2, 4 or 8, run as one cluster: of tiles in rings that are the same for all of them each brings a part, to all. For programs of
   * warpgroups, after their rings are made. Nothing but who copies changes.
   */
  cluster(axis: Axis): void;
  /**
   * Tiles that do not fill a wave of so many workgroups are shared by all of them: each takes as many iterations of the loop `sum`, which adds up a tile, as any other, and a
   * last launch adds up what they leave in memory, in order. The first two are the block loops over tiles. For programs of warpgroups, as the last step.
   */
  stream(outer: Axis, inner: Axis, sum: Axis, o: { readonly workgroups: number }): void;
  /** One accumulator for each iteration of a loop. */
  rfactor(register: string, axis: Axis): void;
  /** Each iteration leaves what it accumulates in memory; the loop that joins them is returned. Iterations can then go to threads or workgroups. */
  partials(register: string, axis: Axis): Axis;
}

/**
 * Schedules a kernel for a target: a list of checked rewrites. The result computes what the algorithm says.
 * @example schedule(saxpy, target('x86-64-v3'), (s, { i }) => { const [o, l] = s.split(i, s.vec('f32'), { tail: 'peel' }); s.vectorize(l); s.parallel(o); })
 */
export function schedule<A extends Axes>(k: Kernel<A>, target: Target, f: (s: Schedule, axes: A) => void): ScheduledKernel {
  if (typeof (target as { vecBytes?: unknown } | undefined)?.vecBytes !== 'number') throw new DslError('KD-S-TARGET', { kernel: k.name, given: typeof target === 'string' ? `'${String(target)}'` : String(target) }, { loc: here() });
  const st: State = { ir: k.ir, target, consumed: new Map(), twins: new Map(), filled: new Set(), dealt: new Set(), reassociates: false };
  const steps: Step[] = [{ call: 'algorithm', loc: k.ir.loc, ir: k.ir }];
  const step = <R>(call: string, run: (at: At) => R): R => {
    const loc: Loc | undefined = here();
    const r = run({ loc, step: call });
    steps.push({ call, loc, ir: st.ir });
    return r;
  };
  const names = (a: readonly Axis[]): string => a.map((x) => x.name).join(', ');
  const s: Schedule = {
    target,
    vec: (dtype) => target.vecBytes / (dtype === 'f64' ? 8 : 4),
    split: (axis, factor, o = {}) => step(`split(${axis.name}, ${factor}${o.tail ? `, ${o.tail}` : ''})`, (at) => split(st, axis, factor, { tail: o.tail ?? 'clamp', names: o.names ?? [`${axis.name}o`, `${axis.name}i`] }, at)),
    tile: (a, b, [m, n], o = {}) => {
      const [ao, ai] = s.split(a, m, o), [bo, bi] = s.split(b, n, o);
      s.reorder(ao, bo, ai, bi);
      return [ao, bo, ai, bi];
    },
    fuse: (outer, inner, name) => step(`fuse(${outer.name}, ${inner.name})`, (at) => fuse(st, outer, inner, name, at)),
    bind: (places) => { for (const [place, axis] of Object.entries(places) as [GridPlace, Axis][]) step(`bind(${place}: ${axis.name})`, (at) => bind(st, place, axis, at)); },
    deal: (row, over, o = {}) => step(`deal(${row.name}, ${names(over)})`, (at) => deal(st, row, over, o, at)),
    inline: (name) => step(`inline(${name})`, (at) => inline(st, name, at)),
    computeAt: (name, axis) => step(`computeAt(${name}, ${axis.name})`, (at) => computeAt(st, name, axis, at)),
    hoist: (name, axis) => step(`hoist(${name}, ${axis.name})`, (at) => hoist(st, name, axis, at)),
    pipeline: (axis, stages) => step(`pipeline(${axis.name}, ${stages})`, (at) => pipeline(st, axis, stages, at)),
    reorder: (...order) => step(`reorder(${names(order)})`, (at) => reorder(st, order, at)),
    unroll: (axis) => step(`unroll(${axis.name})`, (at) => mark.unroll(st, axis, at)),
    jam: (axis) => step(`jam(${axis.name})`, (at) => jam(st, axis, at)),
    interleave: (axis, parts) => step(`interleave(${axis.name}, ${parts})`, (at) => interleave(st, axis, parts, at)),
    vectorize: (axis) => step(`vectorize(${axis.name})`, (at) => mark.vectorize(st, axis, at)),
    parallel: (axis) => step(`parallel(${axis.name})`, (at) => mark.parallel(st, axis, at)),
    stage: (tensor, axis, space, o = {}) => step(`stage(${tensor}, ${axis.name}, ${space})`, (at) => stage(st, tensor, axis, space, o, at)),
    tensorize: (def, ...order) => step(`tensorize(${def.name}, ${names(order)})`, (at) => tensorize(st, def, order, at)),
    expand: (register, ...order) => step(`expand(${register}, ${names(order)})`, (at) => expand(st, register, order, at)),
    distribute: (order, through) => step(`distribute([${names(order)}], [${names(through)}])`, (at) => distribute(st, order, through, at)),
    reverse: (axis) => step(`reverse(${axis.name})`, (at) => reverse(st, axis, at)),
    approximate: (...functions) => step(`approximate(${functions.join(', ')})`, (at) => approximate(st, functions, at)),
    prefetch: (axis) => step(`prefetch(${axis.name})`, (at) => prefetch(st, axis, at)),
    bulk: (tensor, axis) => step(`bulk(${tensor}, ${axis.name})`, (at) => bulk(st, tensor, axis, at)),
    ring: (axis, stages) => step(`ring(${axis.name}, ${stages})`, (at) => ring(st, axis, stages, at)),
    overlap: (axis) => step(`overlap(${axis.name})`, (at) => overlap(st, axis, at)),
    resident: (n) => step(`resident(${n})`, (at) => {
      if (!Number.isInteger(n) || n < 1 || n > 32) throw new DslError('KD-S-FACTOR', { axis: 'resident', factor: n }, at);
      st.ir = { ...st.ir, resident: n };
    }),
    persistent: (outer, inner, o) => step(`persistent(${outer.name}, ${inner.name}, ${o.workgroups} by ${o.group})`, (at) => persistent(st, outer, inner, o, at)),
    stream: (outer, inner, sum, o) => step(`stream(${outer.name}, ${inner.name}, ${sum.name}, ${o.workgroups})`, (at) => stream(st, outer, inner, sum, o, at)),
    cluster: (axis) => step(`cluster(${axis.name})`, (at) => cluster(st, axis, at)),
    partials: (register, axis) => step(`partials(${register}, ${axis.name})`, (at) => partials(st, register, axis, at)),
    rfactor: (register, axis) => step(`rfactor(${register}, ${axis.name})`, (at) => rfactor(st, register, axis, at)),
  };
  let running = true;
  f(guarded(s, () => running), k.axes);
  running = false;
  // What no call asked for is a step where it changes something.
  const closing = (call: string, run: (at: At) => void): void => {
    step(call, run);
    if (steps.at(-1)!.ir === steps.at(-2)!.ir) steps.pop();
  };
  closing('resolve padded tails', (at) => resolvePads(st, at));
  for (const check of [checkLanes, checkBlocks]) check(st, { loc: k.ir.loc, step: 'the end of the schedule' });
  closing('place barriers', (at) => placeBarriers(st, { ...at, loc: k.ir.loc }));
  const bad = specViolation(st.ir, 'scheduled');
  if (bad) throw new Error(`kernel-dsl: the schedule of ${k.name} broke the program: ${bad}`);
  const ir: KernelIR = { ...st.ir, steps: steps.slice(1).map((x) => ({ call: x.call, loc: x.loc })) };
  return { name: k.name, target, ir, steps: [...steps.slice(0, -1), { ...steps.at(-1)!, ir }], reassociates: st.reassociates };
}
