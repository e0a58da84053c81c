import { ArgumentError } from '../errors/index.ts';
import { type Dimension, parseDimension } from './dimension.ts';
import type { KernelMeta, ScalarParamMeta, TensorParamMeta } from './meta.ts';

/** A tensor parameter with its dimensions read. */
export interface TensorParam {
  readonly meta: TensorParamMeta;
  readonly dims: readonly Dimension[];
  readonly writes: boolean;
  /** Slot of its first stride. */
  readonly strideSlot: number;
}

/** A kernel's parameters, prepared for binding arguments. */
export interface Signature {
  readonly name: string;
  readonly tensors: readonly TensorParam[];
  readonly scalars: readonly ScalarParamMeta[];
  readonly sizes: readonly string[];
  readonly names: ReadonlySet<string>;
  /** Sizes and strides together. */
  readonly sizeCount: number;
}

/** Prepares a kernel's description. @throws ArgumentError when it contradicts itself. */
export function signature(meta: KernelMeta): Signature {
  const scalars = meta.params.filter((p) => p.kind === 'scalar');
  let slot = meta.sizes.length;
  const tensors = meta.params.filter((p) => p.kind === 'tensor').map((p): TensorParam => {
    const strideSlot = slot;
    slot += p.shape.length;
    return { meta: p, dims: p.shape.map(parseDimension), writes: p.access !== 'in', strideSlot };
  });
  const names = new Set(meta.params.map((p) => p.name));
  if (names.size !== meta.params.length) throw new ArgumentError(`kernel '${meta.name}': two parameters have one name`);
  for (const { meta: p, dims } of tensors) {
    for (const dim of dims) {
      const used = dim.kind === 'size' ? [dim.name] : dim.kind === 'expression' ? dim.names : [];
      const unknown = used.find((name) => !meta.sizes.includes(name));
      if (unknown !== undefined) throw new ArgumentError(`kernel '${meta.name}': '${p.name}' uses the size '${unknown}', which is not among its sizes`);
    }
  }
  return { name: meta.name, tensors, scalars, sizes: meta.sizes, names, sizeCount: slot };
}
