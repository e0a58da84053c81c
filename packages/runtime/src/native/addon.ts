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

/** A GPU in use, as the addon knows it. */
export type DeviceHandle = { readonly [brand]: 'device' };
/** Memory of a GPU, as the addon knows it. */
export type DeviceBufferHandle = { readonly [brand]: 'device buffer' };
/** Text compiled for a GPU, as the addon knows it. */
export type DeviceModuleHandle = { readonly [brand]: 'device module' };

/** A GPU as its driver describes it. */
export interface NativeDeviceInfo {
  readonly name: string; readonly vendor: string; readonly driver: string; readonly features: string; readonly software: number; readonly integrated: number; readonly units: number;
  readonly major: number; readonly minor: number; readonly lanes: number; readonly memoryBytes: number; readonly bufferBytes: number; readonly sharedBytes: number;
  readonly texels: number; readonly dynamicSharedBytes: number; readonly cacheBytes: number; readonly grid: readonly number[]; readonly block: readonly number[];
}

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
  gpuCount(kind: 'cuda' | 'opencl'): number;
  gpuDescribe(kind: 'cuda' | 'opencl', index: number): NativeDeviceInfo;
  gpuOpen(kind: 'cuda' | 'opencl', index: number): DeviceHandle;
  gpuIdentity(device: DeviceHandle): string;
  gpuAlloc(device: DeviceHandle, bytes: number): DeviceBufferHandle;
  gpuFree(buffer: DeviceBufferHandle): void;
  gpuWrite(device: DeviceHandle, buffer: DeviceBufferHandle, offset: number, source: NativeBuffer): void;
  gpuRead(device: DeviceHandle, buffer: DeviceBufferHandle, offset: number, target: NodeJS.TypedArray): void;
  gpuCopy(device: DeviceHandle, to: DeviceBufferHandle, at: number, from: DeviceBufferHandle, offset: number, bytes: number): void;
  gpuFill(device: DeviceHandle, buffer: DeviceBufferHandle, offset: number, byte: number, bytes: number): void;
  gpuBuild(device: DeviceHandle, source: string, flags: readonly string[]): DeviceModuleHandle;
  gpuLoad(device: DeviceHandle, binary: NativeBuffer): DeviceModuleHandle;
  gpuBinary(device: DeviceHandle, module: DeviceModuleHandle): ArrayBuffer;
  gpuFunction(device: DeviceHandle, module: DeviceModuleHandle, entry: string): number;
  /** dims: grid (3), block (3), dynamic shared bytes, overlap, cluster (3). */
  gpuLaunch(device: DeviceHandle, module: DeviceModuleHandle, fn: number, dims: Float64Array, args: Uint8Array, buffers: readonly DeviceBufferHandle[]): void;
  /** numbers: offset, dtype, rank, swizzle, dims (5), strides (5), box (5). */
  gpuTensorMap(device: DeviceHandle, buffer: DeviceBufferHandle, numbers: Float64Array): ArrayBuffer;
  gpuSyncAsync(device: DeviceHandle): Promise<void>;
  gpuMark(device: DeviceHandle, slot: number): void;
  gpuElapsed(device: DeviceHandle, from: number, to: number): number;
}
