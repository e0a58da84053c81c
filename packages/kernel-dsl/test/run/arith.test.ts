import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binary, bitcast, bytesOf, cast, compare, constant, newBuffer, select, unary } from '../../src/ir/index.ts';
import type { BinaryFn, DType, Expr, UnaryFn } from '../../src/ir/index.ts';
import { RunError, f32ToF16, erf, interpret, roundEven } from '../../src/run/index.ts';
import { evaluate, scalarExpr } from './helpers.ts';

const i32 = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, -1, -(2 ** 31), 2 ** 31 - 1));
const u32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1));
const u8 = fc.integer({ min: 0, max: 255 }), i8 = fc.integer({ min: -128, max: 127 });
const i16 = fc.oneof(fc.integer({ min: -32768, max: 32767 }), fc.constantFrom(0, -1, -32768)), u16 = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(0, 1, 65535));
const i64 = fc.oneof(fc.integer({ min: -(2 ** 26), max: 2 ** 26 }), fc.constantFrom(0, 1, -1));
const f32 = fc.float({ noNaN: true }), f64 = fc.double({ noNaN: true });

/** Euclid's way to the floor, on integers of any size. */
const floorDiv = (a: bigint, b: bigint): bigint => { const q = a / b; return a % b !== 0n && (a < 0n) !== (b < 0n) ? q - 1n : q; };
const INTEGER: Partial<Record<BinaryFn, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: floorDiv, mod: (a, b) => a - floorDiv(a, b) * b,
  and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b, min: (a, b) => (a < b ? a : b), max: (a, b) => (a > b ? a : b),
};
const wrap = { i32: (x: bigint) => BigInt.asIntN(32, x), u32: (x: bigint) => BigInt.asUintN(32, x), u8: (x: bigint) => BigInt.asUintN(8, x), i8: (x: bigint) => BigInt.asIntN(8, x), i16: (x: bigint) => BigInt.asIntN(16, x), u16: (x: bigint) => BigInt.asUintN(16, x), i64: (x: bigint) => x };

describe.each([['i32', i32], ['u32', u32], ['i16', i16], ['u16', u16], ['i8', i8], ['u8', u8], ['i64', i64]] as const)('%s', (t, numbers) => {
  it.each(Object.keys(INTEGER) as BinaryFn[])('%s is that of integers, wrapped', (fn) => {
    const run = evaluate(t, t, ([a, b]) => binary(fn, a!, b!), 2);
    fc.assert(fc.property(numbers, numbers, (a, b) => {
      if ((fn === 'div' || fn === 'mod') && b === 0) return;
      expect(run([a, b])).toBe(Number(wrap[t](INTEGER[fn]!(BigInt(a), BigInt(b)))));
    }), { numRuns: 200 });
  });
  it('shifts', () => {
    const shl = evaluate(t, t, ([a, b]) => binary('shl', a!, b!), 2), shr = evaluate(t, t, ([a, b]) => binary('shr', a!, b!), 2);
    fc.assert(fc.property(numbers, fc.integer({ min: 0, max: t === 'i64' ? 20 : bytesOf(t) * 8 - 1 }), (a, n) => {
      expect(shl([a, n])).toBe(Number(wrap[t](BigInt(a) << BigInt(n))));
      expect(shr([a, n])).toBe(Number(BigInt(a) >> BigInt(n)));
    }), { numRuns: 200 });
  });
  it('negates, takes absolute values and inverts bits', () => {
    for (const [fn, f] of [['neg', (x) => -x], ['abs', (x) => (x < 0n ? -x : x)], ['not', (x) => ~x]] as [UnaryFn, (x: bigint) => bigint][]) {
      const run = evaluate(t, t, ([a]) => unary(fn, a!), 1);
      fc.assert(fc.property(numbers, (a) => { expect(run([a])).toBe(Number(wrap[t](f(BigInt(a))))); }), { numRuns: 100 });
    }
  });
  it('counts bits', () => {
    const [set, above, below] = (['popcount', 'clz', 'ctz'] as const).map((fn) => evaluate(t, t, ([a]) => unary(fn, a!), 1)), bits = bytesOf(t) * 8;
    fc.assert(fc.property(numbers, (a) => {
      const text = BigInt.asUintN(bits, BigInt(a)).toString(2).padStart(bits, '0');
      expect([set!([a]), above!([a]), below!([a])]).toEqual([text.replaceAll('0', '').length, text.indexOf('1') < 0 ? bits : text.indexOf('1'), text.includes('1') ? bits - 1 - text.lastIndexOf('1') : bits]);
    }), { numRuns: 100 });
  });
});

describe('i64', () => {
  it('divides exactly where a quotient of doubles would round up', () => {
    const div = evaluate('i64', 'i64', ([a, b]) => binary('div', a!, b!), 2), mod = evaluate('i64', 'i64', ([a, b]) => binary('mod', a!, b!), 2);
    const a = 9007199254740991, b = 94906267; // Math.floor(a / b) is right here, but not for all below
    expect(div([a, b])).toBe(Number(floorDiv(BigInt(a), BigInt(b))));
    fc.assert(fc.property(fc.maxSafeInteger(), fc.maxSafeInteger().filter((x) => x !== 0), (x, y) => {
      expect(div([x, y])).toBe(Number(floorDiv(BigInt(x), BigInt(y))));
      expect(mod([x, y])).toBe(Number(BigInt(x) - floorDiv(BigInt(x), BigInt(y)) * BigInt(y)));
    }));
  });
  it('does bitwise operations beyond 32 bits', () => {
    const and = evaluate('i64', 'i64', ([a, b]) => binary('and', a!, b!), 2);
    const half = fc.maxSafeInteger().map((x) => Math.trunc(x / 2)); // -2^53, which two numbers above it can give, is out of range
    fc.assert(fc.property(half, half, (x, y) => { expect(and([x, y])).toBe(Number(BigInt(x) & BigInt(y))); }));
  });
});

describe('f32 and f64', () => {
  const OPS = { add: (a: number, b: number) => a + b, sub: (a: number, b: number) => a - b, mul: (a: number, b: number) => a * b, div: (a: number, b: number) => a / b };
  it.each(Object.keys(OPS) as (keyof typeof OPS)[])('%s is rounded after the operation', (fn) => {
    const run32 = evaluate('f32', 'f32', ([a, b]) => binary(fn, a!, b!), 2), run64 = evaluate('f64', 'f64', ([a, b]) => binary(fn, a!, b!), 2);
    const cell = new Float32Array(1);
    fc.assert(fc.property(f32, f32, (a, b) => { cell[0] = OPS[fn](a, b); expect(run32([a, b])).toBe(cell[0]); }));
    fc.assert(fc.property(f64, f64, (a, b) => { expect(run64([a, b])).toBe(OPS[fn](a, b)); }));
  });
  it('rounds between two operations, never once for both', () => {
    const run = evaluate('f32', 'f32', ([a, b, c]) => binary('add', binary('mul', a!, b!), c!), 3);
    const a = 1 + 2 ** -12;
    expect(run([a, a, -1])).toBe(2 ** -11); // fused: 2^-11 + 2^-24
  });
  it('min and max give the second operand when either is NaN, and of two zeros the second', () => {
    const min = evaluate('f32', 'f32', ([a, b]) => binary('min', a!, b!), 2), max = evaluate('f32', 'f32', ([a, b]) => binary('max', a!, b!), 2);
    for (const f of [min, max]) {
      expect(f([NaN, 1])).toBe(1);
      expect(f([1, NaN])).toBeNaN();
      expect(f([0, -0])).toBe(-0);
      expect(f([-0, 0])).toBe(0);
    }
  });
  it('rounds to nearest with ties to even and keeps the sign of zero', () => {
    for (const [x, y] of [[0.5, 0], [1.5, 2], [2.5, 2], [-0.5, -0], [-1.5, -2], [-0.2, -0], [-0, -0], [0.49999999999999994, 0], [4503599627370495.5, 4503599627370496], [2 ** 53 + 2, 2 ** 53 + 2]] as const) expect(roundEven(x)).toBe(y);
    expect(roundEven(NaN)).toBeNaN();
    expect(evaluate('f32', 'f32', ([a]) => unary('round', a!), 1)([-2.5])).toBe(-2);
    expect(evaluate('f32', 'f32', ([a]) => unary('neg', a!), 1)([0])).toBe(-0);
  });
  it('computes functions of f32 in double and rounds them', () => {
    for (const fn of ['exp', 'log', 'log2', 'sin', 'cos', 'tanh', 'sqrt'] as const) {
      const run = evaluate('f32', 'f32', ([a]) => unary(fn, a!), 1);
      fc.assert(fc.property(f32, (x) => { expect(run([x])).toBe(Math.fround(Math[fn](x))); }), { numRuns: 50 });
    }
    expect(evaluate('f32', 'f32', ([a]) => unary('exp2', a!), 1)([10])).toBe(1024);
    const rsqrt = evaluate('f32', 'f32', ([a]) => unary('rsqrt', a!), 1);
    const x = 3, twice = Math.fround(1 / Math.fround(Math.sqrt(x)));
    expect(rsqrt([x])).toBe(twice);
  });
  it('knows the error function', () => {
    // The Maclaurin series in integers, with 120 digits.
    const one = 10n ** 120n, twoOverRootPi = 11283791670955125738961589031215451716881012586580n; // times 10^49
    const exact = (n: bigint, d: bigint): number => {
      const x = (one * n) / d;
      let power = x, sum = 0n, factorial = 1n;
      for (let k = 0n; k < 300n; k++) {
        if (k > 0n) { factorial *= k; power = (-power * n * n) / (d * d); }
        sum += power / (factorial * (2n * k + 1n));
      }
      return Number((sum * twoOverRootPi) / 10n ** 49n / 10n ** 90n) / 1e30;
    };
    for (let n = 1n; n <= 384n; n += 3n) {
      const x = Number(n) / 64, y = exact(n, 64n);
      expect(Math.abs(erf(x) - y) / y, `erf(${x})`).toBeLessThan(5e-16);
    }
    for (const [x, y] of [[0.1, 0.1124629160182849], [0.5, 0.5204998778130465], [1, 0.8427007929497149], [1.5, 0.9661051464753108], [2, 0.9953222650189527], [2.5, 0.9995930479825550], [3, 0.9999779095030014], [4, 0.9999999845827421]] as const) {
      expect(Math.abs(erf(x) - y) / y).toBeLessThan(5e-16);
      expect(erf(-x)).toBe(-erf(x));
    }
    // Doubles and what they lack, from 60 decimal digits: to a unit and a quarter in the last place.
    for (const [x, y, rest] of [
      [0.001, 0.0011283787909692365, -7.88735357945236e-20], [0.3, 0.3286267594591274, 2.2908254446982777e-17], [0.7, 0.6778011938374184, 5.860416063065593e-18], [0.96875, 0.8293191505933152, -5.230768355648535e-17],
      [1, 0.8427007929497149, -2.4801011789118602e-17], [1.25, 0.9229001282564583, -5.51775442986392e-17], [1.7105422175191982, 0.9844398401584818, -2.5659593526499204e-17], [1.94, 0.9939225708887325, 3.595168927087898e-17],
      [2.5, 0.999593047982555, 4.6925151097042234e-17], [4, 0.9999999845827421, 1.44826531920025e-17],
    ] as const) expect(Math.abs(erf(x) - y - rest), `erf(${x})`).toBeLessThanOrEqual(1.25 * 2 ** (Math.floor(Math.log2(y)) - 52));
    expect(erf(0)).toBe(0);
    expect(erf(-0)).toBe(-0);
    expect(erf(Infinity)).toBe(1);
    expect(erf(NaN)).toBeNaN();
    expect(Math.abs(erf(1e-9) - 1.1283791670955126e-9)).toBeLessThan(1e-24);
    for (let x = 0; x < 7; x += 1 / 64) expect(erf(x + 1 / 64)).toBeGreaterThanOrEqual(erf(x)); // the two formulas meet
  });
});

describe('comparisons', () => {
  it('are false for NaN, but for ne', () => {
    const results = (['lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const).map((fn) => evaluate('f32', 'bool', ([a, b]) => compare(fn, a!, b!), 2)([NaN, 1]));
    expect(results).toEqual([0, 0, 0, 0, 0, 1]);
  });
  it('order numbers', () => {
    for (const [fn, want] of [['lt', [1, 0, 0]], ['le', [1, 1, 0]], ['gt', [0, 0, 1]], ['ge', [0, 1, 1]], ['eq', [0, 1, 0]], ['ne', [1, 0, 1]]] as const) {
      const f = evaluate('i32', 'bool', ([a, b]) => compare(fn, a!, b!), 2);
      expect([f([-1, 1]), f([1, 1]), f([1, -1])]).toEqual(want);
    }
  });
  it('make bools that and, or, xor and not combine', () => {
    const less = (a: Expr, b: Expr): Expr => compare('lt', a, b);
    const f = evaluate('i32', 'bool', ([a, b, c]) => binary('xor', unary('not', less(a!, b!)), less(b!, c!)), 3);
    expect([f([1, 2, 3]), f([2, 1, 3]), f([3, 2, 1]), f([1, 2, 1])]).toEqual([1, 0, 1, 0]);
  });
});

describe('casts', () => {
  const to = (from: DType, t: DType, x: number): number => evaluate(from, t, ([a]) => cast(a!, t), 1)([x]);
  it('truncate floats and wrap integers', () => {
    expect(to('f32', 'i32', -2.75)).toBe(-2);
    expect(to('f64', 'i64', 1e15 + 0.5)).toBe(1e15);
    expect(to('f32', 'u8', 200.9)).toBe(200);
    expect(to('i32', 'u8', -1)).toBe(255);
    expect(to('i32', 'i8', 200)).toBe(-56);
    expect(to('i64', 'i32', 2 ** 32 + 5)).toBe(5);
    expect(to('i32', 'u32', -1)).toBe(2 ** 32 - 1);
    expect(to('u32', 'i16', 0x18000)).toBe(-32768);
  });
  it('do not fail out of range', () => { for (const t of ['i32', 'u32', 'i16', 'u16', 'i8', 'u8'] as const) for (const x of [NaN, Infinity, -1e30]) expect(Number.isInteger(to('f32', t, x))).toBe(true); });
  it('round to floats', () => {
    expect(to('i32', 'f32', 2 ** 24 + 1)).toBe(2 ** 24);
    expect(to('f64', 'f32', 0.1)).toBe(Math.fround(0.1));
    expect(to('f32', 'f16', 1 / 3)).toBe(0x3555); // f16 values are their bits
    expect(to('f32', 'bf16', 1)).toBe(0x3f80);
    expect(to('f16', 'f32', f32ToF16(-1.5))).toBe(-1.5);
    expect(to('bf16', 'i32', 0x40e0)).toBe(7);
  });
  it('to bool tell zero from the rest', () => { expect([0, -0, 0.5, NaN].map((x) => to('f32', 'bool', x))).toEqual([0, 0, 1, 1]); });
  it('of bits keep them', () => {
    const bits = (from: DType, t: DType, x: number): number => evaluate(from, t, ([a]) => bitcast(a!, t), 1)([x]);
    expect(bits('f32', 'u32', -1)).toBe(0xbf800000);
    expect(bits('u32', 'f32', 0x3f800000)).toBe(1);
    expect(bits('i8', 'u8', -1)).toBe(255);
    expect(bits('f16', 'i16', 0xbc00)).toBe(0xbc00 - 65536);
  });
});

it('select runs both sides and takes one', () => {
  const f = evaluate('f32', 'f32', ([a, b]) => select(compare('lt', a!, b!), a!, binary('mul', b!, constant(2, 'f32'))), 2);
  expect(f([1, 2])).toBe(1);
  expect(f([2, 1])).toBe(2);
  const x = newBuffer({ name: 'x', dtype: 'f32', space: 'param', shape: [constant(2)], access: 'in' });
  const { kernel } = scalarExpr('f32', x, (load) => select(compare('lt', load(0), load(1)), load(0), load(9)));
  expect(() => interpret(kernel, { x: { data: new Float32Array([1, 2]), shape: [2] }, r: { data: new Float32Array(1), shape: [] } })).toThrow(RunError);
});
