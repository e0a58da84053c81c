/** Products on tensor cores by warps, of numbers so small and whole that every sum is exact: results have the interpreter's bits on every machine. */
import { tf32 } from '../../src/instructions/index.ts';
import type { DType, KernelIR } from '../../src/ir/index.ts';
import { assume, axes, kernel, reg, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel, Val } from '../../src/lang/index.ts';
import { gridMap, tensorGemm } from '../../src/library/gpu/index.ts';
import type { TensorGemm } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { f32ToBf16, f32ToF16 } from '../../src/run/index.ts';
import type { TypedArray } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Case, TensorValue } from '../emit/harness.ts';
import { q4Args, q4Gemm, scheduledQ4 } from './tensor-q4.ts';

export type Gemm = Kernel<{ i: Axis; j: Axis; k: Axis }>;
/** What both factors are called in instructions, and the dtypes of factors, sums and results. */
export interface GemmForm { readonly dtype: 'f16' | 'bf16' | 'tf32' | 'i8' | 'f64'; readonly out: DType }
const storage = (f: GemmForm): DType => (f.dtype === 'tf32' ? 'f32' : f.dtype), sums = (f: GemmForm): DType => (f.dtype === 'i8' ? 'i32' : f.dtype === 'f64' ? 'f64' : 'f32');

/** C = A Bᵀ; with `bias`, max(2 A Bᵀ + bias, 0). */
export function gemmOf(f: GemmForm, bias = false): Gemm {
  const t = storage(f) as 'f32', sum = sums(f) as 'f32', out = f.out as 'f32', read = f.dtype === 'tf32' ? tf32 : (x: Val<'f32'>): Val<'f32'> => x.to(sum);
  return kernel(`gemm_${f.dtype}_${f.out}${bias ? '_bias' : ''}`, { A: tensor(t, 'M', 'K'), B: tensor(t, 'N', 'K'), bias: tensor(sum, 'N'), C: tensor(out, 'M', 'N').out() }, (p) => {
    const ax = axes({ i: p.M, j: p.N, k: p.K });
    for (const i of ax.i) for (const j of ax.j) {
      const acc = reg(sum, 0, 'acc');
      for (const k of ax.k) acc.addAssign(read(p.A.at(i, k)).mul(read(p.B.at(j, k))));
      p.C.at(i, j).set((bias ? acc.mul(2).add(p.bias.at(j)).max(0) : acc).to(out));
    }
    return ax;
  });
}

/** Products of their own, one for each b. */
export const batched: Kernel<{ b: Axis; i: Axis; j: Axis; k: Axis }> = kernel('gemm_batched', { A: tensor('f16', 'L', 'M', 'K'), B: tensor('f16', 'L', 'N', 'K'), C: tensor('f32', 'L', 'M', 'N').out() }, (p) => {
  const ax = axes({ b: p.L, i: p.M, j: p.N, k: p.K });
  for (const b of ax.b) for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(p.A.at(b, i, k).to('f32').mul(p.B.at(b, j, k).to('f32')));
    p.C.at(b, i, j).set(acc);
  }
  return ax;
});
/** Parts of k, two tiles of 64 each, left in P and added up in order: workgroups enough where C is small. */
export const parted: Kernel<Record<'part' | 'i' | 'j' | 'tile' | 'k' | 'row' | 'col' | 'each', Axis>> = kernel('gemm_parted', { A: tensor('f16', 'M', 'K'), B: tensor('f16', 'N', 'K'), P: tensor('f32', 'S', 'M', 'N').inout(), C: tensor('f16', 'M', 'N').out() }, (p) => {
  assume(p.S.mul(128).ge(p.K), 'the parts cover k');
  const ax = axes({ part: p.S, i: p.M, j: p.N, tile: 2, k: 64, row: p.M, col: p.N, each: p.S });
  for (const s of ax.part) for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const t of ax.tile) for (const x of ax.k) {
      const k = s.mul(2).add(t).mul(64).add(x);
      when(k.lt(p.K), () => acc.addAssign(p.A.at(i, k).to('f32').mul(p.B.at(j, k).to('f32'))));
    }
    p.P.at(s, i, j).set(acc);
  }
  for (const i of ax.row) for (const j of ax.col) {
    const sum = reg('f32', 0, 'sum');
    for (const s of ax.each) sum.addAssign(p.P.at(s, i, j));
    p.C.at(i, j).set(sum.to('f16'));
  }
  return ax;
});
const names = { A: 'A', B: 'B', acc: 'acc', dtype: 'f16' } as const, small: TensorGemm = { tile: [32, 64], warp: [16, 32] };
export const scheduledBatched = (t: Target, o: TensorGemm = {}): ScheduledKernel => schedule(batched, t, (s, { b, i, j, k }) => tensorGemm(s, { batch: b, i, j, k }, names, { ...small, ...o }));
export const scheduledParted = (t: Target): ScheduledKernel => schedule(parted, t, (s, ax) => {
  tensorGemm(s, { batch: ax.part, i: ax.i, j: ax.j, k: [ax.tile, ax.k] }, names, small);
  gridMap(s, [ax.row, ax.col]);
});
const f16s = (shape: readonly number[], step: number): TensorValue => ({ data: values('f16', shape.reduce((a, b) => a * b, 1), (i) => ((i * step + (i >> 4)) % 7) - 3), shape: [...shape] });
export const batchedArgs = (L: number, M: number, N: number, K: number): Record<'A' | 'B' | 'C', TensorValue> => ({ A: f16s([L, M, K], 5), B: f16s([L, N, K], 3), C: { data: new Float32Array(L * M * N).fill(77), shape: [L, M, N] } });
export const partedArgs = (M: number, N: number, K: number): Record<'A' | 'B' | 'P' | 'C', TensorValue> => {
  const S = Math.max(1, Math.ceil(K / 128));
  return { A: f16s([M, K], 5), B: f16s([N, K], 3), P: { data: new Float32Array(S * M * N).fill(77), shape: [S, M, N] }, C: { data: new Uint16Array(M * N).fill(77), shape: [M, N] } };
};

export const scheduledGemm = (k: Gemm, f: GemmForm, t: Target, o: TensorGemm = {}): ScheduledKernel => schedule(k, t, (s, ax) => tensorGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype: f.dtype }, o));

function values(t: DType, n: number, f: (i: number) => number): TypedArray {
  switch (t) {
    case 'f16': return Uint16Array.from({ length: n }, (_, i) => f32ToF16(f(i)));
    case 'bf16': return Uint16Array.from({ length: n }, (_, i) => f32ToBf16(f(i)));
    case 'i8': return Int8Array.from({ length: n }, (_, i) => f(i));
    case 'i32': return Int32Array.from({ length: n }, (_, i) => f(i));
    case 'f64': return Float64Array.from({ length: n }, (_, i) => f(i));
    default: return Float32Array.from({ length: n }, (_, i) => f(i));
  }
}

/** Arguments of a product: whole numbers from -3 to 3, C poisoned. */
export function gemmArgs(f: GemmForm, M: number, N: number, K: number): Record<'A' | 'B' | 'bias' | 'C', TensorValue> {
  const C = values(f.out, M * N, () => 77);
  return {
    A: { data: values(storage(f), M * K, (i) => ((i * 5 + (i >> 4)) % 7) - 3), shape: [M, K] }, B: { data: values(storage(f), N * K, (i) => ((i * 3 + (i >> 5)) % 5) - 2), shape: [N, K] },
    bias: { data: values(sums(f), N, (i) => (i % 9) - 4), shape: [N] }, C: { data: C, shape: [M, N] },
  };
}

/** A case whose lowered program is a device's alone: `meaning` is what the interpreter runs. `older`: with the instructions of older GPUs, which newer ones have too. */
export interface TensorCase extends Case { readonly name: string; readonly meaning: KernelIR; readonly target: Target; readonly older: boolean }

export const FORMS: readonly GemmForm[] = [{ dtype: 'f16', out: 'f16' }, { dtype: 'f16', out: 'f32' }, { dtype: 'bf16', out: 'bf16' }, { dtype: 'tf32', out: 'f32' }, { dtype: 'i8', out: 'i32' }, { dtype: 'f64', out: 'f64' }];
/** Those whose rows are whole chunks, and others, which copy element by element. */
const WHOLE = [[70, 72, 48], [130, 131, 256], [200, 64, 96]] as const, SIZES = [...WHOLE, [3, 5, 129], [1, 1, 1], [2, 3, 0], [0, 4, 4], [66, 67, 70]] as const;

/** Products for the device of a target: as that target does them, and as older ones do. */
export function tensorCases(t: Target): readonly TensorCase[] {
  if (!t.features.includes('ldmatrix')) return [];
  // Lowered when it is asked for: some tests take few of them.
  const made = (name: string, program: () => ScheduledKernel, rest: Omit<TensorCase, 'k' | 'name'>): TensorCase => {
    let k: KernelIR | undefined;
    return { ...rest, name, get k() { return (k ??= { ...lower(program().ir, rest.target), name }); } };
  };
  const out: TensorCase[] = [], like = (isa: string): Target => ({ ...target(isa), cflags: t.cflags });
  const add = (f: GemmForm, on: Target, o: TensorGemm, older: boolean, bias = false, sizes: readonly (readonly [number, number, number])[] = SIZES): void => {
    const k = gemmOf(f, bias), tag = `${out.length}`, runs = sizes.map(([M, N, K]) => gemmArgs(f, M, N, K));
    out.push(made(`${k.name}_${tag}`, () => scheduledGemm(k, f, on, o), { meaning: k.ir, target: on, older, runs }));
  };
  for (const f of FORMS) add(f, like('cuda-sm80'), f.dtype === 'f64' ? {} : { stages: 4 }, f.dtype !== 'f16', false, WHOLE);
  for (const f of FORMS) add(f, t.features.includes('cp_async') ? t : like('cuda-sm80'), f.dtype === 'f64' ? { step: 16, tile: [64, 64] } : { tile: [64, 96], warp: [32, 48], persistent: { workgroups: 3, group: 2 } }, false);
  for (const f of FORMS.filter((x) => x.dtype === 'f16' || x.dtype === 'i8')) add(f, like('cuda-sm75'), { warp: [32, 32], tile: [64, 64] }, true);
  add({ dtype: 'bf16', out: 'bf16' }, like('cuda-sm80'), { warp: [16, 16], tile: [16, 64], stages: 2 }, false, true);
  add({ dtype: 'bf16', out: 'bf16' }, like('cuda-sm80'), { warp: [32, 32], tile: [64, 64], stages: 1 }, false, true);
  add({ dtype: 'f16', out: 'f16' }, like('cuda-sm75'), { warp: [32, 32], tile: [64, 32], stages: 1 }, false, true, WHOLE);
  for (const isa of ['cuda-sm80', 'cuda-sm75']) {
    const on = like(isa);
    out.push(made(`gemm_batched_${isa.slice(5)}`, () => scheduledBatched(on, isa === 'cuda-sm80' ? { persistent: { workgroups: 2, group: 2 } } : {}), { meaning: batched.ir, target: on, older: false, runs: [batchedArgs(3, 33, 70, 72), batchedArgs(2, 5, 6, 67)] }));
    out.push(made(`gemm_parted_${isa.slice(5)}`, () => scheduledParted(on), { meaning: parted.ir, target: on, older: false, runs: [partedArgs(7, 70, 1000), partedArgs(33, 5, 130)] }));
    for (const o of [{ tile: [16, 128], warp: [16, 32] }, { tile: [64, 64], warp: [32, 32], stages: 1 }] as const) out.push(made(`gemm_q4_0_${isa.slice(5)}_${o.tile[0]}`, () => scheduledQ4(on, o), { meaning: q4Gemm.ir, target: on, older: false, runs: [q4Args(7, 70, 1024), q4Args(65, 5, 64), q4Args(33, 130, 192)] }));
  }
  return out;
}
