import type { TensorArg } from '@quern/kernel-dsl';
import type fc from 'fast-check';
import type { Random } from './random.ts';
import type { Expected } from './rounding.ts';

export type Args = Readonly<Record<string, TensorArg | number>>;
export type Sizes = Readonly<Record<string, number>>;

/** How one kernel is tested: which sizes, which arguments for them, and what must come out, each in plain double arithmetic. */
export interface Case {
  readonly kernel: string;
  readonly sizes: Readonly<Record<string, fc.Arbitrary<number>>>;
  readonly make: (n: Sizes, r: Random) => Args;
  readonly expected: (n: Sizes, args: Args) => Readonly<Record<string, Expected>>;
}

export const t = (data: TensorArg['data'], ...shape: number[]): TensorArg => ({ data, shape });
/** The elements of a tensor argument. */
export const of = (args: Args, name: string): Float32Array => (args[name] as TensorArg).data as Float32Array;
export const num = (args: Args, name: string): number => Math.fround(args[name] as number);
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
export const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);

/** A value with a bound for each element that `f` computes. */
export function each(n: number, f: (i: number) => readonly [number, number]): Expected {
  const all = range(n).map(f);
  return { value: all.map(([v]) => v), bound: all.map(([, b]) => b) };
}
