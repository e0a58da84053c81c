import { bytesOf } from '../ir/index.ts';
import type { DType, DeviceFunction, Instruction } from '../ir/index.ts';
import { axes, kernel, tensor } from '../lang/index.ts';
import type { Val } from '../lang/index.ts';
import { tf32 } from './cuda-hopper.ts';
import { instr } from './instr.ts';

/**
 * A product of 16 x 8 x k, k being 32 bytes of a row: `steps` of the machine's products, each over some of the registers. Since `from`, a GPU has it as one; before that, as
 * `older` ones.
 */
interface Form {
  readonly k: number; readonly in: DType; readonly as?: string; readonly reads?: (x: Val<'f32'>) => Val<'f32'>; readonly out: DType; readonly needs: string;
  readonly steps: readonly string[]; readonly older?: { readonly before: number; readonly steps: readonly string[] };
}

const list = (name: string, at: readonly number[]): readonly string[] => at.map((i) => `${name}[${i}]`);
/** One product as a statement: registers `c` of the sum s, and `a`, `b` of the factors x and y. */
function product({ text, a, b, c }: { readonly text: string; readonly a: readonly number[]; readonly b: readonly number[]; readonly c: readonly number[] }, type: 'f' | 'r' | 'd'): string {
  const factor = type === 'd' ? 'd' : 'r', n = c.length, hold = (from: number, count: number): string => `{${Array.from({ length: count }, (_, i) => `%${from + i}`).join(', ')}}`;
  const own = list('s', c).map((x) => `"+${type}"(${x})`).join(', '), factors = [...list('x', a), ...list('y', b)].map((x) => `"${factor}"(${x})`).join(', ');
  return `asm("mma.sync.aligned.${text} ${hold(0, n)}, ${hold(n, a.length)}, ${hold(n + a.length, b.length)}, ${hold(0, n)};" : ${own} : ${factors});`;
}
const every = [0, 1, 2, 3];
/** A product of all registers, and those of its halves along k. */
const whole = (shape: string, types: string): string => product({ text: `${shape}.row.col.${types}`, a: every, b: [0, 1], c: every }, types.startsWith('s32') ? 'r' : 'f');

const FORMS: readonly Form[] = [
  {
    k: 16, in: 'f16', out: 'f32', needs: 'mma_f16', steps: [whole('m16n8k16', 'f32.f16.f16.f32')],
    older: { before: 800, steps: [0, 1].map((h) => product({ text: 'm16n8k8.row.col.f32.f16.f16.f32', a: [2 * h, 2 * h + 1], b: [h], c: every }, 'f')) },
  },
  { k: 16, in: 'bf16', out: 'f32', needs: 'mma_bf16', steps: [whole('m16n8k16', 'f32.bf16.bf16.f32')] },
  { k: 8, in: 'f32', as: 'tf32', reads: tf32, out: 'f32', needs: 'mma_tf32', steps: [whole('m16n8k8', 'f32.tf32.tf32.f32')] },
  {
    k: 32, in: 'i8', out: 'i32', needs: 'mma_i8', steps: [whole('m16n8k32', 's32.s8.s8.s32')],
    older: { before: 800, steps: [0, 1, 2, 3].map((x) => product({ text: 'm8n8k16.row.col.s32.s8.s8.s32', a: [x], b: [x >> 1], c: x % 2 ? [2, 3] : [0, 1] }, 'r')) },
  },
  {
    k: 8, in: 'f64', out: 'f64', needs: 'mma_f64', steps: [product({ text: 'm16n8k8.row.col.f64.f64.f64.f64', a: every, b: [0, 1], c: every }, 'd')],
    older: { before: 900, steps: [0, 1, 2, 3].map((x) => product({ text: 'm8n8k4.row.col.f64.f64.f64.f64', a: [x], b: [x >> 1], c: x % 2 ? [2, 3] : [0, 1] }, 'd')) },
  },
  {
    k: 16, in: 'f64', out: 'f64', needs: 'mma_f64', steps: [product({ text: 'm16n8k16.row.col.f64.f64.f64.f64', a: [0, 1, 2, 3, 4, 5, 6, 7], b: every, c: every }, 'd')],
    older: { before: 900, steps: Array.from({ length: 8 }, (_, x) => product({ text: 'm8n8k4.row.col.f64.f64.f64.f64', a: [x], b: [x >> 1], c: x % 2 ? [2, 3] : [0, 1] }, 'd')) },
  },
];

/** Bytes of a row of a tile. */
const ROW = 128;

const four = (to: (i: number) => string, at: string): string => `asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : ${[0, 1, 2, 3].map((i) => `"=r"(${to(i)})`).join(', ')} : "r"(${at}));`;
/** Those that bring the first factor to `to`: 16 rows at once, 32 bytes of each from a chunk on. */
export const narrowA = (m: number, chunk: string, to: string): readonly string[] => [
  '#pragma unroll',
  `for (int i = 0; i < ${m / 16}; i++) ${four((r) => `${to}[4 * i + ${r}]`, `(u32)__cvta_generic_to_shared(at_a) + (lane & 15) * ${ROW} + ((${chunk} ^ lane >> 4 ^ row) << 4) + i * ${16 * ROW}`)}`,
];
/** Statements that bring factors of up to 4 bytes from rows of 128 bytes, whose 16-byte chunks lie at c ^ row % 8: four matrices of 8 x 16 bytes each. */
function narrow(m: number, n: number): readonly string[] {
  return [
    'const int lane = threadIdx.x & 31, row = lane & 7;',
    `const u32 from_b = (u32)__cvta_generic_to_shared(at_b) + (row + (lane >> 4 << 3)) * ${ROW} + ((chunk ^ lane >> 3 & 1 ^ row) << 4);`,
    ...narrowA(m, 'chunk', 'a'),
    '#pragma unroll',
    `for (int j = 0; j < ${n / 16}; j++) ${four((r) => `b[4 * j + ${r}]`, `from_b + j * ${16 * ROW}`)}`,
  ];
}

/** The same for doubles, two of them a load: rows whose chunks lie at c ^ 4 (row % 2). A lane's doubles are any of k, as long as both factors take the same. */
function wide(m: number, n: number, k: number): readonly string[] {
  const loads = (to: string, from: string, rows: string, regs: (q: number, e: number) => string): readonly string[] => Array.from({ length: k / 8 }, (_, q) =>
    `{ const double2 x = *(const double2 *)(${from} + ${rows} * ${ROW} + (${q === 0 ? 'first' : `(first ^ ${4 * q})`} << 4)); ${to}[${regs(q, 0)}] = x.x; ${to}[${regs(q, 1)}] = x.y; }`);
  return [
    'const int lane = threadIdx.x & 31, row = lane >> 2, first = chunk + (lane & 3) ^ (row & 1) << 2;',
    'const char *const from_a = (const char *)at_a, *const from_b = (const char *)at_b;',
    '#pragma unroll',
    `for (int i = 0; i < ${m / 16}; i++) {`,
    ...[0, 1].flatMap((h) => loads('a', 'from_a', `(16 * i + ${8 * h} + row)`, (q, e) => `${k / 2} * i + ${4 * q + 2 * e + h}`)).map((l) => `  ${l}`),
    '}',
    '#pragma unroll',
    `for (int j = 0; j < ${n / 8}; j++) {`,
    ...loads('b', 'from_b', '(8 * j + row)', (q, e) => `${k / 4} * j + ${2 * q + e}`).map((l) => `  ${l}`),
    '}',
  ];
}

/** What a lane has of a form: registers of `type` for a block of 16 rows of A and for 8 rows of B, and sums of `ctype`. */
const registersOf = (f: Form): { readonly ofA: number; readonly ofB: number; readonly type: 'double' | 'u32'; readonly ctype: string } =>
  ({ ...(f.in === 'f64' ? { ofA: f.k / 2, ofB: f.k / 4, type: 'double' } : { ofA: 4, ofB: 2, type: 'u32' }), ctype: { f32: 'float', f64: 'double', i32: 'int' }[f.out as 'f32'] });

/** Statements that multiply all blocks of two factors, registers `a` and `b`, and add to `c`. */
function multiply(m: number, n: number, f: Form, a: string, b: string): readonly string[] {
  const { ofA, ofB, type, ctype } = registersOf(f);
  return [
    '#pragma unroll',
    `for (int i = 0; i < ${m / 16}; i++) {`,
    '#pragma unroll',
    `  for (int j = 0; j < ${n / 8}; j++) {`,
    `    ${ctype} *const s = c + (i * ${n / 8} + j) * 4;`,
    `    const ${type} *const x = ${a} + i * ${ofA}, *const y = ${b} + j * ${ofB};`,
    ...(f.older ? [`#if __CUDA_ARCH__ >= ${f.older.before}`, ...f.steps.map((s) => `    ${s}`), '#else', ...f.older.steps.map((s) => `    ${s}`), '#endif'] : f.steps.map((s) => `    ${s}`)),
    '  }',
    '}',
  ];
}
/** The same of f16, 16 of k at a time. */
export const multiplyF16 = (m: number, n: number, a: string, b: string): readonly string[] => multiply(m, n, FORMS[0]!, a, b);

/** Products of a warp over a whole tile: c += a bᵀ with a [M][K] and b [N][K] in shared memory, rows of 128 bytes swizzled, c in registers. */
function mma(m: number, n: number, f: Form): Instruction {
  const shape = `m${m}n${n}k${f.k}_${f.as ?? f.in}`, name = `mma_${shape}`, reads = f.reads ?? ((x: Val<'f32'>): Val<'f32'> => x), count = (m * n) / 32, doubles = f.in === 'f64', { ofA, ofB, type, ctype } = registersOf(f), a = (m / 16) * ofA, b = (n / 8) * ofB;
  const load: DeviceFunction = { name: `factors_${shape}`, signature: `void factors_${shape}(${type} (&a)[${a}], ${type} (&b)[${b}], const void *at_a, const void *at_b, int chunk)`, body: doubles ? wide(m, n, f.k) : narrow(m, n) };
  const fn: DeviceFunction = {
    name, signature: `void ${name}(${ctype} (&c)[${count}], const ${type} (&a)[${a}], const ${type} (&b)[${b}])`,
    body: multiply(m, n, f, 'a', 'b'),
  };
  return instr({
    name, needs: [f.needs, 'ldmatrix'], operands: { a: 'pointer', b: 'pointer', c: 'fragment' }, exact: f.out === 'i32',
    meaning: () => kernel(name, { a: tensor(f.in as 'bf16', m, f.k), b: tensor(f.in as 'bf16', n, f.k), c: tensor(f.out as 'f32', m, n).inout() }, ({ a, b, c }) => {
      const ax = axes({ i: m, j: n, k: f.k });
      for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) c.at(i, j).addAssign(reads(a.at(i, k).to(f.out as 'f32')).mul(reads(b.at(j, k).to(f.out as 'f32'))));
      return ax;
    }),
    emit: { team: { team: 'warp', fn, fragment: 'mma', factors: { load, dtype: doubles ? 'f64' : 'u32', a, b, swizzle: doubles ? 2 : 8 } } },
  });
}

const made = new Map<string, Instruction>();
/**
 * A product of a warp by its name, such as `mma_m64n32k16_f16`: rows in multiples of 16, columns in multiples of 16 (8 for f64), and one of k16_f16, k16_bf16, k8_tf32,
 * k32_i8, k8_f64, k16_f64. A lane holds m n / 32 sums in registers.
 * @throws Error naming what there is
 */
export function mmaNamed(name: string): Instruction {
  const known = made.get(name), [, m, n, k, type] = /^mma_m(\d+)n(\d+)k(\d+)_(\w+)$/.exec(name) ?? [], f = FORMS.find((x) => x.k === Number(k) && (x.as ?? x.in) === type);
  if (known) return known;
  const rows = Number(m), cols = Number(n), most = f ? 1024 / bytesOf(f.out) : 0, step = type === 'f64' ? 8 : 16;
  if (!f || rows < 16 || cols < step || rows % 16 !== 0 || cols % step !== 0 || (rows * cols) / 32 > most) {
    throw new Error(`no instruction ${name}: there are mma_m{16, 32, …}n{16, 32, …} followed by ${FORMS.map((x) => `k${x.k}_${x.as ?? x.in}`).join(', ')}, of so many sums that a lane can hold them`);
  }
  const made1 = mma(rows, cols, f);
  made.set(name, made1);
  return made1;
}
