import type { EmitGpuOptions, GpuModule, HostValues } from '@quern/kernel-dsl/gpu';
import type { Operand, Signature } from '../kernel/index.ts';
import type { GpuDriver } from '../driver/index.ts';
import { bytesOf, type DType, reach } from '../tensor/index.ts';
import { windowOf } from './arguments.ts';

/** The host's arithmetic: `evaluate` of the kernel language, which is loaded when it is first needed. */
export type Evaluate = (e: GpuModule['below'][number], at: HostValues) => number;

const MOST = 2 ** 31 - 1;

/** Do all indices of a call fit in 32 bits? */
export function fitsIndex(m: GpuModule, operands: readonly Operand[], at: HostValues, evaluate: Evaluate): boolean {
  for (const o of operands) {
    const r = reach(o.shape, o.strides), first = o.start / o.elementBytes;
    if (first > MOST || (r !== undefined && (first + r.high > MOST || r.high - r.low > MOST))) return false;
    if (o.strides.some((s) => Math.abs(s) > MOST)) return false;
  }
  return m.below.every((e) => Math.abs(evaluate(e, at)) <= MOST);
}

/** Do the addresses of a call suit the wide accesses of a module? */
export function suitsAlignment(m: GpuModule, s: Signature, operands: readonly Operand[]): boolean {
  return m.alignment.every((a) => {
    const o = operands[s.tensors.findIndex((t) => t.meta.name === a.param)];
    return o === undefined || ((o.start / o.elementBytes) % a.elements === 0 && a.dims.every((d) => (o.strides[d] ?? 0) % a.elements === 0 || (o.shape[d] ?? 0) <= 1) && (!a.whole || (o.shape.at(-1) ?? 0) % a.elements === 0));
  });
}

/** WebGPU: what of a call is larger than a binding, and in how many parts it is bound. */
export function splitOf(m: GpuModule, s: Signature, operands: readonly Operand[], at: HostValues, evaluate: Evaluate, { limits }: GpuDriver['info']): Variant['split'] {
  const bytes = Math.floor((limits.bindingBytes ?? Infinity) / 256) * 256;
  const sizes = m.language !== 'wgsl' ? [] : [
    ...operands.map((o, i): readonly [string, number] => { const { name, packed } = s.tensors[i]!.meta, w = windowOf(o, packed !== undefined); return [name, w ? w.to - w.from : 0]; }),
    ...m.workspace.map((w): readonly [string, number] => [`workspace ${w.name}`, evaluate(w.elements, at) * bytesOf(w.dtype as DType)]),
  ];
  return { bytes, parts: Object.fromEntries(sizes.flatMap(([name, n]) => (n > bytes ? [[name, Math.ceil(n / bytes)]] : []))) };
}

/** Options in full. */
export type Variant = Required<EmitGpuOptions>;
/** A name for options. */
export const variantKey = (v: Variant): string => `${v.indexBits}${v.aligned ? 'a' : ''}${v.flatGrid ? 'f' : ''}${v.bounds ? 'b' : ''}${Object.entries(v.split.parts).map(([name, n]) => ` ${name} ${n}`).join('')}`;
