import { ArgumentError, CancelledError, DisposedError, fromNative, nativeCall, ShapeError } from '../errors/index.ts';
import { assumptionError, bindArguments, type Bound, emptyBound, type Kernel, type KernelArgs, type ScalarArg, setInteger, setScalar, slots, type Slots, type TensorArg } from '../kernel/index.ts';
import { checkThreads } from '../machine/index.ts';
import { native, type NativeLaunch, type PlanHandle } from '../native/index.ts';

/** A value that many launches share and that can change between runs. */
export interface ParamRef {
  readonly param: string;
}

/** Refers to a program's parameter where a launch takes a scalar or a size. */
export function param(name: string): ParamRef {
  return { param: name };
}

/** One launch of a program. */
export interface Step {
  readonly kernel: Kernel;
  readonly args: Readonly<Record<string, TensorArg | ScalarArg | ParamRef>>;
  /**
   * Sizes given by hand or by a parameter. Tensors that bear such a size are passed at their full length; the size says
   * how much of them is used.
   */
  readonly sizes?: Readonly<Record<string, number | ParamRef>>;
  /** At most so many threads for this launch. */
  readonly threads?: number;
  /** For traces; default: the kernel's name. */
  readonly label?: string;
}

/** How to run a program. */
export interface ProgramRunOptions {
  /** At most so many threads, for launches that do not say. */
  readonly threads?: number;
  /** Measure every launch; see `trace`. */
  readonly timed?: boolean;
}

/** What a timed run measured. */
export interface LaunchTime {
  readonly label: string;
  readonly kernel: string;
  readonly isa: string;
  readonly ns: number;
}

interface Launch {
  readonly step: Step;
  /** Its arguments as they are now; parameters are looked up. */
  args: Readonly<Record<string, TensorArg | ScalarArg | ParamRef>>;
  readonly bound: Bound;
  readonly firstSlot: number;
}

type Value = number | bigint | boolean;

const isRef = (x: unknown): x is ParamRef => typeof x === 'object' && x !== null && 'param' in x && !ArrayBuffer.isView(x);

/**
 * Launches that run one after another in one native call. Everything is checked when the program is made; a parameter or
 * a tensor can be changed between runs at small cost.
 *
 * @example
 * const p = program([{ kernel: axpy, args: { x, y, a: param('a') } }], { a: 2 });
 * p.run();
 * p.set('a', 3).run();
 */
export class Program {
  readonly steps: readonly Step[];
  readonly #launches: Launch[] = [];
  readonly #params = new Map<string, Value>();
  readonly #plan: PlanHandle;
  readonly #slots: Slots;
  readonly #slotCount: number;
  #running = false;
  #disposed = false;

  /** Use `program`. */
  constructor(steps: readonly Step[], params: Readonly<Record<string, Value>>) {
    this.steps = [...steps];
    for (const [name, value] of Object.entries(params)) this.#params.set(name, value);
    let slot = 0;
    for (const step of this.steps) {
      if (step.threads !== undefined) checkThreads(step.threads);
      const s = step.kernel.signature;
      const launch: Launch = { step, args: step.args, bound: emptyBound(s), firstSlot: slot };
      this.#bindLaunch(launch, launch.args, launch.bound);
      this.#launches.push(launch);
      slot += s.sizeCount + s.scalars.length;
    }
    const used = new Set(this.#launches.flatMap((l) => [...references(l.args), ...references(l.step.sizes ?? {})]));
    const idle = [...this.#params.keys()].find((name) => !used.has(name));
    if (idle !== undefined) throw new ArgumentError(`no launch of the program uses its parameter '${idle}'`);
    this.#slotCount = slot;
    this.#plan = nativeCall('program', () => native().planCreate(this.#launches.map(({ step, bound }): NativeLaunch => (
      [step.kernel.native.handle, bound.buffers, bound.ranges, bound.sizes.i64, bound.scalars.i64, step.threads ?? 0]))));
    this.#slots = slots(slot + this.steps.length, native().planMemory(this.#plan));
  }

  /** The parameters and their values. */
  get params(): Readonly<Record<string, Value>> {
    return Object.fromEntries(this.#params);
  }

  /**
   * Changes a parameter in every launch that uses it.
   *
   * @throws ArgumentError when there is none of that name or the value does not suit. @throws ShapeError when a size
   * would exceed a tensor. On an error nothing is changed.
   */
  set(name: string, value: Value): this {
    this.#idle();
    const before = this.#params.get(name);
    if (before === undefined) throw new ArgumentError(`the program has no parameter '${name}'`, { fix: `its parameters are ${[...this.#params.keys()].join(', ') || 'none'}` });
    if (Object.is(before, value)) return this;
    this.#params.set(name, value);
    try {
      for (const launch of this.#launches) this.#update(launch, name, value);
    } catch (error) {
      this.#params.set(name, before);
      for (const launch of this.#launches) this.#update(launch, name, before);
      throw error;
    }
    return this;
  }

  /** Writes a parameter to one launch. */
  #update(launch: Launch, name: string, value: Value): void {
    const { kernel, sizes } = launch.step;
    const s = kernel.signature;
    for (const key in sizes) {
      const given = sizes[key];
      if (!isRef(given) || given.param !== name) continue;
      const k = s.sizes.indexOf(key);
      const limit = launch.bound.limits[k] ?? 0;
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new ArgumentError(`parameter '${name}' is a size and must be a non-negative integer, got ${String(value)}`);
      if (value > limit) throw new ShapeError(`parameter '${name}' = ${value} exceeds the ${limit} that the tensors of kernel '${s.name}' have for size '${key}'`);
      // A dimension computed from the size needs the whole check.
      if (s.tensors.some((t) => t.dims.some((d) => d.kind === 'expression' && d.names.includes(key)))) this.#bindLaunch(launch, launch.args, emptyBound(s));
      setInteger(this.#slots, launch.firstSlot + k, value);
    }
    for (const [i, p] of s.scalars.entries()) {
      const arg = launch.args[p.name];
      if (isRef(arg) && arg.param === name) setScalar(this.#slots, launch.firstSlot + s.sizeCount + i, p.dtype, value, `kernel '${s.name}': parameter '${name}'`);
    }
  }

  /**
   * Gives a launch other tensors or fixed scalars.
   *
   * @param step its index
   * @throws as the kernel's `run`; on an error nothing is changed.
   */
  bind(step: number, args: Readonly<Record<string, TensorArg | ScalarArg>>): this {
    this.#idle();
    const launch = this.#launches[step];
    if (launch === undefined) throw new ArgumentError(`the program has no step ${step}: it has ${this.#launches.length}`);
    const merged = { ...launch.args, ...args };
    const s = launch.step.kernel.signature;
    const fresh = emptyBound(s);
    this.#bindLaunch(launch, merged, fresh);
    for (const [i, t] of s.tensors.entries()) {
      if (args[t.meta.name] === undefined) continue;
      const [start = 0, low = 0, high = 0, writes = 0] = fresh.ranges.subarray(4 * i, 4 * i + 4);
      nativeCall(`kernel '${s.name}': '${t.meta.name}'`, () => native().planRebind(this.#plan, step, i, fresh.buffers[i] as NativeLaunch[1][number], start, low, high, writes));
    }
    this.#slots.i64.set(fresh.sizes.i64, launch.firstSlot);
    this.#slots.i64.set(fresh.scalars.i64, launch.firstSlot + s.sizeCount);
    launch.args = merged;
    for (const [k, limit] of fresh.limits.entries()) launch.bound.limits[k] = limit;
    return this;
  }

  /** Runs all launches. @throws AssumptionError of the launch that refused; earlier launches have run then. */
  run(options: ProgramRunOptions = {}): void {
    this.#idle();
    if (options.threads !== undefined) checkThreads(options.threads);
    const failed = nativeCall('program', () => native().planRun(this.#plan, options.threads ?? 0, options.timed === true));
    if (failed !== null) throw this.#refusal(failed);
  }

  /**
   * Runs all launches in another thread; JavaScript goes on meanwhile. Tensors must lie in native memory (`zeros`,
   * `values`, `fromMemory`), for a typed array could be transferred away in the middle.
   *
   * @throws CancelledError when the signal stops it: between two launches, so earlier ones have run.
   */
  async runAsync(options: ProgramRunOptions & { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#idle();
    if (options.threads !== undefined) checkThreads(options.threads);
    const { signal } = options;
    if (signal?.aborted === true) throw new CancelledError('a program', { cause: signal.reason });
    const stop = (): void => native().planCancel(this.#plan);
    const pending = nativeCall('program', () => native().planRunAsync(this.#plan, options.threads ?? 0, options.timed === true));
    this.#running = true;
    signal?.addEventListener('abort', stop);
    try {
      const failed = await pending;
      if (failed !== null) throw this.#refusal(failed);
    } catch (error) {
      throw fromNative(error, 'program');
    } finally {
      this.#running = false;
      signal?.removeEventListener('abort', stop);
    }
  }

  /** What each launch took in the last run with `timed`. */
  trace(): LaunchTime[] {
    this.#idle();
    return this.#launches.map(({ step }, i) => ({
      label: step.label ?? step.kernel.meta.name, kernel: step.kernel.meta.name, isa: step.kernel.isa, ns: Number(this.#slots.i64[this.#slotCount + i] ?? 0n),
    }));
  }

  /** Gives up everything that the program holds; the tensors stay their owner's. */
  dispose(): void {
    if (this.#disposed) return;
    this.#idle();
    native().planClose(this.#plan);
    this.#disposed = true;
  }

  /** Gives up the program at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #idle(): void {
    if (this.#disposed) throw new DisposedError('a program');
    if (this.#running) throw new ArgumentError('the program is running', { code: 'QUERN_BUSY', fix: 'await runAsync() first' });
  }

  #refusal([step, assumption]: [number, number]): Error {
    const launch = this.#launches[step];
    return launch === undefined ? new Error(`launch ${step} failed`) : assumptionError(launch.step.kernel.meta, assumption);
  }

  #bindLaunch(launch: Launch, args: Launch['args'], into: Bound): void {
    const s = launch.step.kernel.signature;
    const sizes: Record<string, number> = {};
    for (const key in launch.step.sizes) {
      const given = launch.step.sizes[key];
      sizes[key] = isRef(given) ? Number(this.#value(given, s.name)) : given ?? NaN;
    }
    bindArguments(s, this.#resolve(args, s.name), sizes, into);
  }

  #resolve(args: Launch['args'], kernel: string): KernelArgs {
    const plain: Record<string, TensorArg | ScalarArg> = {};
    for (const key in args) {
      const value = args[key];
      if (value !== undefined) plain[key] = isRef(value) ? this.#value(value, kernel) : value;
    }
    return plain;
  }

  #value(ref: ParamRef, kernel: string): Value {
    const value = this.#params.get(ref.param);
    if (value === undefined) throw new ArgumentError(`kernel '${kernel}' uses the parameter '${ref.param}', which the program does not have`, { fix: `pass its first value: program(steps, { ${ref.param}: ... })` });
    return value;
  }
}

function references(args: Readonly<Record<string, unknown>>): string[] {
  return Object.values(args).filter(isRef).map((ref) => ref.param);
}

/**
 * Makes a program of launches.
 *
 * @param params the program's parameters with their first values; a launch refers to one with `param(name)`
 * @throws as the kernels' `run`, for the first launch whose arguments do not fit
 */
export function program(steps: readonly Step[], params: Readonly<Record<string, number | bigint | boolean>> = {}): Program {
  return new Program(steps, params);
}
