/** Attention by warpgroups: the interpreter runs algorithm and schedule, proofs hold, nvcc keeps it in registers, and what cannot be is refused. */
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { wgmmaHeld } from '../../src/instructions/index.ts';
import { mapStmt, printKernel, visitStmt } from '../../src/ir/index.ts';
import { axes, exp2, kernel, reg, scratch, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel, Tensor, Val } from '../../src/lang/index.ts';
import { flashAttention, hopperAttention } from '../../src/library/gpu/index.ts';
import type { FlashAttention } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { NVCC } from './harness.ts';
import { ptxas } from './ptxas.ts';
import { ONE, exactAttention } from './team-cases.ts';
import { why } from '../errors/refusal.ts';

const sm90 = target('cuda-sm90a');
const scheduled = (o: FlashAttention): ScheduledKernel => schedule(flashAttention(o), sm90, (s, ax) => hopperAttention(s, ax, o));
const FORMS = { bf16: { from: f32ToBf16, to: bf16ToF32, unit: 2 ** -8 }, f16: { from: f32ToF16, to: f16ToF32, unit: 2 ** -11 } };

/** softmax(scale Q Kᵀ) V in doubles, and the sum of |weight| |V| for each result. */
function doubles(q: Float64Array, k: Float64Array, v: Float64Array, { H, G, S, T, D, causal, scale }: { H: number; G: number; S: number; T: number; D: number; causal: boolean; scale: number }): { want: Float64Array; sizes: Float64Array } {
  const want = new Float64Array(H * S * D), sizes = new Float64Array(H * S * D);
  for (let h = 0; h < H; h++) for (let i = 0; i < S; i++) {
    const g = Math.floor(h / (H / G)), seen = causal ? T - S + i + 1 : T;
    const scores = Array.from({ length: seen }, (_, j) => { let sum = 0; for (let e = 0; e < D; e++) sum += q[(h * S + i) * D + e]! * k[(g * T + j) * D + e]!; return sum * scale; });
    const most = Math.max(...scores), weights = scores.map((x) => Math.exp(x - most)), total = weights.reduce((a, b) => a + b);
    for (let d = 0; d < D; d++) for (let j = 0; j < seen; j++) {
      const x = (weights[j]! / total) * v[(g * T + j) * D + d]!;
      want[(h * S + i) * D + d]! += x;
      sizes[(h * S + i) * D + d]! += Math.abs(x);
    }
  }
  return { want, sizes };
}

describe('a scheduled attention', () => {
  it.each(spread([
    [{ dtype: 'bf16', D: 64, causal: true, rows: 128, keys: 64 }, { H: 2, G: 1, S: 7, T: 70 }], [{ dtype: 'f16', D: 64, causal: false, rows: 128, keys: 64 }, { H: 1, G: 1, S: 5, T: 66 }],
    [{ dtype: 'bf16', D: 128, causal: true, rows: 128, keys: 64 }, { H: 1, G: 1, S: 20, T: 20 }],
  ] as const, 2))('computes what the algorithm says, bit for bit, and that is attention: %j %j', (o, { H, G, S, T }) => {
    const k = flashAttention(o), s = scheduled(o), { from, to, unit } = FORMS[o.dtype], scale = 1 / Math.sqrt(o.D);
    let seed = 7;
    const numbers = (n: number): Uint16Array => Uint16Array.from({ length: n }, () => { seed = (seed * 48271) % 2147483647; return from((seed / 2147483647) * 4 - 2); });
    const q = numbers(H * S * o.D), key = numbers(G * T * o.D), v = numbers(G * T * o.D), out = (): { data: Uint16Array; shape: number[] } => ({ data: new Uint16Array(H * S * o.D).fill(0x7fff), shape: [H, S, o.D] });
    const results = [k.ir, s.ir].map((ir) => { const O = out(); interpret(ir, { Q: { data: q, shape: [H, S, o.D] }, K: { data: key, shape: [G, T, o.D] }, V: { data: v, shape: [G, T, o.D] }, scale, O }); return O.data; });
    expect(results[1]).toEqual(results[0]);
    const real = (x: Uint16Array): Float64Array => Float64Array.from(x, (y) => to(y)), { want, sizes } = doubles(real(q), real(key), real(v), { H, G, S, T, D: o.D, causal: o.causal, scale });
    // Weights are rounded once and the result once; what float32 adds is far less.
    results[0]!.forEach((x, i) => expect(Math.abs(to(x) - want[i]!), `element ${i}`).toBeLessThanOrEqual(unit * (sizes[i]! * 1.01 + Math.abs(want[i]!))));
  }, 120_000);

  it.each([{ dtype: 'bf16', D: 128, causal: true }, { dtype: 'f16', D: 64, causal: false, rows: 192, keys: 128 }] as const)('is proved: bounds, races and writes: %j', (o) => {
    expect(verify(scheduled(o).ir).findings).toEqual([]);
  });

  it('says in its text what runs where', () => {
    const text = printKernel(scheduled({ dtype: 'bf16', D: 128, causal: true }).ir);
    for (const part of ['ring of 2, overlapping', 'team.warpgroup', 'instruction wgmma_m64n128k16_bf16', 'instruction wgmma_held_m64n128k16_bf16', 'Q_shared: bf16[2, 128, 64]', 'reg peak: f32[2, 64]']) expect(text).toContain(part);
  });
});

describe('the cases for devices', () => {
  it('round nothing but the result: they are what doubles give, whatever the order of sums', () => {
    expect(Math.fround(ONE * Math.fround(Math.LOG2E))).toBe(1);
    const o = { dtype: 'bf16', D: 64, causal: true } as const, z = { H: 2, G: 1, S: 37, T: 90 }, args = exactAttention(o, z), f = (x: string): Float64Array => Float64Array.from((args[x] as { data: Uint16Array }).data, (y) => bf16ToF32(y));
    // Whole scores, weights of powers of two: sums in any order are exact; then one product with the rounded inverse of the weights' sum.
    const q = f('Q'), k = f('K'), v = f('V');
    interpret(flashAttention(o).ir, args as never);
    const got = (args['O'] as { data: Uint16Array }).data, values = new Set<number>();
    for (let h = 0; h < z.H; h++) for (let i = 0; i < z.S; i++) {
      const scores = Array.from({ length: z.T - z.S + i + 1 }, (_, j) => { let sum = 0; for (let e = 0; e < 64; e++) sum += q[(h * z.S + i) * 64 + e]! * k[j * 64 + e]!; return sum; });
      const weights = scores.reverse().map((x) => 2 ** (x - Math.max(...scores))).reverse(), inverse = Math.fround(1 / weights.reduce((a, b) => a + b));
      for (let d = 0; d < 64; d++) {
        const want = f32ToBf16(Math.fround(weights.reduceRight((sum, w, j) => sum + w * v[j * 64 + d]!, 0) * inverse)), is = got[(h * z.S + i) * 64 + d]!;
        if (is !== want && (is & 0x7fff) + (want & 0x7fff) > 0) throw new Error(`O[${h}, ${i}, ${d}] is ${is}, not ${want}`);
        values.add(is);
      }
    }
    expect(values.size).toBeGreaterThan(500);
  });
});

describe('what it becomes', () => {
  const source = emitGpu(lower(scheduled({ dtype: 'bf16', D: 128, causal: true }).ir, sm90), sm90).source, loop = source.slice(source.indexOf('for (int block', source.indexOf('the others compute')));
  it('asks for the next scores, then for the sums of this block, and touches what those use only after they are waited for', () => {
    const order = ['mbarrier_wait(&K_shared_full', 'wgmma_m64n128k16_bf16(score', 'mbarrier_wait(&V_shared_full', 'wgmma_held_m64n128k16_bf16(acc', 'wgmma_wait_1()', 'mbarrier_arrive(&K_shared_empty', 'approximate_exp2(', 'wgmma_wait_0()', 'mbarrier_arrive(&V_shared_empty', 'weight[j * 2 + h_2] =', 'acc[j * 4 + h_2 * 2 + b] ='].map((x) => loop.indexOf(x));
    expect(order.every((x) => x > 0)).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
  it('begins scores anew instead of setting them to zero', () => {
    expect(source).not.toMatch(/score\[[^\]]*\] = 0\.0f/);
    expect(source.match(/wgmma_m64n128k16_bf16\(score, .*, 0\);/g)).toHaveLength(2);
    expect(source.match(/wgmma_m64n128k16_bf16\(score, .*, 1\);/g)).toHaveLength(14);
  });
  it('copies queries once, in two pieces of 64 columns, and joins the four lanes of a row', () => {
    expect(source.match(/copy_tile_3d\(&Q_shared/g)).toHaveLength(2);
    expect(source).toMatch(/high_own\[h_2 \* 2\], high_own\[h_2 \* 2 \+ 1\]\);\n\s*const float pair = shuffle_xor_f32_32\(own, 1\), both = approximate_max\(own, pair\);\n\s*const float quad = shuffle_xor_f32_32\(both, 2\)/);
  });
});

describe.skipIf(!NVCC)(NVCC ? 'nvcc keeps it in registers' : 'nvcc is not on PATH: no CUDA was compiled', () => {
  it.each(spread([
    [{ dtype: 'bf16', D: 128, causal: true }], [{ dtype: 'f16', D: 128, causal: false }], [{ dtype: 'bf16', D: 64, causal: false }], [{ dtype: 'f16', D: 64, causal: true, rows: 192, keys: 128 }], [{ dtype: 'bf16', D: 128, causal: true, overlap: false }],
  ] as const, 1))('%j', (o) => {
    const { source } = emitGpu(lower(scheduled(o).ir, sm90), sm90), said = ptxas(source);
    expect(source).toMatch(/ex2\.approx\.ftz\.f32/);
    expect(said).toMatch(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/);
    expect(said).not.toMatch(/serialized|error|warning/i);
  });
});

/** Row sums of squares and scaled copies: registers and working memory inside of rows. */
type Rows = Kernel<{ i: Axis; z: Axis; j: Axis; k: Axis; o: Axis }>;
const rows: Rows = kernel('rows', { x: tensor('f32', 256, 64), y: tensor('f32', 256, 64).out() }, ({ x, y }) => {
  const ax = axes({ i: 256, z: 64, j: 64, k: 3, o: 64 });
  for (const i of ax.i) {
    const sum = reg('f32', 0, 'sum'), row = scratch('f32', 'row', 64);
    for (const z of ax.z) row.at(z).set(x.at(i, z));
    for (const _ of ax.k) for (const j of ax.j) sum.addAssign(row.at(j).mul(row.at(j)));
    when(sum.gt(4), () => sum.set(exp2(sum)));
    for (const o of ax.o) y.at(i, o).set(row.at(o).mul(sum));
  }
  return ax;
});

describe('distribute', () => {
  const run = (f: (s: Schedule, ax: { i: Axis; z: Axis; j: Axis; k: Axis; o: Axis }) => void): Float32Array => {
    const y = new Float32Array(256 * 64), x = Float32Array.from({ length: y.length }, (_, i) => ((i * 37) % 19) / 16 - 0.5);
    interpret(schedule(rows, sm90, f).ir, { x: { data: x, shape: [256, 64] }, y: { data: y, shape: [256, 64] } });
    return y;
  };
  it('gives each statement loops of its own, and changes no bit', () => {
    const want = run(() => {}), got = run((s, { i, k }) => {
      const [io, ii] = s.split(i, 32), around = s.distribute([ii], [k]);
      expect(Object.keys(around).sort()).toEqual(['j', 'o', 'z']);
      s.reverse(io);
      s.unroll(around['j']![0]!);
    });
    expect(got).toEqual(want);
  });
  it('refuses loops that are no nest, that carry something, or whose inner loops differ', () => {
    const on = (f: (s: Schedule, ax: { i: Axis; z: Axis; j: Axis; k: Axis; o: Axis }) => void): (() => unknown) => () => schedule(rows, sm90, f);
    expect(why(on((s, { i, z }) => s.distribute([i, z], [])))).toMatch(/KD-S-DISTRIBUTE .*not one nest/);
    expect(why(on((s) => s.distribute([], [])))).toMatch(/KD-S-DISTRIBUTE .*no loops are given/);
    expect(why(on((s, { i, k }) => { const [a, b] = s.split(i, 32); s.bind({ 'block.x': a }); s.distribute([a], [k]); void b; }))).toMatch(/KD-S-DISTRIBUTE .*io is block.x/);
    expect(why(on((s, { k }) => s.distribute([k], [])))).toMatch(/KD-S-CARRIED/);
    expect(why(on((s, { k }) => s.reverse(k)))).toMatch(/KD-S-CARRIED .*reverse/);
    const triangle = kernel('triangle', { y: tensor('f32', 64, 64).out() }, ({ y }) => {
      const ax = axes({ i: 64 });
      let inner!: Axis;
      for (const i of ax.i) { const a = axes({ n: i.add(1) }); inner = a.n; for (const n of a.n) y.at(i, n).set(1); }
      return { ...ax, n: inner };
    });
    expect(why(() => schedule(triangle, sm90, (s, { i, n }) => s.distribute([i], [n])))).toMatch(/KD-S-DISTRIBUTE .*extent of n is not the same/);
  });
});

describe('approximate', () => {
  it('leaves the functions to the machine that has them, and the bits of others alone', () => {
    const s = schedule(rows, sm90, (x) => x.approximate('exp2')), text = (ir: ScheduledKernel['ir'], isa: string): string => emitGpu(lower(ir, target(isa)), target(isa)).source;
    expect(s.reassociates).toBe(true);
    expect(text(s.ir, 'cuda-sm80')).toContain('ex2.approx.ftz.f32');
    expect(text(rows.ir, 'cuda-sm80')).not.toContain('ex2.approx');
    expect(text(s.ir, 'opencl')).toBe(text(rows.ir, 'opencl'));
  });
  it('refuses what a target has no function for', () => {
    expect(why(() => schedule(rows, target('x86-64-v3'), (s) => s.approximate('exp2')))).toMatch(/KD-S-APPROXIMATE .*x86-64-v3 has no functions of its own/);
    expect(why(() => schedule(rows, sm90, (s) => s.approximate('erf' as 'exp2')))).toMatch(/KD-S-APPROXIMATE .*cuda-sm90a has its own exp2, max, min/);
  });
});

/** Rows of 64 numbers in the registers of two warpgroups; `f` is what is done with a row. */
const onTeams = (f: (row: Tensor<'f32', readonly [64]>, j: () => Iterable<Val<'i64'>>) => Val<'f32'>): string => {
  const k = kernel('on_teams', { x: tensor('f32', 256, 64), y: tensor('f32', 256, 64).out() }, ({ x, y }) => {
    const ax = axes({ i: 256, z: 64, o: 64 });
    for (const i of ax.i) {
      const row = scratch('f32', 'row', 64);
      for (const z of ax.z) row.at(z).set(x.at(i, z));
      const scale = f(row, () => axes({ j: 64 }).j);
      for (const o of ax.o) y.at(i, o).set(row.at(o).mul(scale));
    }
    return ax;
  });
  const s = schedule(k, sm90, (s, { i }) => {
    const [blocks, rest] = s.split(i, 128), [team, r] = s.split(rest, 64);
    s.distribute([team, r], []);
    s.bind({ 'block.x': blocks, 'team.warpgroup': team });
  });
  expect(verify(s.ir).findings).toEqual([]);
  let sums = false;
  visitStmt(k.ir.body, (x) => { sums ||= x.kind === 'accum' && x.fn === 'add'; });
  expect(s.reassociates).toBe(sums); // lanes add up apart
  return emitGpu(lower(s.ir, sm90), sm90).source;
};

describe('values of rows in registers of teams', () => {
  it('are sums, products and extremes over columns, joined by the four lanes of a row', () => {
    const source = onTeams((row, each) => {
      const sum = reg('f32', 0, 'sum'), least = reg('f32', 100, 'least');
      for (const j of each()) sum.addAssign(row.at(j).mul(row.at(j)));
      for (const j of each()) when(row.at(j).gt(0), () => least.minAssign(row.at(j)));
      return sum.add(least);
    });
    expect(source.match(/shuffle_xor_f32_32\(/g)!.length).toBeGreaterThanOrEqual(4);
    if (NVCC) expect(ptxas(source)).toMatch(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/);
  });
  it('are refused where columns set them one after the other, and so are 16-bit tiles that are read', () => {
    expect(why(() => onTeams((row, each) => { const last = reg('f32', 0, 'last'); for (const j of each()) last.set(row.at(j)); return last; }))).toMatch(/KD-L-TEAM .*last has one value a row, which each column would set anew/);
    expect(why(() => onTeams((row, each) => {
      const half = scratch('f16', 'half', 64), sum = reg('f32', 0, 'sum');
      for (const j of each()) half.at(j).set(row.at(j).to('f16'));
      for (const j of each()) sum.addAssign(half.at(j).to('f32'));
      return sum;
    }))).toMatch(/KD-L-TEAM .*half holds two numbers in a register: only products read it/);
  });
});

describe('refused in programs of teams, with the reason', () => {
  const o = { dtype: 'bf16', D: 128, causal: true } as const;
  it('tiles whose columns are not cut where pieces of 128 bytes end, or that are written', () => {
    const k = flashAttention(o);
    expect(why(() => schedule(k, sm90, (s, { i, block }) => { const [b, r] = s.split(i, 128, { tail: 'pad' }); s.distribute([r], [block]); s.bulk('Q', b); }))).toMatch(/KD-S-BULK .*go beyond pieces of 64/);
    expect(why(() => schedule(k, sm90, (s, { i }) => { s.bulk('O', i); }))).toMatch(/KD-S-BULK .*written there/);
    expect(why(() => schedule(flashAttention({ ...o, D: 64 }), sm90, (s, { i, block }) => { const [, r] = s.split(i, 128, { tail: 'pad' }); s.distribute([r], [block]); s.bulk('K', block); s.bulk('K', block); }))).toMatch(/KD-S-BULK .*it is copied there already/);
  });
  it('iterations that cannot overlap', () => {
    const without = (verb: 'ring' | 'tensorize'): Parameters<typeof schedule>[2] => (s, ax) => hopperAttention({ ...s, [verb]: () => {} }, ax as never, o);
    expect(why(() => schedule(flashAttention(o), sm90, without('ring')))).toMatch(/KD-S-OVERLAP .*no ring/);
    expect(why(() => schedule(flashAttention(o), sm90, without('tensorize')))).toMatch(/KD-S-OVERLAP .*has 0 of the teams' products/);
    // The last two statements of the body change places: products no longer stand at the end.
    const s = scheduled(o), moved = mapStmt(s.ir.body, (x) => (x.kind === 'for' && x.overlap && x.body.kind === 'block' ? { ...x, body: { ...x.body, body: [...x.body.body.slice(0, -2), x.body.body.at(-1)!, x.body.body.at(-2)!] } } : x))!;
    expect(why(() => lower({ ...s.ir, body: moved }, sm90))).toMatch(/KD-L-TEAM .*block cannot overlap: it does not end with products/);
  });
  it('copies that are made over and over without a ring, and products that none exists for', () => {
    const bare = (s: Schedule): Schedule => ({ ...s, ring: () => {}, overlap: () => {} });
    expect(why(() => lower(schedule(flashAttention(o), sm90, (s, ax) => hopperAttention(bare(s), ax, o)).ir, sm90))).toMatch(/KD-L-TEAM .*over and over, outside of a ring/);
    expect(() => wgmmaHeld('bf16', 8)).toThrow(/there are wgmma_held_m64n64k16_bf16/);
  });
});
