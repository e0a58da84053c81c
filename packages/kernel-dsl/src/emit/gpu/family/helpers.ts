import type { DType, KernelIR, PackedDType } from '../../../ir/index.ts';
import { DTYPES, HELD, bytesOf, isFloat } from '../../../ir/index.ts';
import type { Target } from '../../../targets/index.ts';
import { heldAs } from '../../text/index.ts';
import { helper } from './helper.ts';
import type { Dialect, Helper } from './dialect.ts';
import { NAMES, typeOf, unsignedOf, vectorName } from './types.ts';

type Real = 'f32' | 'f64';

type Body = { readonly body: readonly string[]; readonly uses?: readonly Helper[] };
/** The body that uses a feature, where the target has one; else the other. */
const whole = (body: readonly string[] | undefined, feature: string, other: Body): Body & { readonly features?: readonly string[] } => (body ? { body, features: [feature] } : other);

/** Sum, difference, product, negative or shift of signed integers that wraps: by way of the unsigned type, where overflow is defined. */
export function wrapHelper(fn: 'add' | 'sub' | 'mul' | 'neg' | 'shl', t: DType): Helper {
  const T = typeOf(t), U = unsignedOf(t), name = `${fn}_${t}`;
  if (fn === 'neg') return helper(name, `${T} ${name}(${T} a)`, `return (${T})(0 - (${U})a);`);
  const op = { add: '+', sub: '-', mul: '*', shl: '<<' }[fn];
  return helper(name, `${T} ${name}(${T} a, ${T} b)`, fn === 'shl' ? `return (${T})((${U})a << b);` : `return (${T})((${U})a ${op} (${U})b);`);
}

/** `a < b ? a : b` or `a > b ? a : b`: b where either is NaN. */
export const minMaxHelper = (fn: 'min' | 'max', t: DType): Helper =>
  helper(`${fn}_${t}`, `${typeOf(t)} ${fn}_${t}(${typeOf(t)} a, ${typeOf(t)} b)`, `return a ${fn === 'min' ? '<' : '>'} b ? a : b;`);

/** Integer quotient or remainder, rounded towards minus infinity; `plain` when neither operand is negative. A divisor of 0 gives 0. */
export function floorDivHelper(fn: 'div' | 'mod', t: DType, plain: boolean): Helper {
  const T = typeOf(t), simple = plain || DTYPES[t].kind !== 'int', name = `${simple ? '' : 'floor'}${fn}_${t}`, sig = `${T} ${name}(${T} a, ${T} b)`;
  if (simple) return helper(name, sig, `return b ? a ${fn === 'div' ? '/' : '%'} b : 0;`);
  if (fn === 'div') { const neg = wrapHelper('neg', t); return helper(name, sig, [`if (b == 0 || b == -1) return b ? ${neg.name}(a) : 0;`, 'return a / b - (a % b != 0 && (a < 0) != (b < 0));'], [neg]); }
  return helper(name, sig, ['if (b == 0 || b == -1) return 0;', `const ${T} r = a % b;`, 'return r != 0 && (r < 0) != (b < 0) ? r + b : r;']);
}

/** The magnitude of a signed integer; the least one stays. */
export const absHelper = (t: DType): Helper => { const neg = wrapHelper('neg', t); return helper(`abs_${t}`, `${typeOf(t)} abs_${t}(${typeOf(t)} a)`, `return a < 0 ? ${neg.name}(a) : a;`, [neg]); };

/** Set bits, zeros above the highest or below the lowest set bit of an integer; of 0, the latter two give the width of the type. */
export function countHelper(fn: 'popcount' | 'clz' | 'ctz', t: DType): Helper {
  const T = typeOf(t), name = `${fn}_${t}`, bits = bytesOf(t) * 8, word = bits === 64 ? 64 : 32, W = `u${word}`, u = bits < 32 ? `(${W})(${unsignedOf(t)})x` : `(${W})x`;
  return {
    name,
    render: (d) => ({
      signature: `${T} ${name}(${T} x)`,
      body: fn === 'popcount' ? [`return (${T})${d.popcount(u, word)};`]
        : fn === 'clz' ? [`return (${T})(${d.clz(u, word)}${bits < 32 ? ` - ${32 - bits}` : ''});`]
          : [`const ${W} v = ${u};`, `return (${T})(v ? ${d.popcount('~v & (v - 1)', word)} : ${bits});`],
    }),
  };
}

/** The bits of a value as another type of the same size. */
export const bitsHelper = (from: DType, to: DType): Helper => {
  const F = heldAs(from), T = heldAs(to), name = `${T}_bits_of_${F}`;
  return { name, render: (d) => ({ signature: `${typeOf(to)} ${name}(${typeOf(from)} x)`, body: [`return ${d.bits(F, T, 'x')};`] }) };
};

/** Elements of an image: one, or the four of a texel. */
export function imageHelper(t: DType, lanes: 1 | 4): Helper {
  const T = typeOf(t), [letter, V] = t === 'f32' ? ['f', 'float4'] : DTYPES[t].kind === 'int' ? ['i', 'int4'] : ['ui', 'uint4'], name = `image_${lanes > 1 ? vectorName(t, lanes) : T}`, head = (R: string): string => `${R} ${name}(__read_only image1d_buffer_t x, int at)`;
  return { name, render: () => ({ features: ['images'], ...(lanes > 1
    ? { signature: head(vectorName(t, 4)), body: [`return convert_${NAMES.opencl[typeOf(t) as 'u8'] ?? typeOf(t)}4(read_image${letter}(x, at >> 2));`] }
    : { signature: head(T), body: [`const ${V} texel = read_image${letter}(x, at >> 2);`, `return (${T})(at & 2 ? (at & 1 ? texel.w : texel.z) : at & 1 ? texel.y : texel.x);`] }) }) };
}

/** What formats of floats are made of. `magic`: added to a small whole number, it leaves that number in the low bits. */
const FORMAT = {
  f32: { bits: 'u32', magic: '0x1.8p23f', biased: '0x1.8000fep23f', half: '0.5f', digits: 23, mask: '0x7fffffu', one: '0x3f800000u', least: '0x1p-126f', lift: '0x1p23f', twoBits: '0x4b000000u', unbias: '(0x1p23f + 127.0f)', top: '1.5f', count: '23.0f' },
  f64: { bits: 'i64', magic: '0x1.8p52', biased: '0x1.80000000003ffp52', half: '0.5', digits: 52, mask: '0xfffffffffffff', one: '0x3ff0000000000000', least: '0x1p-1022', lift: '0x1p52', twoBits: '0x4330000000000000', unbias: '(0x1p52 + 1023.0)', top: '1.5', count: '52.0' },
} as const;

/** a 2^b for whole b, rounded once: by two powers of two, the first of which is exact to multiply with. */
export function ldexpHelper(t: Real): Helper {
  const T = typeOf(t), f = FORMAT[t], toBits = bitsHelper(t, f.bits), toFloat = bitsHelper(f.bits, t), U = t === 'f32' ? 'u32' : 'u64', I = typeOf(f.bits);
  const power = (h: string): string => `${toFloat.name}((${I})((${U})${toBits.name}(${h} + ${f.biased}) << ${f.digits}))`;
  return helper(`ldexp_${t}`, `${T} ldexp_${t}(${T} a, ${T} b)`, [`const ${T} h = (b * ${f.half} + ${f.magic}) - ${f.magic};`, `return a * ${power('h')} * ${power('(b - h)')};`], [toBits, toFloat]);
}

/** exponent or mantissa; subnormals are brought up first. */
export function splitHelper(fn: 'exponent' | 'mantissa', t: Real): Helper {
  const T = typeOf(t), f = FORMAT[t], toBits = bitsHelper(t, f.bits), toFloat = bitsHelper(f.bits, t), name = `${fn}_${t}`, inf = t === 'f32' ? 'INFINITY' : '(double)INFINITY', nan = t === 'f32' ? 'NAN' : '(double)NAN', zero = t === 'f32' ? '0.0f' : '0.0', U = t === 'f32' ? 'u32' : 'u64', I = typeOf(f.bits);
  return helper(name, `${T} ${name}(${T} x)`, [
    `const ${T} y = x < ${f.least} ? x * ${f.lift} : x;`,
    ...(fn === 'exponent'
      ? [`const ${T} e = ${toFloat.name}((${I})((${U})${toBits.name}(y) >> ${f.digits} | ${f.twoBits})) - ${f.unbias};`, `const ${T} k = e - (x < ${f.least} ? ${f.count} : ${zero});`, `return x < ${inf} ? (x > ${zero} ? k : -${inf}) : x;`]
      : [`const ${T} m = ${toFloat.name}((${toBits.name}(y) & ${f.mask}) | ${f.one});`, `return x >= ${zero} ? (m >= ${f.top} ? m * ${f.half} : m) : ${nan};`]),
  ], [toBits, toFloat]);
}

/** A function of the language, computed in double and rounded once: of what is left of them (conditions of loops). */
export const libmHelper = (fn: 'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf', t: Real): Helper =>
  ({ name: `${fn}_${t}`, render: (d) => ({ signature: `${typeOf(t)} ${fn}_${t}(${typeOf(t)} x)`, body: [`return ${t === 'f32' ? `(float)${d.fn(fn, 'f64')}(x)` : `${d.fn(fn, t)}(x)`};`] }) });

/** A function of float32 as the machine has it, where the kernel lets it and the language has it. */
export function approximateHelper(fn: string, t: DType, m: { readonly k: KernelIR; readonly dialect: Dialect }): Helper | undefined {
  const which = m.k.approximate?.find((x) => x === fn), body = which && m.dialect.approximate?.[which];
  return body && t === 'f32' ? helper(`approximate_${fn}`, `float approximate_${fn}(${fn === 'exp2' ? 'float x' : 'float a, float b'})`, body) : undefined;
}

/** f16 bits to f32, exactly. */
export const f32FromF16Helper = (): Helper => {
  const toBits = bitsHelper('f32', 'u32'), toFloat = bitsHelper('u32', 'f32');
  return {
    name: 'f32_from_f16',
    render: (d, t) => ({
      signature: 'float f32_from_f16(u16 h)', ...whole(d.halves(t).toF32, 'f16', {
        body: [
          'const u32 m = h & 0x7fffu;',
          `u32 u = ${toBits.name}(${toFloat.name}(m << 13) * 0x1p112f);   // the exponent moves from bias 15 to 127, subnormals too`,
          'if (m >= 0x7c00u) u |= 0x7f800000u;                    // infinity and NaN',
          `return ${toFloat.name}(u | (u32)(h & 0x8000u) << 16);`,
        ],
        uses: [toBits, toFloat],
      }),
    }),
  };
};

/** f32 to f16 bits, to nearest, ties to even. */
export const f16FromF32Helper = (): Helper => {
  const toBits = bitsHelper('f32', 'u32'), toFloat = bitsHelper('u32', 'f32');
  return {
    name: 'f16_from_f32',
    render: (d, t) => ({
      signature: 'u16 f16_from_f32(float x)', ...whole(d.halves(t).fromF32, 'f16', {
        body: [
          `const u32 u = ${toBits.name}(x), m = u & 0x7fffffffu, sign = u >> 16 & 0x8000u;`,
          'if (m > 0x7f800000u) return (u16)(sign | 0x7e00u | (m >> 13 & 0x3ffu));               // NaN',
          'if (m >= 0x47800000u) return (u16)(sign | 0x7c00u);                                   // beyond 65504',
          `if (m < 0x38800000u) return (u16)(sign | (${toBits.name}(${toFloat.name}(m) + 0.5f) - 0x3f000000u));   // subnormal: 0.5 has the unit of the result`,
          'return (u16)(sign | (m - 0x38000000u + 0xfffu + (m >> 13 & 1)) >> 13);',
        ],
        uses: [toBits, toFloat],
      }),
    }),
  };
};

/** bf16 bits to f32: they are its upper half. */
export const f32FromBf16Helper = (): Helper => { const toFloat = bitsHelper('u32', 'f32'); return helper('f32_from_bf16', 'float f32_from_bf16(u16 h)', `return ${toFloat.name}((u32)h << 16);`, [toFloat]); };

/** f32 to bf16 bits, to nearest, ties to even; a NaN stays one. */
export const bf16FromF32Helper = (): Helper => {
  const toBits = bitsHelper('f32', 'u32');
  return {
    name: 'bf16_from_f32',
    render: (d, t) => ({
      signature: 'u16 bf16_from_f32(float x)', ...whole(d.halves(t).bf16FromF32, 'f16', {
        body: [`const u32 u = ${toBits.name}(x);`, 'if (x != x) return (u16)(u >> 16 | 0x40u);', 'return (u16)((u + 0x7fffu + (u >> 16 & 1)) >> 16);'], uses: [toBits],
      }),
    }),
  };
};

/** Two f32 as bits of f16 or bf16 in a word, where the machine does it at once: the first one is the lower half. */
export function pairHelper(t: 'f16' | 'bf16', d: Dialect, target: Target): Helper | undefined {
  const body = d.halves(target).pair?.(t);
  return body && helper(`${t}x2_from_f32`, `u32 ${t}x2_from_f32(float low, float high)`, body);
}

/** acc + the four products of unsigned bytes of a with signed bytes of b. */
export const dot4Helper = (): Helper => {
  const term = (i: number): string => (i === 0 ? '(int)(a & 255) * (i8)b' : `(int)(a >> ${8 * i} & 255) * (i8)(b >> ${8 * i})`), add = wrapHelper('add', 'i32');
  return {
    name: 'dot4_i32',
    render: (d, t) => ({
      signature: 'int dot4_i32(int acc, u32 a, int b)', ...whole(d.dot4(t), 'dot4', { body: [`return ${add.name}(acc, ${[0, 1, 2, 3].map(term).join(' + ')});`], uses: [add] }),
    }),
  };
};

/** An element of four bits out of its byte: the lower half where i is even. */
export function packedHelper(t: PackedDType): Helper {
  const T = typeOf(HELD[t]), name = `half_${t}`, half = '(byte >> (i & 1) * 4 & 15)';
  return helper(name, `${T} ${name}(u8 byte, int i)`, t === 'u4' ? `return ${half};` : `return (i8)((${half} ^ 8) - 8);`);
}

/** Bytes that lie next to each other as one number, the first one lowest. */
export function bytesHelper(bytes: 2 | 4 | 8): Helper {
  const U = `u${bytes * 8}`, names = Array.from({ length: bytes }, (_, i) => `b${i}`);
  return helper(`${U}_of_bytes`, `${U} ${U}_of_bytes(${names.map((n) => `u8 ${n}`).join(', ')})`, `return (${U})(${names.map((n, i) => (i ? `(${bytes === 8 ? 'u64' : 'u32'})${n} << ${8 * i}` : n)).join(' | ')});`);
}

/** A vector from its lanes. */
export function joinHelper(t: DType, lanes: number): Helper {
  const T = `${heldAs(t)}x${lanes}`, names = Array.from({ length: lanes }, (_, i) => `x${i}`);
  return { name: `join_${T}`, render: (d) => ({ signature: `${T} join_${T}(${names.map((n) => `${typeOf(t)} ${n}`).join(', ')})`, body: [`return ${d.vector.join(T, names)};`] }) };
}

/** A float for printf: of NaN, C libraries show the sign or not. */
export const printableHelper = (t: Real): Helper => helper(`printable_${t}`, `double printable_${t}(${typeOf(t)} x)`, 'return x == x ? (double)x : (double)NAN;');

/** Is an index inside of its extent? The first one that is not is recorded, by the number of its place. */
export const insideHelper = (T: string): Helper => ({
  name: 'inside',
  render: (d) => ({
    signature: `int inside(${d.pointer('global', 'u32', { readonly: false })}faults, u32 site, ${T} index, ${T} extent)`,
    body: [
      'if (index >= 0 && index < extent) return 1;',
      `if (${d.compareExchange(32, 'faults', '0', 'site + 1')} == 0) {`, '  faults[2] = (u32)(u64)(i64)index;', '  faults[3] = (u32)((u64)(i64)index >> 32);', '  faults[4] = (u32)(u64)(i64)extent;', '  faults[5] = (u32)((u64)(i64)extent >> 32);', '}', 'return 0;',
    ],
  }),
});
/** Records that an assumption does not hold. */
export const assumeHelper = (): Helper => ({
  name: 'assume',
  render: (d) => ({ signature: `void assume(${d.pointer('global', 'u32', { readonly: false })}faults, u32 site, int holds)`, body: [`if (!holds) ${d.compareExchange(32, 'faults', '0', 'site + 1')};`] }),
});

export const isReal = (t: DType): t is Real => isFloat(t) && bytesOf(t) >= 4;
