import { dotDivide, exp, map, max, subtract, sum } from 'mathjs';
import type { OracleArg } from '../conform/index.ts';
import { rows } from './arrays.ts';

/** e^x over its sum, of each row of a matrix. The largest element is taken away first, so that nothing overflows. */
export const softmax = (x: OracleArg | undefined): number[][] => rows(x).map((row) => {
  if (row.length === 0) return [];
  const e = map(subtract(row, max(row)) as number[], (v: number) => exp(v)) as number[];
  return dotDivide(e, sum(e)) as number[];
});
