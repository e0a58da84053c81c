import { lower, schedule } from '@quern/kernel-dsl';
import type { Axes, Axis, Kernel, KernelIR, Target } from '@quern/kernel-dsl';
import type { LibraryKernel } from '@quern/kernel-dsl/c';
import type { Real } from '@quern/kernel-dsl';
import { batchTransform, firstPass, lastPass, middlePass, smallTransform } from './passes.ts';

/** What a kernel of this library does. `small`: one transform after another; `batch`: as many at once as a vector has lanes. `narrow`: with vectors of at most 8 lanes, for transforms too short for longer ones. */
export type KernelId =
  | { readonly role: 'small'; readonly dtype: Real; readonly n: number }
  | { readonly role: 'batch'; readonly dtype: Real; readonly n: number }
  | { readonly role: 'first' | 'middle' | 'last'; readonly dtype: Real; readonly radix: number; readonly narrow: boolean };

/** Transforms that are one codelet. */
export const SMALL_SIZES: readonly number[] = [2, 4, 8, 16, 32];
/** Radices of passes. */
export const RADICES: readonly number[] = [8, 16];
const NARROW_LANES = 8;

/** The name under which a kernel is in the library, e.g. `middle16_f32`. */
export function kernelName(id: KernelId): string {
  return id.role === 'small' || id.role === 'batch' ? `${id.role}${id.n}_${id.dtype}` : `${id.role}${id.radix}${id.narrow ? '_narrow' : ''}_${id.dtype}`;
}

/** Lanes of a pass's vectors on a target. */
export function lanesOf(t: Pick<Target, 'vecBytes'>, id: { readonly dtype: Real; readonly narrow: boolean }): number {
  const native = t.vecBytes / (id.dtype === 'f32' ? 4 : 8);
  return id.narrow ? Math.min(NARROW_LANES, native) : native;
}

/** Every kernel of the library. */
export function kernelIds(): readonly KernelId[] {
  const types: readonly Real[] = ['f32', 'f64'];
  return types.flatMap((dtype): KernelId[] => [
    ...(['small', 'batch'] as const).flatMap((role) => SMALL_SIZES.map((n): KernelId => ({ role, dtype, n }))),
    ...(['first', 'middle', 'last'] as const).flatMap((role) => RADICES.map((radix): KernelId => ({ role, dtype, radix, narrow: false }))),
    // Only f32 has vectors of more than 8 lanes.
    ...(dtype === 'f32' ? ([['first', 8], ['middle', 8], ['last', 8], ['last', 16]] as const).map(([role, radix]): KernelId => ({ role, dtype, radix, narrow: true })) : []),
  ]);
}

/** A kernel as its author wrote it, for vectors of a target's length. */
export function algorithm(id: KernelId, t: Pick<Target, 'vecBytes'>): Kernel<Axes> {
  const name = kernelName(id);
  if (id.role === 'small') return smallTransform(name, id.dtype, id.n);
  if (id.role === 'batch') return batchTransform(name, id.dtype, id.n, lanesOf(t, { dtype: id.dtype, narrow: false }));
  const make = { first: firstPass, middle: middlePass, last: lastPass }[id.role];
  return make(name, id.dtype, id.radix, lanesOf(t, id));
}

/** A kernel scheduled for a target: P on the threads, vectors along the innermost loop. */
export function scheduled(id: KernelId, t: Target): KernelIR {
  const k = algorithm(id, t);
  return schedule(k, t, (s, ax) => {
    const axis = ax as { readonly p: Axis; readonly v?: Axis };
    if (axis.v) s.vectorize(axis.v);
    s.parallel(axis.p);
  }).ir;
}

/** What the build compiles. */
export function fftKernels(): readonly LibraryKernel[] {
  return kernelIds().map((id) => ({ name: kernelName(id), build: (t) => lower(scheduled(id, t), t) }));
}
