import type { ir } from '@quern/kernel-dsl';

type Op = (a: number, b: number) => number;
const floorDiv: Op = (a, b) => Math.floor(a / b);
const OPS: Readonly<Partial<Record<ir.BinaryFn, Op>>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => (Math.abs(a * b) < 2 ** 53 ? a * b : Math.imul(a, b)),
  div: floorDiv, mod: (a, b) => a - floorDiv(a, b) * b, min: Math.min, max: Math.max,
  and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b, shl: (a, b) => a * 2 ** b, shr: (a, b) => Math.floor(a / 2 ** b),
};

/** Brings an integer into the range of its dtype by wrapping. */
export function wrap(x: number, t: ir.DType): number {
  switch (t) {
    case 'i32': return Number(BigInt.asIntN(32, BigInt(x)));
    case 'u32': return Number(BigInt.asUintN(32, BigInt(x)));
    case 'i16': return (x << 16) >> 16;
    case 'u16': return x & 0xffff;
    case 'i8': return (x << 24) >> 24;
    case 'u8': return x & 0xff;
    case 'bool': return x === 0 ? 0 : 1;
    default: return x + 0;
  }
}

/** a fn b on known integers, wrapped. */
export const integerOp = (fn: ir.BinaryFn, a: number, b: number, t: ir.DType): number => {
  const op = OPS[fn];
  if (!op) throw new Error(`${fn} is not for integers`);
  return wrap(op(a, b), t);
};

/** acc + the products of the unsigned bytes of a with the signed bytes of b. */
export function dot4(acc: number, a: number, b: number): number {
  let sum = acc;
  for (let i = 0; i < 4; i++) sum += ((a >>> (8 * i)) & 0xff) * ((((b >>> (8 * i)) & 0xff) << 24) >> 24);
  return sum | 0;
}
