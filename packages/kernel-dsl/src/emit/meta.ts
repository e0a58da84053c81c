import type { Buffer, DType, KernelIR, PackedDType } from '../ir/index.ts';
import { printExpr, visitStmt } from '../ir/index.ts';

/**
 * A parameter as a caller sees it: what to pass, in which shape. A `packed` tensor has two elements in each byte of `dtype` u8; its shape and strides count elements.
 * A dimension is a named size, a number, or an expression of them as text.
 */
export type ParamMeta =
  | { readonly kind: 'tensor'; readonly name: string; readonly dtype: DType; readonly packed?: PackedDType; readonly shape: readonly (string | number)[]; readonly access: Buffer['access']; readonly strided: boolean }
  | { readonly kind: 'scalar'; readonly name: string; readonly dtype: DType };

/** All that is needed to call an emitted kernel: the order of buffers, sizes and scalars, the memory it wants, and what it assumes. */
export interface KernelMeta {
  readonly name: string;
  readonly params: readonly ParamMeta[];
  /** Named sizes in the order in which the `size` array holds them; the strides of each tensor follow. */
  readonly sizes: readonly string[];
  /** What its specialisation constants were when it was built. */
  readonly constants?: Readonly<Record<string, number | boolean | string>>;
  /** Bytes of `ctx->scratch[worker]` that it uses. */
  readonly scratchBytes: number;
  /** Bytes of `ctx->shared` that it uses. */
  readonly sharedBytes: number;
  /** What it checks before it runs; a return value k > 0 names the k-th of these, counted from 1. */
  readonly assumptions: readonly string[];
}

/** The part of the metadata that follows from the parameters alone. */
export function kernelMeta(k: KernelIR, memory: { readonly scratchBytes: number; readonly sharedBytes: number }): KernelMeta {
  const assumptions: string[] = [];
  visitStmt(k.body, (s) => { if (s.kind === 'assume') assumptions.push(s.text); });
  const params = k.params.map((p): ParamMeta => (p.kind === 'scalar' ? { kind: 'scalar', name: p.name, dtype: p.dtype } : {
    kind: 'tensor', name: p.name, dtype: p.buf.packed ? 'u8' : p.buf.dtype, ...(p.buf.packed && { packed: p.buf.packed }), access: p.buf.access, strided: p.buf.strided,
    shape: p.buf.shape.map((d) => (d.kind === 'const' ? d.value : d.kind === 'size' ? d.name : printExpr(d))),
  }));
  return { name: k.name, params, sizes: k.sizes, ...(k.constants && { constants: k.constants }), scratchBytes: memory.scratchBytes, sharedBytes: memory.sharedBytes, assumptions };
}

/** Entries of the `size` array: the named sizes, then a stride per dimension of each tensor. */
export function sizeCount(m: KernelMeta): number {
  return m.params.reduce((n, p) => n + (p.kind === 'tensor' ? p.shape.length : 0), m.sizes.length);
}
