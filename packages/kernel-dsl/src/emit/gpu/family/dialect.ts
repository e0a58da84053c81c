import type { Approximate, DType } from '../../../ir/index.ts';
import type { Dim3, Target } from '../../../targets/index.ts';

/** A small function that kernels call. Two helpers with one name are the same. */
export interface Helper {
  readonly name: string;
  /** Its text, the helpers that it calls, and the features of the target that it uses. */
  readonly render: (d: Dialect, t: Target) => { readonly signature: string; readonly body: readonly string[]; readonly uses?: readonly Helper[]; readonly features?: readonly string[] };
}

/** Where a pointer points to. */
export type Memory = 'global' | 'shared' | 'own';

/** In what CUDA C++ and OpenCL C differ. Types are those of `types.ts`. */
export interface Dialect {
  readonly language: 'cuda' | 'opencl';
  /** Words that no variable may be called, beyond those of C. */
  readonly reserved: readonly string[];
  /** What stands above all: extensions, and the names of types that the text mentions. */
  readonly prologue: (text: string, features: ReadonlySet<string>) => readonly string[];
  /** In front of a helper function. */
  readonly inline: string;
  /** `const float *__restrict__ x`, but for the name; ends in a `*` or a space. */
  readonly pointer: (m: Memory, T: string, o: { readonly readonly: boolean; readonly restrict?: boolean }) => string;
  /** The declaration of `n` elements of shared memory, at a multiple of 16 bytes. */
  readonly shared: (T: string, name: string, n: number) => string;
  /** The same out of memory that the launch asks for, from byte `offset` on; and the declaration of all of it. */
  readonly dynamicShared: { readonly declaration: string; readonly part: (T: string, name: string, offset: number) => string } | undefined;
  /** Are tensors passed as their memory and the place of element 0 in it? */
  readonly starts: boolean;
  /** A line in front of a loop whose iterations the compiler shall write one after another, and of one that it shall leave as it is. */
  readonly unroll?: string;
  readonly rolled?: string;
  /** The head of a kernel up to its parameters. */
  readonly entry: (name: string, block: Dim3, resident: number | undefined) => string;
  readonly blockIndex: (d: 0 | 1 | 2) => string;
  readonly laneIndex: (d: 0 | 1 | 2) => string;
  /** A type of `lanes` values that is read and written at once, and what can be done with it. */
  readonly vector: {
    readonly type: (t: DType, lanes: number) => string;
    readonly lane: (v: string, i: number) => string;
    readonly join: (T: string, parts: readonly string[]) => string;
  };
  /** A whole load from a place, where reading through a pointer will not do. */
  readonly load?: (t: Target, dtype: DType, lanes: number, place: string) => string | undefined;
  /** The definition of a vector type, where the language has none. */
  readonly defineVector?: (name: string) => string | undefined;
  /** Functions of the language, by what they do. */
  readonly fn: (name: 'fma' | 'sqrt' | 'floor' | 'ceil' | 'round' | 'trunc' | 'fabs' | 'copysign' | 'ldexp' | 'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf' | 'pow', t: 'f32' | 'f64') => string;
  /** Bodies of helpers that each language writes in its own way. */
  readonly popcount: (x: string, bits: 32 | 64) => string;
  readonly clz: (x: string, bits: 32 | 64) => string;
  readonly bits: (from: DType, to: DType, x: string) => string;
  readonly halves: (t: Target) => { readonly toF32?: readonly string[]; readonly fromF32?: readonly string[]; readonly bf16FromF32?: readonly string[]; readonly pair?: (t: 'f16' | 'bf16') => readonly string[] };
  /** Bodies of what the machine computes in its own way, where kernels let it: of `x`, or of `a` and `b`. */
  readonly approximate?: Readonly<Record<Approximate, readonly string[]>>;
  readonly dot4: (t: Target) => readonly string[] | undefined;
  readonly barrier: string;
  /** The same where it needs to order shared memory alone. */
  readonly sharedBarrier?: string;
  /** The statements of an atomic update that an instruction does, of `*p` by `x`, returning the old value; undefined where it takes a loop. */
  readonly atomic: (fn: string, t: DType) => string | undefined;
  /** `compare_exchange` of a 32- or 64-bit word: returns what was there. */
  readonly compareExchange: (bits: 32 | 64, p: string, expected: string, next: string) => string;
  /** Calls of printf: the format and its arguments. Texts of bools: an expression, or undefined where format strings must hold them. */
  readonly print: { readonly call: (format: string, args: readonly string[]) => string; readonly long: string; readonly text?: (x: string) => string };
  /** A value of another lane; see helpers/subgroup. */
  readonly subgroup: (t: Target) => SubgroupDialect;
}

/** How lanes of a subgroup exchange values: by instructions, or by way of shared memory and barriers. */
export type SubgroupDialect =
  | { readonly kind: 'shuffle'; readonly helper: (t: DType, width: number, how: 'index' | 'xor' | 'down') => Helper; readonly ballot: (width: number) => Helper; readonly barrier: (width: number) => { readonly text: string; readonly uses: readonly Helper[] } }
  | { readonly kind: 'memory' };
