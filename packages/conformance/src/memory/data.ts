import { bf16ToF32, f16ToF32 } from '@quern/kernel-dsl';
import type { InterpretArg, ir } from '@quern/kernel-dsl';

/** The number that an array's entry stands for. */
export function decoded(x: number | bigint, t: ir.DType): number {
  if (t === 'f16') return f16ToF32(Number(x));
  if (t === 'bf16') return bf16ToF32(Number(x));
  return Number(x);
}

/** The same bits; any NaN equals any other. */
export function sameBits(a: number | bigint, b: number | bigint, t: ir.DType): boolean {
  return Object.is(a, b) || (ir16(t) && Number.isNaN(decoded(a, t)) && Number.isNaN(decoded(b, t)));
}
const ir16 = (t: ir.DType): boolean => t === 'f16' || t === 'bf16';

/** Arguments over arrays of their own. */
export const copyArgs = (args: Readonly<Record<string, InterpretArg>>): Record<string, InterpretArg> =>
  Object.fromEntries(Object.entries(args).map(([n, a]) => [n, typeof a === 'number' ? a : { ...a, data: a.data.slice() }]));
