import type { DType } from '../tensor/index.ts';

/** A tensor that a kernel takes. */
export interface TensorParamMeta {
  readonly kind: 'tensor';
  readonly name: string;
  readonly dtype: DType;
  /**
   * Two elements of four bits lie in each byte: `dtype` is u8, `shape` counts elements. The tensor passed has the bytes, so its innermost dimension is half of that.
   */
  readonly packed?: 'i4' | 'u4';
  /** Numbers must match; a name is a size bound by the tensors' shapes; other text is an expression of sizes (`n / 32`, `(m + 1) * k`). */
  readonly shape: readonly (string | number)[];
  readonly access: 'in' | 'out' | 'inout';
  /** False: the innermost stride must be 1. */
  readonly strided: boolean;
}

/** A number that a kernel takes. */
export interface ScalarParamMeta {
  readonly kind: 'scalar';
  readonly name: string;
  readonly dtype: DType;
}

/** A parameter of a kernel. */
export type ParamMeta = TensorParamMeta | ScalarParamMeta;

/** How a compiled kernel is called; what the emitters of the kernel language write down. */
export interface KernelMeta {
  readonly name: string;
  readonly params: readonly ParamMeta[];
  /** Named sizes in the order of their first appearance. */
  readonly sizes: readonly string[];
  readonly scratchBytes: number;
  readonly sharedBytes: number;
  /** What the kernel needs to hold; it answers with the number (from 1) of the one that does not. */
  readonly assumptions: readonly string[];
}
