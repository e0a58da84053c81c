import { ArgumentError, DisposedError } from '@quern/runtime';
import { chooseBackend } from '../backend/index.ts';
import type { Backend, BackendChoice, Own, Prepared, Reals, Scratch } from '../backend/index.ts';
import type { Real } from '@quern/kernel-dsl';
import { kernelName } from '../kernels/index.ts';
import { checkAlias, checkArray, checkSpec, launchPlan } from '../plan/index.ts';
import type { ComplexArray, FftSpec, FullSpec, LaunchPlan } from '../plan/index.ts';
import { fillTable, roots } from '../twiddles/index.ts';

/** Settings of a plan beyond what it computes. */
export interface FftOptions extends BackendChoice {
  /** At most so many threads; default: all that Quern uses. Results do not depend on it. */
  readonly threads?: number;
}

/** A transform of fixed size, ready to run. Nothing of it changes between runs but scratch memory. */
export interface FftPlan<T extends Real = Real> {
  readonly spec: Readonly<Required<FftSpec<T>>>;
  /** `native` for compiled kernels, `interpreter` where there are none. */
  readonly backend: 'native' | 'interpreter';
  /** Instruction set of the kernels, such as `x86-64-v4`. */
  readonly isa: string;
  /** Bytes of scratch memory and twiddle tables, those of transforms in place included once such a one has run. */
  readonly scratchBytes: number;
  /** Names of the kernels that a run launches, in order. */
  readonly kernels: readonly string[];
  /**
   * Transforms `input` into `output`; both hold `batch` x n complex numbers as re, im, re, im, … They may be one array (in place), else they must
   * not overlap. `input` is left as it is unless it is `output`.
   *
   * @returns output
   * @throws DTypeError for another kind of array. @throws ShapeError for another length. @throws ArgumentError for arrays that overlap in part or are
   * detached. @throws DisposedError. Nothing has been written then.
   */
  run(output: ComplexArray<T>, input: ComplexArray<T>): ComplexArray<T>;
  /** One line: what it computes and how. */
  describe(): string;
  /** Gives its memory back; the plan cannot run any more. */
  dispose(): void;
  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void;
}

const EMPTY: Scratch = { data: new Float32Array(0), dispose: () => undefined };

/**
 * Plans complex transforms of n points, X[k] = scale * sum over t of x[t] exp(sign 2 pi i k t / n), for any power of two n.
 *
 * The relative error of a result in the l2 norm is at most eps sqrt(log2 n). The method: Stockham's autosort (Cochran et al. 1967) in passes of radix
 * 8 and 16, each pass a codelet that a program generated (Frigo 1999), with twiddles from exact arithmetic.
 *
 * @throws ArgumentError, DTypeError for a spec that makes no sense. @throws OutOfMemoryError. @throws ProviderLoadError when `options` ask for
 * compiled kernels that are not there.
 * @example
 * const plan = planFft({ n: 1024, dtype: 'f32' });
 * const spectrum = plan.run(new Float32Array(2048), signal); // signal: 1024 complex numbers, interleaved
 */
export function planFft<T extends Real>(spec: FftSpec<T>, options: FftOptions = {}): FftPlan<T> {
  const s = checkSpec(spec), { threads } = options;
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) throw new ArgumentError(`threads must be a positive integer, got ${String(threads)}`);
  return new Plan<T>(s as Required<FftSpec<T>>, chooseBackend(options), threads);
}

class Plan<T extends Real> implements FftPlan<T> {
  readonly spec: Readonly<Required<FftSpec<T>>>;
  readonly #backend: Backend;
  readonly #threads: number | undefined;
  readonly #launches: LaunchPlan;
  readonly #own: { a: Scratch; b: Scratch; tw: Scratch };
  #apart: Prepared | undefined;
  #same: Prepared | undefined;
  /** Of a small transform in place: its input. */
  #copy: Reals | undefined;
  #disposed = false;

  constructor(spec: Required<FftSpec<T>>, backend: Backend, threads: number | undefined) {
    this.spec = Object.freeze({ ...spec });
    this.#backend = backend;
    this.#threads = threads;
    this.#launches = launchPlan(spec, backend.vecBytes, false);
    const { sizes } = this.#launches, make = (length: number): Scratch => (length === 0 ? EMPTY : backend.allocate(spec.dtype, length));
    this.#own = { a: make(sizes.a), b: EMPTY, tw: make(sizes.tw) };
    fillTwiddles(this.#own.tw.data, this.#launches, spec);
  }

  get backend(): 'native' | 'interpreter' {
    return this.#backend.name;
  }

  get isa(): string {
    return this.#backend.isa;
  }

  get scratchBytes(): number {
    return [this.#own.a.data, this.#own.b.data, this.#own.tw.data, this.#copy].reduce((sum, x) => sum + (x?.byteLength ?? 0), 0);
  }

  get kernels(): readonly string[] {
    return this.#launches.launches.map((l) => kernelName(l.kernel));
  }

  run(output: ComplexArray<T>, input: ComplexArray<T>): ComplexArray<T> {
    if (this.#disposed) throw new DisposedError('an FFT plan');
    checkArray(this.spec, 'output', output);
    checkArray(this.spec, 'input', input);
    const alias = checkAlias(output, input);
    if (this.spec.batch === 0) return output;
    if (this.spec.n === 1) {
      if (alias === 'apart') output.set(input);
      return output;
    }
    if (alias === 'apart') (this.#apart ??= this.#prepare(this.#launches)).run({ in: input, out: output });
    else this.#inPlace(output);
    return output;
  }

  #inPlace(data: Reals): void {
    if (this.#launches.factors.length === 0) {
      const copy = (this.#copy ??= data.slice());
      copy.set(data);
      const arrays = { in: copy, out: data };
      (this.#same ??= this.#prepare(this.#launches)).run(arrays);
      return;
    }
    const arrays = { in: data, out: data };
    if (!this.#same) {
      const plan = launchPlan(this.spec, this.#backend.vecBytes, true);
      if (plan.sizes.b > 0) this.#own.b = this.#backend.allocate(this.spec.dtype, plan.sizes.b);
      this.#same = this.#prepare(plan);
    }
    this.#same.run(arrays);
  }

  #prepare(plan: LaunchPlan): Prepared {
    return this.#backend.prepare(plan.launches, this.#own satisfies Own, this.#threads);
  }

  describe(): string {
    const { n, dtype, sign, batch, norm } = this.spec, { factors } = this.#launches;
    const how = n === 1 ? 'a copy' : factors.length === 0 ? `one codelet of ${n}` : `radices ${factors.map((f) => f.radix).join(' x ')}`;
    return `${batch === 1 ? '' : `${batch} x `}${n} complex ${dtype}, ${sign === 1 ? 'backward' : 'forward'}, norm ${norm}: ${how}, ${this.backend} ${this.isa}, ${this.scratchBytes} bytes of scratch and twiddles`;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const p of [this.#apart, this.#same]) p?.dispose();
    for (const x of Object.values(this.#own)) x.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function fillTwiddles(tw: Reals, plan: LaunchPlan, s: FullSpec): void {
  if (plan.tables.length === 0) return;
  const root = roots(s.n, s.sign);
  for (const t of plan.tables) fillTable(tw.subarray(t.offset), t, t.lanes, s.n, root, t.scale, t.reversed);
}
