/* The addon's functions as TypeScript sees them. Handles are opaque and checked by tag in native code. */

declare const brand: unique symbol;
/** A loaded kernel library, as the addon knows it. */
export type LibraryHandle = { readonly [brand]: 'library' };
/** One kernel for one instruction set, as the addon knows it. */
export type KernelHandle = { readonly [brand]: 'kernel' };
/** Native memory, as the addon knows it. */
export type MemoryHandle = { readonly [brand]: 'memory' };
/** A plan of launches, as the addon knows it. */
export type PlanHandle = { readonly [brand]: 'plan' };

/** Anything that kernels can work on. */
export type NativeBuffer = MemoryHandle | ArrayBuffer | NodeJS.TypedArray;

/** A line of a kernel library's table. */
export interface NativeEntry {
  readonly name: string;
  /** Such as `x86-64-v4-vnni`, `x86-64-v3`, `aarch64-dotprod` or `generic`. */
  readonly isa: string;
  /** Whether this CPU has that instruction set (and QUERN_ISA allows it). */
  readonly supported: boolean;
  /** Tensor parameters. */
  readonly nbuf: number;
  /** Named sizes and all strides. */
  readonly nsize: number;
  /** Scalar parameters. */
  readonly nscalar: number;
  readonly scratchBytes: number;
  readonly sharedBytes: number;
}

/** kernel, buffers, ranges (start, low, high, writes for each buffer, in bytes), sizes, scalars, threads (0: default). */
export type NativeLaunch = [
  kernel: KernelHandle, buffers: readonly NativeBuffer[], ranges: Float64Array, sizes: BigInt64Array, scalars: BigInt64Array, threads: number,
];

/** The addon. Its errors carry codes `QUERN_E_*`; `fromNative` turns them into ours. */
export interface NativeAddon {
  readonly abi: number;
  cpuInfo(): {
    readonly brand: string; readonly arch: string; readonly features: string; readonly isas: string[]; readonly isaCap: string;
    readonly isaCapKnown: boolean; readonly l1d: number; readonly l2: number; readonly l3: number;
  };
  poolInfo(): {
    readonly limit: number; readonly cpus: number; readonly cap: number; readonly workers: number; readonly loops: number;
    readonly inlineLoops: number; readonly sleeps: number;
  };
  poolConfigure(threads: number): number;
  measureRead(threads: number, bytes: number, rounds: number): number;
  measureFma(threads: number, f64: boolean, rounds: number): number;
  rss(): { readonly total: number; readonly anonymous: number; readonly file: number; readonly peak: number };
  libraryOpen(path: string): LibraryHandle;
  libraryClose(library: LibraryHandle): void;
  libraryEntries(library: LibraryHandle): { readonly hash: string; readonly entries: NativeEntry[] };
  libraryKernel(library: LibraryHandle, name: string, isa: string | null): NativeEntry & { readonly handle: KernelHandle };
  launch(...launch: NativeLaunch): number;
  memoryAlloc(bytes: number): MemoryHandle;
  memoryMap(path: string): MemoryHandle;
  memoryBytes(memory: MemoryHandle): number;
  memoryView(memory: MemoryHandle, offset: number, length: number): ArrayBuffer;
  memoryRead(memory: MemoryHandle, offset: number, length: number): ArrayBuffer;
  memoryWrite(memory: MemoryHandle, offset: number, source: NativeBuffer): void;
  memoryAdvise(memory: MemoryHandle, offset: number, length: number, advice: number): void;
  memoryFree(memory: MemoryHandle, view: ArrayBuffer | null): void;
  planCreate(launches: readonly NativeLaunch[]): PlanHandle;
  planMemory(plan: PlanHandle): ArrayBuffer;
  planRebind(plan: PlanHandle, launch: number, index: number, buffer: NativeBuffer, start: number, low: number, high: number, writes: number): void;
  planRun(plan: PlanHandle, threads: number, timed: boolean): [launch: number, assumption: number] | null;
  planRunAsync(plan: PlanHandle, threads: number, timed: boolean): Promise<[launch: number, assumption: number] | null>;
  planCancel(plan: PlanHandle): void;
  planClose(plan: PlanHandle): void;
}
