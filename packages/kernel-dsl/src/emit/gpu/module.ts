import type { Buffer, DType, Expr, Loc, SourcedLine, Var } from '../../ir/index.ts';
import type { Dim3, GpuLanguage } from '../../targets/index.ts';
import type { KernelMeta } from '../meta.ts';

/** How a kernel is emitted for a GPU. A launcher keeps the variants that calls have asked for. */
export interface EmitGpuOptions {
  /** Width of index arithmetic: 32 (default) while {@link GpuModule.below} holds, else 64. WGSL has 32 only. */
  readonly indexBits?: 32 | 64;
  /** Use accesses of up to 16 bytes (default); needs {@link GpuModule.alignment}. */
  readonly aligned?: boolean;
  /** Number workgroups along x alone: for grids whose y or z is beyond what a device takes. */
  readonly flatGrid?: boolean;
  /** Debug mode: every access to memory is checked first; one outside of its tensor does not happen, and the first is recorded (see {@link GpuSite}). */
  readonly bounds?: boolean;
  /** WGSL: memory that is bound in parts of `bytes` bytes, a multiple of 256: how many of it, by the name of a tensor or, after `workspace `, of a workspace. */
  readonly split?: { readonly bytes: number; readonly parts: Readonly<Record<string, number>> };
}

/** A kernel for GPUs: its text, and how to run it as data. */
export interface GpuModule {
  readonly name: string;
  readonly language: GpuLanguage;
  readonly source: string;
  /** `source` line by line, with the lines of the author that each comes from. */
  readonly lines: readonly SourcedLine[];
  /** Flags for the compiler. */
  readonly flags: readonly string[];
  /** Parameters, sizes and assumptions as a caller sees them. */
  readonly meta: KernelMeta;
  /** What to do, in order. */
  readonly plan: readonly GpuStep[];
  /** Device memory that lives from the first step to the last. */
  readonly workspace: readonly GpuWorkspace[];
  /** What the addresses of tensors must be multiples of. Where a call does not meet it, `aligned: false` runs. */
  readonly alignment: readonly GpuAlignment[];
  /** Values that must lie within -2^31 and 2^31 - 1, beside the spans of all tensors in elements. Where a call does not meet it, `indexBits: 64` runs. Empty with 64. */
  readonly below: readonly Expr[];
  /** What callers must meet, told by sizes, strides and scalars alone: conditions for `evaluate`, in the order of the text. */
  readonly assumptions: readonly { readonly cond: Expr; readonly text: string; readonly loc?: Loc | undefined }[];
  /** Features of the target that the text uses, of those that not every device of its language has. */
  readonly features: readonly string[];
  /** What the `faults` buffer speaks of, by number. */
  readonly sites: readonly GpuSite[];
  /** Lines that its launches print, where a host reads them (WGSL): see `printedLines`. */
  readonly prints?: readonly GpuPrint[];
  /** The options that it was emitted with. */
  readonly options: Required<EmitGpuOptions>;
}

/** A line of `print`: `{}` in its text stands for the next value. A value takes 32 bits; an i64 is an i32 here, f16 and bf16 their bits, bool 0 or 1. */
export interface GpuPrint { readonly text: string; readonly dtypes: readonly DType[]; readonly loc?: Loc | undefined }

/** A buffer of a kernel's own on the device. Its start is a multiple of 16 bytes; contents are undefined. */
export interface GpuWorkspace { readonly name: string; readonly dtype: DType; readonly elements: Expr }

/** The first element of a tensor, and its stride along each of `dims`, is a multiple of so many elements; `whole`: the length of its rows too. */
export interface GpuAlignment { readonly param: string; readonly elements: number; readonly dims: readonly number[]; readonly whole?: boolean }

/**
 * One step of a plan over launches `L`. `check` runs launches that test assumptions about elements and report to `faults`; a launcher waits for them
 * and throws where word 0 is not 0. Values of `let` and variables of `for` go to later steps by their ids.
 */
export type GpuStep<L = GpuLaunch> =
  | { readonly kind: 'launch'; readonly launch: L }
  | { readonly kind: 'check'; readonly body: readonly GpuStep<L>[] }
  | { readonly kind: 'if'; readonly cond: Expr; readonly then: readonly GpuStep<L>[]; readonly else: readonly GpuStep<L>[] }
  | { readonly kind: 'for'; readonly v: Var; readonly extent: Expr; readonly body: readonly GpuStep<L>[] }
  | { readonly kind: 'let'; readonly v: Var; readonly value: Expr };

/** One launch. A grid with an extent of 0 or less is none. */
export interface GpuLaunch {
  readonly entry: string;
  /** Workgroups in each direction, as the program has them; with `flatGrid`, x is launched with the product of all. */
  readonly grid: readonly [Expr, Expr, Expr];
  readonly block: Dim3;
  /** Shared memory of a workgroup in bytes, all of it. */
  readonly sharedBytes: number;
  /** The part of it that the launch must ask for (CUDA: all, where it is more than 48 KiB). */
  readonly dynamicSharedBytes: number;
  /** In the order of the entry's parameters. */
  readonly args: readonly GpuArg[];
  /** Workgroups that run together, in each direction; the grid is a multiple. Not launched with `flatGrid`. */
  readonly cluster?: Dim3;
  /** It may start while the launch before it ends: its text waits for it before it touches memory, but for what is in `early`. */
  readonly overlap?: boolean;
  /** Tensors that its text reads before it waits: no launch that may still run writes them. */
  readonly early?: readonly string[];
}

/**
 * An argument of a launch. A `buffer` begins at element 0 of its tensor in CUDA; elsewhere at the start of its memory, and `start` is the place of element 0, an
 * integer like `size`, in elements of the memory (bytes where they are packed). `size`, `stride` and `var` are integers of `indexBits` bits, strides in elements; a `scalar` has the bytes of its dtype (f16 and bf16
 * as their bits, bool as a byte). `faults` is a buffer of {@link FAULT_WORDS} words, zero at first; `print` one of as many words as a host likes, zero at first too.
 */
export type GpuArg =
  | { readonly kind: 'buffer'; readonly param: string; readonly access: Buffer['access']; /** OpenCL: an image of four such elements a texel over all of the memory. */ readonly image?: DType; /** Which of the parts that it is bound in; the first unless told. */ readonly part?: number }
  | { readonly kind: 'start'; readonly param: string }
  | { readonly kind: 'workspace'; readonly name: string; readonly part?: number }
  | { readonly kind: 'size'; readonly name: string }
  | { readonly kind: 'stride'; readonly param: string; readonly dim: number }
  | { readonly kind: 'scalar'; readonly name: string; readonly dtype: DType }
  | { readonly kind: 'var'; readonly v: Var }
  | { readonly kind: 'tensormap'; readonly param: string; readonly box: readonly number[]; readonly swizzle: 0 | 32 | 64 | 128 }
  | { readonly kind: 'print' }
  | { readonly kind: 'faults' };

/**
 * Words (u32) of the faults buffer: word 0 is 0, or 1 + the number of the site that failed first; words 2 and 3 are the index (i64, low half first), words
 * 4 and 5 the extent that it had to stay below, for an access.
 */
export const FAULT_WORDS = 8;

/** A place of the program that may report a fault: an access along one dimension of a tensor, or an assumption about elements. */
export type GpuSite =
  | { readonly kind: 'bounds'; readonly name: string; readonly access: 'read' | 'written' | 'updated'; readonly dim: number; readonly index: string; readonly loc?: Loc | undefined }
  | { readonly kind: 'assume'; readonly text: string; readonly loc?: Loc | undefined };
