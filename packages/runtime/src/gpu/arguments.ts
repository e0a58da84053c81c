import type { GpuArg, GpuModule, HostValues } from '@quern/kernel-dsl/gpu';
import type { GpuBuffer, GpuDriver, GpuValue } from '../driver/index.ts';
import type { Bound, Operand, Signature } from '../kernel/index.ts';
import { bytesOf, type DType, f32ToBf16, f32ToF16, reach } from '../tensor/index.ts';

/** A call's arguments, checked: where its tensors lie on the device, and what the host computes with. */
export interface Call {
  readonly signature: Signature;
  readonly operands: readonly Operand[];
  readonly bound: Bound;
  readonly values: HostValues;
}

const value = (bound: Bound, i: number, dtype: DType): number => {
  const { scalars: s } = bound;
  if (dtype === 'f64') return s.f64[i]!;
  if (dtype === 'i64') return Number(s.i64[i]!);
  if (dtype === 'u32') return s.u32[2 * i]!;
  return dtype === 'f32' || dtype === 'f16' || dtype === 'bf16' ? s.f32[2 * i]! : s.i32[2 * i]!;
};

/** What a call gives the host to compute with. */
export function hostValues(s: Signature, operands: readonly Operand[], bound: Bound): HostValues {
  return {
    sizes: Object.fromEntries(s.sizes.map((n, i) => [n, bound.values[i] ?? 0])),
    strides: Object.fromEntries(s.tensors.map((t, i) => [t.meta.name, operands[i]!.strides])),
    scalars: Object.fromEntries(s.scalars.map((p, i) => [p.name, value(bound, i, p.dtype)])),
  };
}

/** The bytes of an integer of an index. */
function integer(x: number, bits: 32 | 64): Uint8Array {
  const out = new DataView(new ArrayBuffer(bits / 8));
  if (bits === 32) out.setInt32(0, x, true); else out.setBigInt64(0, BigInt(x), true);
  return new Uint8Array(out.buffer);
}

/** The bytes of a scalar as its dtype has them; halves as their bits. */
function scalarBytes(bound: Bound, i: number, dtype: DType): Uint8Array {
  const slot = new Uint8Array(bound.scalars.i64.buffer, bound.scalars.i64.byteOffset + 8 * i, 8);
  if (dtype === 'f16' || dtype === 'bf16') return new Uint8Array(Uint16Array.of((dtype === 'f16' ? f32ToF16 : f32ToBf16)(bound.scalars.f32[2 * i]!)).buffer);
  return slot.slice(0, bytesOf(dtype));
}

/** Buffers of a run that no caller passes. */
export interface Extra { /** A buffer may be longer than what a call asked for. */ readonly workspace: ReadonlyMap<string, { readonly buffer: GpuBuffer; readonly bytes: number }>; readonly faults: GpuBuffer | undefined; readonly printed: GpuBuffer | undefined }

/** The bytes of a tensor that a binding of WebGPU covers; offsets of bindings are multiples of 256. Half bytes are counted by nobody: all of the memory then. */
export function windowOf(o: Operand, packed: boolean): { readonly from: number; readonly to: number } | undefined {
  if (packed) return { from: 0, to: o.remote?.buffer.bytes ?? 0 };
  const r = reach(o.shape, o.strides);
  return r && { from: Math.floor((o.start + r.low * o.elementBytes) / 256) * 256, to: Math.ceil((o.start + (r.high + 1) * o.elementBytes) / 16) * 16 };
}

/** One part of a window; all of it where it is not split. */
const partOf = (w: { readonly from: number; readonly to: number }, { bytes }: GpuModule['options']['split'], part: number | undefined, parts = 1): { readonly from: number; readonly to: number } =>
  (parts > 1 ? { from: w.from + bytes * (part ?? 0), to: Math.min(w.to, w.from + bytes * ((part ?? 0) + 1)) } : w);

/** One argument of a launch. */
export function gpuValue(a: GpuArg, call: Call, module: GpuModule, extra: Extra, vars: ReadonlyMap<number, number>, driver: GpuDriver): GpuValue {
  const { signature: s, operands, bound, values } = call, { indexBits: bits, split } = module.options;
  const tensor = (name: string): { o: Operand; i: number } => { const i = s.tensors.findIndex((t) => t.meta.name === name); return { o: operands[i]!, i }; };
  const packed = (name: string): boolean => s.tensors.find((t) => t.meta.name === name)?.meta.packed !== undefined;
  const bytes = (b: Uint8Array): GpuValue => ({ kind: 'bytes', bytes: b });
  const buffer = (b: GpuBuffer | undefined, offset = 0): GpuValue => { if (b === undefined) throw new Error(`no buffer for an argument of kind ${a.kind}`); return { kind: 'buffer', buffer: b, offset }; };
  switch (a.kind) {
    case 'buffer': {
      const { o } = tensor(a.param);
      if (module.language === 'wgsl') { const all = windowOf(o, packed(a.param)), b = buffer(o.remote?.buffer); return all && b.kind === 'buffer' ? { ...b, window: partOf(all, split, a.part, split.parts[a.param]) } : b; }
      const b = buffer(o.remote?.buffer, module.language === 'cuda' ? o.start : 0);
      return a.image === undefined ? b : { ...b, image: a.image } as GpuValue;
    }
    case 'start': { const { o, i } = tensor(a.param); const from = module.language === 'wgsl' ? windowOf(o, packed(a.param))?.from ?? 0 : 0; return bytes(integer((o.start - from) / bytesOf(s.tensors[i]!.meta.dtype), bits)); }
    case 'workspace': { const w = extra.workspace.get(a.name), b = buffer(w?.buffer); return module.language === 'wgsl' && w && b.kind === 'buffer' ? { ...b, window: partOf({ from: 0, to: Math.ceil(w.bytes / 16) * 16 }, split, a.part, split.parts[`workspace ${a.name}`]) } : b; }
    case 'size': return bytes(integer(values.sizes[a.name] ?? 0, bits));
    case 'stride': return bytes(integer(values.strides[a.param]?.[a.dim] ?? 0, bits));
    case 'scalar': return bytes(scalarBytes(bound, s.scalars.findIndex((p) => p.name === a.name), a.dtype));
    case 'var': return bytes(integer(vars.get(a.v.id) ?? 0, bits));
    case 'faults': return buffer(extra.faults);
    case 'print': return buffer(extra.printed);
    case 'tensormap': {
      const { o, i } = tensor(a.param), { remote } = o;
      if (remote === undefined || driver.tensorMap === undefined) throw new Error('no tensor maps on this device');
      return bytes(driver.tensorMap({
        buffer: remote.buffer, offset: o.start, dtype: s.tensors[i]!.meta.dtype, dims: o.shape.toReversed(), strides: o.strides.map((x) => x * o.elementBytes).toReversed(), box: a.box, swizzle: a.swizzle,
      }));
    }
  }
}
