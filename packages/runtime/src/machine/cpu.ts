import { native } from '../native/index.ts';

/** What the CPU is and can do. */
export interface CpuInfo {
  readonly brand: string;
  /** `x64`, `arm64` or `other`. */
  readonly arch: string;
  /** Feature bits that are set and whose registers the operating system saves. */
  readonly features: readonly string[];
  /** Instruction sets that kernels can use here, best first; always ends with `generic`. */
  readonly isas: readonly string[];
  /** QUERN_ISA, when it is set. */
  readonly isaCap: string | undefined;
  /** False when QUERN_ISA names no instruction set; it is ignored then. */
  readonly isaCapKnown: boolean;
  /** Bytes of cache as one core sees them; 0 when unknown. */
  readonly caches: { readonly l1d: number; readonly l2: number; readonly l3: number };
}

/** Describes the CPU. @throws ProviderLoadError without the addon. */
export function cpuInfo(): CpuInfo {
  const { brand, arch, features, isas, isaCap, isaCapKnown, l1d, l2, l3 } = native().cpuInfo();
  return {
    brand, arch, isas, isaCap: isaCap === '' ? undefined : isaCap, isaCapKnown,
    features: features === '' ? [] : features.split(' '), caches: { l1d, l2, l3 },
  };
}

/** What the thread pool is doing. */
export interface PoolInfo {
  /** Threads that a call gets when it asks for no number. */
  readonly limit: number;
  /** CPUs that this process may use. */
  readonly cpus: number;
  /** QUERN_NUM_THREADS, or 0. */
  readonly cap: number;
  /** Threads started so far beside the callers. */
  readonly workers: number;
  /** Parallel loops that used the pool. */
  readonly loops: number;
  /** Parallel loops that ran in their caller alone because the pool was taken. */
  readonly inlineLoops: number;
  /** How often a worker fell asleep. */
  readonly sleeps: number;
}

/** Describes the thread pool. @throws ProviderLoadError without the addon. */
export function poolInfo(): PoolInfo {
  return native().poolInfo();
}

/** Resident memory of this process in bytes; zeros where the system does not tell. */
export interface ResidentMemory {
  readonly total: number;
  /** Not backed by a file: heaps, stacks, tensors. */
  readonly anonymous: number;
  /** Pages of mapped files, weights among them. */
  readonly file: number;
  /** The most that `total` has been. */
  readonly peak: number;
}

/** How much memory this process occupies. @throws ProviderLoadError without the addon. */
export function residentMemory(): ResidentMemory {
  return native().rss();
}
