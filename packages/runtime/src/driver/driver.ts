/** Memory on a device, known by its driver alone. */
export interface GpuBuffer {
  readonly bytes: number;
  readonly freed: boolean;
}

/** Compiled text: its entries can be launched. */
export interface GpuCode {
  readonly entries: readonly string[];
}

/** What to compile. */
export interface GpuSource {
  /** For people and caches. */
  readonly name: string;
  readonly source: string;
  readonly flags: readonly string[];
  readonly entries: readonly string[];
  /** For each entry, which of its buffers it writes, in their order; all of them where nothing is said (WebGPU). */
  readonly writes?: Readonly<Record<string, readonly boolean[]>>;
  /** Where a line of the text comes from, for messages: the author's file and line. */
  readonly where?: (line: number) => string | undefined;
}

/** An argument of a launch in the order of the entry's parameters: a buffer from a byte offset on (0 but for CUDA), or a value's bytes. */
export type GpuValue =
  | { readonly kind: 'buffer'; readonly buffer: GpuBuffer; readonly offset: number; /** OpenCL: an image of it, four such elements a texel. */ readonly image?: string; /** WebGPU: the bytes that are bound, from a multiple of 256 on. */ readonly window?: { readonly from: number; readonly to: number } }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** Three numbers: x, y, z. */
export type Dim3 = readonly [number, number, number];

/** The shape of a launch. */
export interface GpuGrid {
  /** Workgroups, at least one in each direction. */
  readonly grid: Dim3;
  /** Lanes of a workgroup. */
  readonly block: Dim3;
  /** Shared memory beyond what the text itself declares. */
  readonly dynamicSharedBytes?: number;
  /** May start while the launch before it ends; its text waits where it must. */
  readonly overlap?: boolean;
  /** Workgroups that run together, in each direction (CUDA 9.0); the grid is a multiple. */
  readonly cluster?: Dim3;
  /** What it reads before its text waits: it does not start early where that may not be written yet. */
  readonly early?: readonly GpuBuffer[];
  /** What it writes; all of its buffers where nothing is said. */
  readonly writes?: readonly GpuBuffer[];
}

/** A tile of a tensor that hardware copies by itself (CUDA 9.0). Dimensions innermost first; strides in bytes. */
export interface GpuTensorMap {
  readonly buffer: GpuBuffer;
  readonly offset: number;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly box: readonly number[];
  readonly swizzle: 0 | 32 | 64 | 128;
}

/** What a device is and what it takes. Bytes, unless said otherwise. */
export interface GpuInfo {
  readonly kind: 'cuda' | 'opencl' | 'webgpu';
  readonly index: number;
  readonly name: string;
  readonly vendor: string;
  readonly driver: string;
  /** It imitates a GPU on the CPU. */
  readonly software: boolean;
  /** It shares the CPU's memory. */
  readonly integrated: boolean;
  /** Words for what not every device of its kind has, such as `f64` or `subgroups`. */
  readonly features: readonly string[];
  /** Multiprocessors or compute units; 0 where the driver does not tell. */
  readonly units: number;
  /** CUDA: compute capability; OpenCL: version. */
  readonly version: readonly [number, number];
  readonly limits: {
    readonly lanes: number;
    readonly block: Dim3;
    readonly grid: Dim3;
    readonly sharedBytes: number;
    /** Shared memory of a workgroup that asks for it at its launch. */
    readonly dynamicSharedBytes: number;
    readonly bufferBytes: number;
    /** 0 where the driver does not tell. */
    readonly memoryBytes: number;
    readonly cacheBytes: number;
    /** OpenCL: texels of an image over a buffer; 0 where there are no images. */
    readonly texels?: number;
    /** WebGPU: bytes of one binding, and storage bindings of one launch. */
    readonly bindingBytes?: number;
    readonly bindings?: number;
  };
}

/**
 * One device in use: memory, compiled text, launches in the order in which they were asked for. What fails throws a typed error; a device that is lost
 * throws DeviceLostError from then on.
 */
export interface GpuDriver {
  readonly info: GpuInfo;
  /** What the compiler and the driver are, for keys of caches. */
  readonly identity: string;
  /** Contents are undefined. @throws OutOfMemoryError */
  alloc(bytes: number): GpuBuffer;
  /** Harmless when repeated; what uses it still ends first. */
  free(buffer: GpuBuffer): void;
  /** Returns when the source may change again. */
  write(buffer: GpuBuffer, offset: number, bytes: ArrayBufferView): void;
  /** Resolves with the bytes after all that was asked before. */
  read(buffer: GpuBuffer, offset: number, length: number): Promise<Uint8Array>;
  /** `length` bytes from `offset` of one buffer to `at` of another, or of the same where they do not overlap. */
  copy(to: GpuBuffer, at: number, from: GpuBuffer, offset: number, length: number): void;
  /** Sets `length` bytes from `offset` to `byte`. */
  fill(buffer: GpuBuffer, offset: number, byte: number, length: number): void;
  /** @throws KernelCompileError with the compiler's log */
  compile(source: GpuSource): Promise<GpuCode>;
  /** Machine code to keep, where the driver has any. */
  binary(code: GpuCode): Uint8Array | undefined;
  /** What `binary` gave, made ready again. @throws KernelCompileError where this driver does not take it */
  load(binary: Uint8Array, source: GpuSource): Promise<GpuCode>;
  /** Asks for a launch and returns. */
  launch(code: GpuCode, entry: string, shape: GpuGrid, args: readonly GpuValue[]): void;
  /** The bytes of a tensor map for a launch's arguments; undefined on devices that have none. */
  tensorMap?(map: GpuTensorMap): Uint8Array;
  /** Resolves when all that was asked for is done. */
  sync(): Promise<void>;
  /**
   * Calls `f` once when something is next waited for (`read`, `sync`, `time`), which resolves after it has: the way for what a launch has to tell its host. `f` reads
   * with the function that it is given. Undefined on devices whose launches print by themselves.
   */
  whenWaited?(f: (read: GpuDriver['read']) => Promise<void>): void;
  /** Nanoseconds on the device between here and the end of what `work` asks for. */
  time(work: () => void): Promise<number>;
}
