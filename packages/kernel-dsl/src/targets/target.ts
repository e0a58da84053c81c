import type { Approximate, Instruction, UnaryFn } from '../ir/index.ts';

/** A machine that kernels are emitted for: its limits, and how a C compiler is told about it. */
export interface Target {
  /** Name in the library ABI, e.g. `x86-64-v3`. */
  readonly isa: string;
  /** The processors that run it, as Node's `process.arch` names them; undefined: any. */
  readonly arch: string | undefined;
  /** Width of a vector register in bytes. */
  readonly vecBytes: number;
  /** Does it multiply and add with one rounding at full speed? */
  readonly fma: boolean;
  /** How many vector registers a kernel may hold at once. */
  readonly vectorRegisters: number;
  /** Instruction sets beyond the base, in the spelling of Linux' cpuinfo. */
  readonly features: readonly string[];
  /** The features among them that only kernels which ask for them gain from; a library without such kernels does without this target. */
  readonly adds: readonly string[];
  /** Instructions with a meaning, for `tensorize`. */
  readonly instructions: readonly Instruction[];
  /** Flags for the compiler of its language. Of CPUs, for gcc and clang: what every target shares, then its instruction sets. */
  readonly cflags: readonly string[];
  /** What a GPU is; CPUs have none. */
  readonly gpu?: GpuTraits;
}

/** Languages of kernels on GPUs. */
export type GpuLanguage = 'cuda' | 'opencl' | 'wgsl';

/** Three numbers, one for each direction of a grid: x, y, z. */
export type Dim3 = readonly [number, number, number];

/** A GPU as emitters and schedules see it: the limits that every device of the target keeps. A driver knows those of the device at hand. */
export interface GpuTraits {
  readonly language: GpuLanguage;
  /** The most lanes of a workgroup: all directions together, and each. */
  readonly workgroup: { readonly lanes: number; readonly each: Dim3 };
  /** The most workgroups of a launch in each direction. */
  readonly grid: Dim3;
  /** Bytes of shared memory that a workgroup may use. */
  readonly sharedBytes: number;
  /** Bytes of arrays of a lane's own that every device takes; not set where that is much. WGSL promises 8192 for a function. */
  readonly laneBytes?: number;
  /** Lanes that run in step and exchange values without memory; undefined where the target does not fix it. */
  readonly subgroup: number | undefined;
  /** 32-bit registers of a lane, before values go to memory. */
  readonly registers: number;
  /** Functions of floats that its emitter has texts of its own for, since their formulas in the language need f64 or one rounding for a product and a sum. */
  readonly ownFunctions?: readonly UnaryFn[];
  /** Functions of float32 that it has faster and less exact ones for (see `approximate` of schedules). */
  readonly approximate?: readonly Approximate[];
}

/**
 * Flags of every target; part of the meaning of emitted C, not only of its speed.
 * - `-ffp-contract=off`: a product and a sum round twice, as the interpreter does; only the Fma node fuses.
 * - `-fwrapv`: signed integers wrap.
 * - `-fno-math-errno -fno-trapping-math`: errno and floating-point flags are not results; sqrt, floor and selects become instructions.
 * - `-fvisibility=hidden`: a library shows its entry table alone.
 */
export const COMMON_CFLAGS: readonly string[] =
  ['-std=gnu11', '-O2', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-fwrapv', '-fno-math-errno', '-fno-trapping-math'];
