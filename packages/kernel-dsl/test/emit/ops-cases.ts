/** Every operation and cast of the language on every dtype, as kernels put together by hand in lowered form. */
import type { DType, Expr, Var } from '../../src/ir/index.ts';
import { and, binary, bitcast, broadcast, bytesOf, cast, compare, constant, dot4, fma, load, newVar, reduce, select, unary } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array, bindTo, kernelOf, loop, param, store } from '../run/helpers.ts';
import { fill } from './harness.ts';
import type { Case, TensorValue } from './harness.ts';

type Op = (x: Expr, y: Expr, z: Expr) => Expr;
const ROWS = 12;

const FLOATS = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-45, -1e-40, 3.4e38, Infinity, -Infinity, NaN, 8388607.5, 8388608, 16777217, -4503599627370497.5, 65519, 65520, 6e-8, 2 ** -25].map(Math.fround);
const INTS = [0, 1, -1, 2, -2, 127, -128, 255, 32767, 65535, 2147483647, -2147483648];
const CMPS = ['lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const;

const tensor = (d: DType, shape: number[], values?: readonly number[]): TensorValue =>
  ({ shape, data: array(d, values ?? Array.from({ length: shape.reduce((n, x) => n * x, 1) }, () => 0)) });
const at = (b: ReturnType<typeof param>, row: Expr, lanes: number): Expr => load(b, [row, constant(0)], { lanes });
const rows = (body: (row: Var) => ReturnType<typeof store>[]): ReturnType<typeof loop> => loop('row', ROWS, body);

/** Rows of x, y and z go through every operation; the results of the i-th one are R[i]. */
function opsCase(from: DType, to: DType, lanes: number, ops: readonly Op[], special: readonly number[], divisor = false): Case {
  const [x, y, z] = ['x', 'y', 'z'].map((n) => param(n, from, [ROWS, lanes])), R = param('R', to, [ops.length, ROWS, lanes], 'out');
  const k = kernelOf([x!, y!, z!, R], [rows((row) => ops.map((op, i) => store(R, [constant(i), row, constant(0)], op(at(x!, row, lanes), at(y!, row, lanes), at(z!, row, lanes)))))], `ops_${from}_${lanes}`);
  const value = (seed: number, sp: readonly number[]): TensorValue =>
    tensor(from, [ROWS, lanes], fill(from, ROWS * lanes, seed, sp).map((v) => (seed === 2 && divisor && (v === 0 || v === -1) ? 3 : v)));
  return { k, runs: [special, []].map((sp) => ({ x: value(1, sp), y: value(2, sp), z: value(3, sp), R: tensor(to, [ops.length, ROWS, lanes]) })) };
}

/** Arithmetic, comparisons and rounding of floats. */
export function floatCases(t: Target, d: 'f32' | 'f64'): Case[] {
  const c = (v: number): Expr => constant(v, d);
  const ops: Op[] = [
    ...(['add', 'sub', 'mul', 'div', 'min', 'max'] as const).map((fn): Op => (x, y) => binary(fn, x, y)),
    ...(['neg', 'abs', 'floor', 'ceil', 'round', 'trunc', 'sqrt', 'rsqrt'] as const).map((fn): Op => (x) => unary(fn, x)),
    ...CMPS.map((fn): Op => (x, y, z) => select(compare(fn, x, y), z, x)),
    (x, y, z) => fma(x, y, z),
    (_, y, z) => fma(c(1.1), y, z),
    (x, y) => binary('sub', binary('mul', x, c(0.1)), binary('sub', y, binary('sub', x, c(2)))),
    (x, y, z) => select(and(compare('lt', x, y), compare('ge', y, z)), x, y),
    (x, y, z) => select(unary('not', binary('or', compare('lt', x, y), compare('eq', z, c(1)))), x, y),
    (x, y) => cast(compare('lt', x, y), d),
    (x) => cast(cast(x, 'bool'), d),
  ];
  return lanesOf(t, d).map((lanes) => opsCase(d, d, lanes, ops, FLOATS));
}

/** What takes floats apart and puts them together, within the limits that it states. */
export function partsCases(t: Target, d: 'f32' | 'f64'): Case[] {
  const least = d === 'f32' ? 2 ** -149 : 2 ** -1074, most = d === 'f32' ? 252 : 2044;
  const magnitudes = [1, 1.5, 0.75, 1.4999, 2, 3, least, 3 * least, 1e-40, 1e-30, 1e30, 3e38, 0, -0, Infinity, NaN, -1, -Infinity].map((x) => (d === 'f32' ? Math.fround(x) : x)), whole = (x: Expr): Expr => unary('round', binary('mul', x, constant(most / 2, d)));
  const ops: Op[] = [
    (x) => unary('exponent', unary('abs', x)), (x) => unary('mantissa', x), (x, y) => binary('copysign', x, y), (x, y) => binary('copysign', y, x),
    (x, y) => binary('ldexp', unary('mantissa', unary('abs', x)), whole(y)), (_, y, z) => binary('ldexp', z, whole(y)),
    (x, y, z) => select(broadcast(reduce('max', compare('lt', y, z)), x.lanes), x, z), (x, y, z) => select(broadcast(reduce('min', compare('lt', y, z)), x.lanes), x, z),
  ];
  return lanesOf(t, d).map((lanes): Case => {
    const [x, y, z] = ['x', 'y', 'z'].map((n) => param(n, d, [ROWS, lanes])), R = param('R', d, [ops.length, ROWS, lanes], 'out'), n = ROWS * lanes;
    const k = kernelOf([x!, y!, z!, R], [rows((row) => ops.map((op, i) => store(R, [constant(i), row, constant(0)], op(at(x!, row, lanes), at(y!, row, lanes), at(z!, row, lanes)))))], `parts_${d}_${lanes}`);
    // Rows whose lanes are all less, some, none.
    const ordered = fill(d, n, 6).map((v, i) => (Math.floor(i / lanes) % 3 === 0 ? 3 + v : Math.floor(i / lanes) % 3 === 1 ? v : v - 4));
    return { k, runs: [{ x: tensor(d, [ROWS, lanes], Array.from({ length: n }, (_, i) => magnitudes[i % 18]!)), y: tensor(d, [ROWS, lanes], fill(d, n, 7, [-2, 2, -0])), z: tensor(d, [ROWS, lanes], ordered), R: tensor(d, [ops.length, ROWS, lanes]) }] };
  });
}

export const INTEGERS = ['i32', 'u32', 'i16', 'u16', 'i8', 'u8', 'i64'] as const;

/** Arithmetic, bits and comparisons of integers. */
export function intCases(t: Target, d: (typeof INTEGERS)[number]): Case[] {
  const bits = bytesOf(d) * 8, wide = d === 'i64', c = (v: number): Expr => constant(v, d);
  const inRange = (v: number): boolean => (wide ? v >= -(2 ** 31) && v < 2 ** 31 : d.startsWith('i') ? v >= -(2 ** (bits - 1)) && v < 2 ** (bits - 1) : v >= 0 && v < 2 ** bits);
  const short = (x: Expr): Expr => (wide ? binary('and', x, c(0xffff)) : x);
  const ops: Op[] = [
    ...(['add', 'sub', 'min', 'max', 'and', 'or', 'xor', 'div', 'mod'] as const).map((fn): Op => (x, y) => binary(fn, x, y)),
    (x, y) => binary('mul', short(x), short(y)),
    (x) => binary('shl', short(x), c(3)),
    (x) => binary('shr', x, c(3)),
    (x) => binary('add', binary('and', binary('shr', x, c(4)), c(15)), c(1)),
    (x) => binary('div', x, c(7)), (x) => binary('mod', x, c(7)),
    ...(d.startsWith('i') ? (['neg', 'abs'] as const).map((fn): Op => (x) => unary(fn, binary('div', x, c(2)))) : []),
    (x) => unary('not', x),
    ...(['popcount', 'clz', 'ctz'] as const).map((fn): Op => (x) => unary(fn, x)),
    (x, y, z) => binary('shr', binary('mul', binary('add', short(x), short(y)), c(3)), binary('and', z, c(3))), // a wrapped value on its way
    ...CMPS.map((fn): Op => (x, y, z) => select(compare(fn, x, y), z, x)),
  ];
  return lanesOf(t, d).map((lanes) => opsCase(d, d, lanes, ops, INTS.filter(inRange), true));
}

const lanesOf = (t: Target, d: DType): number[] => [...new Set([1, 4, t.vecBytes / bytesOf(d)])];

/** Every dtype as every other. */
export function castCases(t: Target): Case[] {
  const kinds = (['f32', 'f64', 'i32', 'u32', 'i64', 'u8', 'i8', 'i16', 'u16', 'f16', 'bf16', 'bool'] as const).filter((d) => !t.gpu || (d !== 'f64' && d !== 'i64') || t.features.includes(d));
  return [1, 4, 8, 16].flatMap((lanes) => kinds.flatMap((from): Case[] => {
    const fits = (d: DType): boolean => lanes * bytesOf(d) <= Math.max(16, t.vecBytes);
    if (!fits(from)) return [];
    const shape = [ROWS, lanes], tos = kinds.filter(fits), x = param('x', from, shape), outs = tos.map((to) => param(`to_${to}`, to, shape, 'out'));
    const k = kernelOf([x, ...outs], [rows((row) => outs.map((o) => store(o, [row, constant(0)], cast(at(x, row, lanes), o.dtype))))], `cast_${from}_${lanes}`);
    const raw = fill(from, ROWS * lanes, lanes, from === 'f32' || from === 'f64' ? [0, 1, 2.5, 3.75, 0.3] : []);
    // What is out of range of an integer type is not specified: floats stay below 127.
    const values = raw.map((v) => (from === 'f32' || from === 'f64' ? Math.abs(v) * 30 : from === 'f16' ? v % 0x5000 : from === 'bf16' ? 0x3f00 + (v % 0x180) : from === 'i64' ? v * 1e6 : v));
    return [{ k, runs: [{ x: tensor(from, shape, values), ...Object.fromEntries(outs.map((o) => [o.name, tensor(o.dtype, shape)])) }] }];
  }));
}

/** Halves of every exponent, and floats on, above and below every tie. */
export function halfCases(t: Target): Case[] {
  const n = ROWS * 64, halves = Array.from({ length: n }, (_, i) => (i * 85) & 0xffff);
  const ties = halves.map((_, i) => (i % 3 === 0 ? FLOATS[i % FLOATS.length]! : (1 + (i * 2 + 1 + (i % 5 === 0 ? 1e-3 : 0)) / 4096) * 2 ** (i % 45 - 28)) * (i % 2 ? 1 : -1));
  return (['f16', 'bf16'] as const).flatMap((half) => [1, 4, 8, 16].filter((lanes) => lanes * 4 <= Math.max(16, t.vecBytes)).map((lanes): Case => {
    const shape = [n / lanes, lanes], x = param('x', half, shape), w = param('w', 'f32', shape), f = param('f', 'f32', shape, 'out'), h = param('h', half, shape, 'out');
    const body = loop('row', n / lanes, (row) => [store(f, [row, constant(0)], cast(at(x, row, lanes), 'f32')), store(h, [row, constant(0)], cast(at(w, row, lanes), half))]);
    return { k: kernelOf([x, w, f, h], [body], `${half}_${lanes}`), runs: [{ x: tensor(half, shape, halves), w: tensor('f32', shape, ties), f: tensor('f32', shape), h: tensor(half, shape) }] };
  }));
}

/** Lanes combined by halving. */
export function reduceCases(t: Target): Case[] {
  return (['f32', 'f64', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8'] as const).flatMap((d) => [...new Set([2, 4, t.vecBytes / bytesOf(d)])].map((lanes): Case => {
    const x = param('x', d, [ROWS, lanes]), R = param('R', d, [4, ROWS], 'out');
    const k = kernelOf([x, R], [rows((row) => (['add', 'mul', 'min', 'max'] as const).map((fn, i) => store(R, [constant(i), row], reduce(fn, at(x, row, lanes)))))], `reduce_${d}_${lanes}`);
    return { k, runs: [{ x: tensor(d, [ROWS, lanes], fill(d, ROWS * lanes, 5, d === 'f32' ? [NaN, -0, Infinity] : [])), R: tensor(d, [4, ROWS]) }] };
  }));
}

/** Products of bytes in groups of four. */
export function dotCases(t: Target): Case[] {
  return [...new Set([1, 4, t.vecBytes / 4])].map((lanes): Case => {
    const shape = [ROWS, lanes], n = ROWS * lanes;
    const a = param('a', 'u32', shape), b = param('b', 'i32', shape), acc = param('acc', 'i32', shape, 'inout'), bits = param('bits', 'f32', shape, 'out');
    const k = kernelOf([a, b, acc, bits], [rows((row) => [
      store(acc, [row, constant(0)], dot4(at(acc, row, lanes), at(a, row, lanes), at(b, row, lanes))), store(bits, [row, constant(0)], bitcast(at(a, row, lanes), 'f32')),
    ])], `dot4_${lanes}`);
    return { k, runs: [{ a: tensor('u32', shape, fill('u32', n, 7, [0xffffffff, 0x80808080])), b: tensor('i32', shape, fill('i32', n, 8, [-2139062144, -1])), acc: tensor('i32', shape, fill('i32', n, 9, [2147483647])), bits: tensor('f32', shape) }] };
  });
}

/** Names of conditions, and conditions in memory. */
export function boolCase(t: Target): Case {
  const lanes = t.vecBytes / 4, shape = [ROWS, lanes], n = ROWS * lanes;
  const x = param('x', 'f32', shape), y = param('y', 'f32', shape), r = param('r', 'f32', shape, 'out'), m = param('m', 'bool', shape, 'inout');
  const k = kernelOf([x, y, r, m], [loop('row', ROWS, (row) => {
    const less = newVar('less', 'bool', lanes), both = newVar('both', 'bool', lanes), unused = newVar('unused', 'f32', lanes);
    return [
      bindTo(less, compare('lt', at(x, row, lanes), at(y, row, lanes))), bindTo(unused, at(x, row, lanes)), bindTo(both, binary('xor', less, at(m, row, lanes))),
      store(r, [row, constant(0)], select(both, at(x, row, lanes), broadcast(constant(-3, 'f32'), lanes))),
      store(m, [row, constant(0)], binary('or', both, compare('gt', at(y, row, lanes), constant(1, 'f32')))),
    ];
  })], 'bools');
  return { k, runs: [{ x: tensor('f32', shape, fill('f32', n, 1, [NaN])), y: tensor('f32', shape, fill('f32', n, 2)), r: tensor('f32', shape), m: tensor('bool', shape, fill('bool', n, 4)) }] };
}
