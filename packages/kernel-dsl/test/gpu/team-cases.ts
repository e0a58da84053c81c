/**
 * Programs of warpgroups with arguments for which nothing is rounded, whatever the order of sums: whole numbers, and weights that are powers of two. So a device is
 * held to the algorithm bit for bit.
 */
import { axes, kernel, reg, tensor, when } from '../../src/lang/index.ts';
import { flashAttention, hopperAttention, hopperGemm, hopperTf32x3, tf32x3 } from '../../src/library/gpu/index.ts';
import type { FlashAttention, HopperGemm } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { f32ToBf16, f32ToF16 } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Value } from '../emit/harness.ts';
import type { TensorCase } from './tensor-cases.ts';

/** The scale with which weights are powers of two: times log2 e, as float32, it is one. */
export const ONE = Math.fround(Math.LN2);

/** Each query picks one element of the keys, a whole number from -7 to 0; values are whole numbers from -8 to 8. */
export function exactAttention(o: FlashAttention, { H, G, S, T }: { readonly H: number; readonly G: number; readonly S: number; readonly T: number }): Readonly<Record<string, Value>> {
  const { D } = o, from = o.dtype === 'bf16' ? f32ToBf16 : f32ToF16, numbers = (n: number, f: (i: number) => number): Uint16Array => Uint16Array.from({ length: n }, (_, i) => from(f(i)));
  return {
    Q: { data: numbers(H * S * D, (i) => (i % D === (Math.floor(i / D) * 7) % D ? 1 : 0)), shape: [H, S, D] },
    K: { data: numbers(G * T * D, (i) => -((Math.floor(i / D) * 5 + (i % D) * 3) % 8)), shape: [G, T, D] },
    V: { data: numbers(G * T * D, (i) => ((i * 11) % 17) - 8), shape: [G, T, D] },
    scale: ONE, O: { data: new Uint16Array(H * S * D).fill(0x7fff), shape: [H, S, D] },
  };
}

/** Attention in its forms, and a product, on warpgroups; nothing where a target has none. */
export function teamCases(t: Target): readonly TensorCase[] {
  if (!t.features.includes('wgmma')) return [];
  const attention = (o: FlashAttention, sizes: readonly { H: number; G: number; S: number; T: number }[]): TensorCase => {
    const k = flashAttention(o);
    return { name: k.name, k: lower(schedule(k, t, (s, ax) => hopperAttention(s, ax, o)).ir, t), meaning: k.ir, target: t, older: false, runs: sizes.map((z) => exactAttention(o, z)) };
  };
  const gemm = kernel('gemm_teams', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
    const ax = axes({ i: M, j: N, k: K });
    for (const i of ax.i) for (const j of ax.j) {
      const acc = reg('f32', 0, 'acc');
      for (const x of ax.k) acc.addAssign(A.at(i, x).to('f32').mul(B.at(j, x).to('f32')));
      C.at(i, j).set(acc);
    }
    return ax;
  });
  const whole = (m: number, k: number, f: (i: number) => number): Value => ({ data: Uint16Array.from({ length: m * k }, (_, i) => f32ToBf16(f(i))), shape: [m, k] });
  const product = (name: string, [m, n, k]: readonly [number, number, number], o: HopperGemm): TensorCase => ({
    name: `${gemm.name}_${name}`, k: { ...lower(schedule(gemm, t, (s, ax) => hopperGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }, o)).ir, t), name: `${gemm.name}_${name}` }, meaning: gemm.ir, target: t, older: false,
    runs: [{ A: whole(m, k, (i) => (i % 7) - 3), B: whole(n, k, (i) => (i % 5) - 2), C: { data: new Float32Array(m * n).fill(NaN), shape: [m, n] } }],
  });
  // Halves of some of a tile's elements: those on and above the diagonal.
  const upper = kernel('gemm_upper', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), C: tensor('bf16', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
    const ax = axes({ i: M, j: N, k: K });
    for (const i of ax.i) for (const j of ax.j) {
      const acc = reg('f32', 0, 'acc');
      for (const x of ax.k) acc.addAssign(A.at(i, x).to('f32').mul(B.at(j, x).to('f32')));
      when(i.le(j), () => C.at(i, j).set(acc.to('bf16')));
    }
    return ax;
  });
  const split = tf32x3(), floats = (m: number, k: number, f: (i: number) => number = () => NaN): Value => ({ data: Float32Array.from({ length: m * k }, (_, i) => f(i)), shape: [m, k] });
  return [
    // Whole numbers of 13 bits: both parts of a factor count, and sums are exact.
    {
      name: split.name, k: lower(schedule(split, t, (s, ax) => hopperTf32x3(s, ax, { tile: [128, 64], stages: 2, persistent: { workgroups: 2, group: 1 } })).ir, t), meaning: split.ir, target: t, older: false,
      runs: [{ A: floats(150, 72, (i) => ((i * 7) % 8191) - 4095), B: floats(72, 68, (i) => ((i * 11) % 31) - 15), A_rest: floats(150, 72), B_rest: floats(68, 72), B_rows: floats(68, 72), C: floats(150, 68) }],
    },
    attention({ dtype: 'bf16', D: 128, causal: true }, [{ H: 2, G: 1, S: 20, T: 135 }, { H: 1, G: 1, S: 1, T: 1 }]),
    attention({ dtype: 'f16', D: 64, causal: false }, [{ H: 2, G: 2, S: 30, T: 203 }]),
    attention({ dtype: 'bf16', D: 64, causal: true, overlap: false, keys: 64 }, [{ H: 1, G: 1, S: 140, T: 140 }]),
    attention({ dtype: 'f16', D: 64, causal: true, rows: 192, keys: 96 }, [{ H: 1, G: 1, S: 60, T: 150 }]),
    {
      name: upper.name, k: lower(schedule(upper, t, (s, ax) => hopperGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }, { tile: [128, 64], stages: 2 })).ir, t), meaning: upper.ir, target: t, older: false,
      runs: [{ A: whole(130, 16, (i) => (i % 7) - 3), B: whole(72, 16, (i) => (i % 5) - 2), C: whole(130, 72, (i) => i % 128) }],
    },
    product('tiles', [150, 133, 72], { tile: [128, 128] }),
    product('two_rows', [130, 40, 136], { tile: [128, 64], stages: 2, cluster: [2, 1] }),
    product('two_columns', [130, 200, 72], { tile: [128, 64], stages: 2, cluster: [1, 2] }),
    product('streamed', [10, 290, 200], { tile: [128, 64], stages: 2, stream: { workgroups: 3 } }),
    product('four_rows_stay', [700, 70, 136], { tile: [128, 64], stages: 2, cluster: [4, 1], persistent: { workgroups: 2, group: 1 } }),
  ];
}
