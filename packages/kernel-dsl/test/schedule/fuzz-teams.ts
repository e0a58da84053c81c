/**
 * Schedules of teams that are right, as lists of steps of which a test leaves some out, swaps some, and puts others between: programs of warps and of warpgroups, whose
 * verbs hardly ever fit together by chance.
 */
import { mmaNamed, mmaQ4, wgmmaHeld, wgmmaNamed } from '../../src/instructions/index.ts';
import { bytesOf } from '../../src/ir/index.ts';
import type { DType } from '../../src/ir/index.ts';
import { axes, kernel, reg, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { flashAttention } from '../../src/library/gpu/index.ts';
import type { FlashAttention } from '../../src/library/gpu/index.ts';
import type { Schedule, Tail } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Value } from '../emit/harness.ts';
import { exactAttention } from '../gpu/team-cases.ts';
import { FORMS, batched, batchedArgs, gemmArgs, gemmOf } from '../gpu/tensor-cases.ts';
import { q4Args, q4Gemm } from '../gpu/tensor-q4.ts';

/** Loops by the names that the steps of a recipe give them; one that was not made is undefined, which a verb refuses. */
export type Handles = Record<string, Axis>;
export type Piece = (s: Schedule, ax: Handles) => void;
/** A kernel, steps that schedule it, and arguments for which every order of sums gives the same bits. */
export interface Recipe { readonly kernel: Kernel; readonly machine: Target; readonly arch: number; readonly pieces: readonly Piece[]; readonly args: (m: number, n: number, k: number) => Readonly<Record<string, Value>> }

/** What a recipe is made of: numbers that fit together, and some that do not. */
export interface Choice {
  readonly what: 'gemm' | 'batched' | 'gated' | 'q4' | 'wgmma' | 'attention'; readonly isa: 'cuda-sm75' | 'cuda-sm80' | 'cuda-sm90a';
  readonly form: number; readonly bias: boolean; readonly tile: readonly [number, number]; readonly warp: readonly [number, number]; readonly stages: number; readonly workgroups: number; readonly cluster: boolean; readonly tail: Exclude<Tail, 'peel'>;
}

/** Two products with the same factor, one of which scales the other: two sums, three tiles. */
const gated = kernel('gated', { A: tensor('f16', 'M', 'K'), B: tensor('f16', 'N', 'K'), D: tensor('f16', 'N', 'K'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, D, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, ko: K.add(63).div(64), ki: 64, qi: 64 });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc'), up = reg('f32', 0, 'up');
    for (const t of ax.ko) {
      for (const x of ax.ki) { const k = t.mul(64).add(x); when(k.lt(K), () => acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')))); }
      for (const x of ax.qi) { const k = t.mul(64).add(x); when(k.lt(K), () => up.addAssign(A.at(i, k).to('f32').mul(D.at(j, k).to('f32')))); }
    }
    C.at(i, j).set(acc.mul(up));
  }
  return ax;
});

const busy = (c: Choice, loop: string): readonly Piece[] => [
  ...(c.stages > 0 ? [(s: Schedule, x: Handles): void => s.ring(x[loop]!, c.stages)] : []),
  ...(c.workgroups % 2 ? [(s: Schedule): void => s.resident(c.workgroups)] : []),
  ...(c.what === 'wgmma' && c.workgroups > 1 ? [(s: Schedule, x: Handles): void => s.stream(x['bm']!, x['bn']!, x[loop]!, { workgroups: c.workgroups })] : c.workgroups > 0 ? [(s: Schedule, x: Handles): void => s.persistent(x['bm']!, x['bn']!, { workgroups: c.workgroups, group: 2 })] : []),
];
/** C in tiles of workgroups, and of warps in these. */
const tiles = (c: Choice, i: string, j: string): readonly Piece[] => [
  (s, x) => { [x['bm'], x['im']] = s.split(x[i]!, c.tile[0], { tail: c.tail }); },
  (s, x) => { [x['bn'], x['jm']] = s.split(x[j]!, c.tile[1], { tail: c.tail }); },
  (s, x) => { [x['wy'], x['row']] = s.split(x['im']!, c.warp[0]); },
  (s, x) => { [x['wx'], x['col']] = s.split(x['jm']!, c.warp[1]); },
  (s, x) => s.reorder(x['bm']!, x['bn']!, x['wy']!, x['wx']!, x['row']!, x['col']!),
  (s, x) => s.bind({ 'block.y': x['bm']!, 'block.x': x['bn']! }),
];
const split = (c: Choice, deep: number, step: number): Piece => (s, x) => { [x['ko'], x['ki']] = s.split(x['k']!, deep, { tail: c.tail }); [x['kk'], x['kx']] = s.split(x['ki']!, step); };
const places: Piece = (s, x) => s.bind({ 'team.warp.y': x['wy']!, 'team.warp.x': x['wx']! });
const bulk = (name: string, loop: string): Piece => (s, x) => s.bulk(name, x[loop]!);
const expand: Piece = (s, x) => s.expand('acc', x['wy']!, x['wx']!, x['row']!, x['col']!);
const nest: Piece = (s, x) => { s.reorder(x['ko']!, x['wy']!, x['wx']!, x['kk']!, x['row']!, x['col']!, x['kx']!); s.unroll(x['kk']!); };
/** An instruction that there is not is nothing that a schedule could refuse. */
const mma = (c: Choice, step: number, type: string) => mmaNamed(`mma_m${Math.max(16, c.warp[0] & ~15)}n${Math.max(16, c.warp[1] & ~15)}k${step}_${type}`);

/** The recipe that was chosen. */
export function recipe(c: Choice): Recipe {
  const machine = target(c.isa), arch = { 'cuda-sm75': 750, 'cuda-sm80': 800, 'cuda-sm90a': 900 }[c.isa];
  switch (c.what) {
    case 'gemm': case 'wgmma': {
      const form = FORMS[c.form % FORMS.length]!, k = gemmOf(form, c.bias), bytes = form.dtype === 'tf32' ? 4 : bytesOf(form.dtype as DType), deep = 128 / bytes, args = (m: number, n: number, z: number): Readonly<Record<string, Value>> => gemmArgs(form, m, n, z);
      if (c.what === 'gemm') {
        const step = form.dtype === 'f64' ? (c.stages % 2 ? 8 : 16) : 32 / bytes;
        return { kernel: k, machine, arch, args, pieces: [...tiles(c, 'i', 'j'), expand, split(c, deep, step), nest, places, bulk('A', 'ko'), bulk('B', 'ko'), (s, x) => s.tensorize(mma(c, step, form.dtype), x['row']!, x['col']!, x['kx']!), ...busy(c, 'ko')] };
      }
      const type = form.dtype === 'f64' ? 'tf32' : form.dtype;
      return {
        kernel: k, machine: target('cuda-sm90a'), arch: 900, args, pieces: [
          // Workgroups side by side are a cluster: z.
          (s, x) => { [x['bm'], x['iw']] = s.split(x['i']!, c.cluster ? 128 : 64 * (1 + (c.form & 1)), { tail: c.tail }); [x['bn'], x['jn']] = s.split(x['j']!, 64, { tail: c.tail }); },
          ...(c.cluster ? [((s, x) => { [x['z'], x['im']] = s.split(x['iw']!, 64); }) satisfies Piece] : []),
          (s, x) => { [x['team'], x['row']] = s.split(x['im'] ?? x['iw']!, 64); },
          (s, x) => s.reorder(x['bm']!, x['bn']!, ...(x['z'] ? [x['z']] : []), x['team']!, x['row']!, x['jn']!),
          ...(c.cluster ? [((s, x) => s.bind({ 'block.z': x['z']! })) satisfies Piece] : []),
          (s, x) => s.bind({ 'block.y': x['bm']!, 'block.x': x['bn']! }),
          (s, x) => s.expand('acc', x['team']!, x['row']!, x['jn']!),
          split(c, deep, 32 / bytes),
          (s, x) => { s.reorder(x['ko']!, x['team']!, x['kk']!, x['row']!, x['jn']!, x['kx']!); s.unroll(x['kk']!); },
          (s, x) => s.bind({ 'team.warpgroup': x['team']! }), bulk('A', 'ko'), bulk('B', 'ko'),
          (s, x) => s.tensorize(wgmmaNamed(`wgmma_m64n64k${type === 'tf32' ? 8 : 32 / bytes}_${type}`), x['row']!, x['jn']!, x['kx']!), ...busy(c, 'ko'), ...(c.cluster ? [((s, x) => s.cluster(x['z']!)) satisfies Piece] : []),
        ],
      };
    }
    case 'batched': return { kernel: batched, machine, arch, args: (m, n, k) => batchedArgs(1 + (m % 2), m, n, k), pieces: [...tiles(c, 'i', 'j'), (s, x) => s.bind({ 'block.z': x['b']! }), expand, split(c, 64, 16), nest, places, bulk('A', 'ko'), bulk('B', 'ko'), (s, x) => s.tensorize(mma(c, 16, 'f16'), x['row']!, x['col']!, x['kx']!), ...busy(c, 'ko')] };
    case 'gated': return {
      kernel: gated, machine, arch, args: (m, n, k) => { const a = gemmArgs(FORMS[1]!, m, n, k); return { A: a.A, B: a.B, D: { ...a.B, data: a.B.data.toReversed() }, C: a.C }; },
      pieces: [
        ...tiles(c, 'i', 'j'), (s, x) => { const { ki = [], qi = [] } = s.distribute([x['wy']!, x['wx']!, x['row']!, x['col']!], [x['ko']!]); ['y', 'x', 'r', 'c'].forEach((n, d) => { x[`k${n}`] = ki[d]!; x[`q${n}`] = qi[d]!; }); },
        places, bulk('A', 'ko'), bulk('B', 'ko'), bulk('D', 'ko'),
        ...['k', 'q'].flatMap((n): Piece[] => [
          (s, x) => { [x[`${n}k`], x[`${n}z`]] = s.split(x[`${n}i`]!, 16); s.reorder(x[`${n}y`]!, x[`${n}x`]!, x[`${n}k`]!, x[`${n}r`]!, x[`${n}c`]!, x[`${n}z`]!); s.unroll(x[`${n}k`]!); },
          (s, x) => s.tensorize(mma(c, 16, 'f16'), x[`${n}r`]!, x[`${n}c`]!, x[`${n}z`]!),
        ]), ...busy(c, 'ko'),
      ],
    };
    case 'q4': return {
      kernel: q4Gemm, machine, arch, args: (m, n, k) => q4Args(m, n, (k >> 5 << 6)), pieces: [
        ...tiles(c, 'i', 'j'), expand,
        (s, x) => { s.reorder(x['tile']!, x['wy']!, x['wx']!, x['block']!, x['row']!, x['col']!, x['half']!, x['e']!); s.unroll(x['block']!); },
        places, bulk('X', 'tile'), bulk('W', 'tile'), (s, x) => s.tensorize(mmaQ4(Math.max(16, c.warp[0] & ~15), Math.max(16, c.warp[1] & ~15)), x['row']!, x['col']!, x['half']!, x['e']!), ...busy(c, 'tile'),
      ],
    };
    case 'attention': {
      const o: FlashAttention = { dtype: c.form & 1 ? 'f16' : 'bf16', D: 64, causal: c.bias, keys: 64 };
      return {
        kernel: flashAttention(o), machine: target('cuda-sm90a'), arch: 900, args: (m, n) => exactAttention(o, { H: 1, G: 1, S: 1 + Math.min(m, n), T: 1 + n }), pieces: [
          (s, x) => { [x['rows'], x['r0']] = s.split(x['i']!, 128, { tail: 'pad' }); [x['team'], x['r']] = s.split(x['r0']!, 64); },
          (s, x) => s.reverse(x['rows']!),
          (s, x) => { const { j: [st, sr] = [], w: [wt, wr] = [] } = s.distribute([x['team']!, x['r']!], [x['block']!]); Object.assign(x, { st, sr, wt, wr }); },
          (s, x) => { const [half, e1] = s.split(x['e']!, 64), [ek, ex] = s.split(e1, 16); Object.assign(x, { half, ek, ex }); s.reorder(x['st']!, half, ek, x['sr']!, x['j']!, ex); },
          (s, x) => { const [wk, wx] = s.split(x['w']!, 16), [dh, dl] = s.split(x['d']!, 64); Object.assign(x, { wk, wx, dh, dl }); s.reorder(x['wt']!, wk, x['wr']!, dh, dl, wx); },
          (s, x) => { for (const n of ['half', 'ek', 'wk']) s.unroll(x[n]!); },
          (s, x) => s.bind({ 'block.y': x['h']!, 'block.x': x['rows']!, 'team.warpgroup': x['team']! }),
          bulk('Q', 'rows'), bulk('V', 'block'), bulk('K', 'block'),
          (s, x) => s.tensorize(wgmmaNamed(`wgmma_m64n64k16_${o.dtype}`), x['sr']!, x['j']!, x['ex']!),
          (s, x) => s.tensorize(wgmmaHeld(o.dtype, 64), x['wr']!, x['dh']!, x['dl']!, x['wx']!),
          (s, x) => s.ring(x['block']!, Math.max(2, c.stages)),
          (s, x) => s.overlap(x['block']!),
          (s) => s.approximate('exp2', 'max'),
        ],
      };
    }
  }
}
