import type { KernelId } from '../kernels/index.ts';
import type { Factor } from './factor.ts';

/** Memory that launches work on: the caller's arrays, two scratch areas and the twiddles. */
export type Place = 'in' | 'out' | 'a' | 'b' | 'tw';

/** A tensor argument: where it starts and how its elements lie, counted in real numbers. */
export interface View { readonly place: Place; readonly offset: number; readonly shape: readonly number[]; readonly strides: readonly number[] }

/** One launch of a kernel. */
export interface Launch {
  readonly kernel: KernelId;
  readonly views: Readonly<Record<string, View>>;
  /** Scalar arguments by name. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Too little work for more than one thread? */
  readonly alone: boolean;
}

/** A twiddle table: its place in `tw` and what it holds; `reversed`: rows u in the order radix - 1 .. 1. */
export interface Table { readonly offset: number; readonly l: number; readonly radix: number; readonly lanes: number; readonly scale: number; readonly reversed: boolean }

/** What a plan does, as data. */
export interface LaunchPlan {
  readonly factors: readonly Factor[];
  readonly launches: readonly Launch[];
  readonly tables: readonly Table[];
  /** Real numbers in each place of the plan's own. */
  readonly sizes: { readonly a: number; readonly b: number; readonly tw: number };
}

/** Points below which a launch stays on one thread: waking others costs more. */
export const ALONE: number = 2 ** 14;

/** A dimension: its length and its stride. */
export type Dim = readonly [n: number, stride: number];

/** A view from its dimensions, outermost first. */
export const view = (place: Place, offset: number, ...dims: readonly Dim[]): View => ({ place, offset, shape: dims.map((d) => d[0]), strides: dims.map((d) => d[1]) });

/** Rows 1 .. radix - 1, `step` apart from row 0 on; backwards for the backward transform. */
export const rows = (radix: number, sign: -1 | 1, step: number): { readonly offset: number; readonly dim: Dim } =>
  (sign === 1 ? { offset: step * (radix - 1), dim: [radix - 1, -step] } : { offset: step, dim: [radix - 1, step] });
