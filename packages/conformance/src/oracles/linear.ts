import { add as plus, dot as inner, multiply as times, transpose } from 'mathjs';
import type { OracleArg } from '../conform/index.ts';
import { rows, vector } from './arrays.ts';

/** The inner product of two vectors; 0 for empty ones. */
export function dot(x: OracleArg | undefined, y: OracleArg | undefined): number {
  const a = vector(x), b = vector(y);
  return a.length === 0 ? 0 : inner(a, b);
}

/** The product of two matrices, either of them transposed on request; rows of numbers. */
export function multiply(a: OracleArg | undefined, b: OracleArg | undefined, o: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {}): number[][] {
  const turn = (x: number[][], t: boolean | undefined): number[][] => (t && x.length > 0 && x[0]!.length > 0 ? transpose(x) : x);
  const A = turn(rows(a), o.transposeA), B = turn(rows(b), o.transposeB);
  if (A.length === 0 || B.length === 0 || A[0]!.length === 0 || B[0]!.length === 0) {
    const dims = (x: OracleArg | undefined, t: boolean | undefined): readonly number[] => { const s = typeof x === 'object' ? x.shape : []; return t ? [...s].reverse() : s; };
    return Array.from({ length: dims(a, o.transposeA)[0] ?? 0 }, () => new Array<number>(dims(b, o.transposeB)[1] ?? 0).fill(0));
  }
  return times(A, B);
}

/** The sum of two lists, element by element. */
export const add = (x: readonly number[], y: readonly number[]): number[] => (x.length === 0 ? [] : (plus([...x], [...y]) as number[]));
/** A list times a number. */
export const scale = (x: readonly number[], by: number): number[] => (x.length === 0 ? [] : (times([...x], by) as number[]));
