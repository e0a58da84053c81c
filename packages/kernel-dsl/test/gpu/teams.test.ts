/** Programs of teams: the interpreter runs what was scheduled, nvcc compiles what it became, and what cannot be is refused. */
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { emitGpu, evaluate } from '../../src/emit/gpu/index.ts';
import type { GpuLaunch, GpuModule, GpuStep, HostValues } from '../../src/emit/gpu/index.ts';
import { tf32, wgmmaNamed } from '../../src/instructions/index.ts';
import type { Expr, Stmt } from '../../src/ir/index.ts';
import { isConst, mapExpr, printKernel, visitStmt } from '../../src/ir/index.ts';
import { axes, kernel, reg, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel, Val } from '../../src/lang/index.ts';
import { hopperGemm } from '../../src/library/gpu/index.ts';
import type { HopperGemm } from '../../src/library/gpu/index.ts';
import { lower, teams } from '../../src/passes/index.ts';
import { f32ToBf16, interpret } from '../../src/run/index.ts';
import type { TensorArg } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { NVCC } from './harness.ts';
import { ptxas } from './ptxas.ts';
import { why } from '../errors/refusal.ts';

type Gemm = Kernel<{ i: Axis; j: Axis; k: Axis }>;
const sm90 = target('cuda-sm90a');
/** C = A Bᵀ; or with a bias and a lower bound of zero, as bf16. */
const gemm = (epilogue: boolean): Gemm => kernel('gemm', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), bias: tensor('f32', 'N'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, bias, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
    C.at(i, j).set(epilogue ? acc.mul(0.5).add(bias.at(j)).max(0) : acc);
  }
  return ax;
});
const bytes: Gemm = kernel('bytes', { A: tensor('i8', 'M', 'K'), B: tensor('i8', 'N', 'K'), C: tensor('i32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('i32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).to('i32').mul(B.at(j, k).to('i32')));
    C.at(i, j).set(acc);
  }
  return ax;
});
/** Of float32 factors as tf32 reads them, or as they are. */
const floats = (reads: (x: Val<'f32'>) => Val<'f32'>): Gemm => kernel('floats', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'N', 'K'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(reads(A.at(i, k)).mul(reads(B.at(j, k))));
    C.at(i, j).set(acc);
  }
  return ax;
});
const halves: Gemm = kernel('halves', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), C: tensor('bf16', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
    C.at(i, j).set(acc.to('bf16'));
  }
  return ax;
});
const scheduled = (k: Gemm, o: HopperGemm, dtype: 'bf16' | 'i8' | 'tf32' = 'bf16'): ScheduledKernel => schedule(k, sm90, (s, ax) => hopperGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype }, o));

describe('a scheduled product of warpgroups', () => {
  it.each([[70, 72, 40, false], [3, 5, 129, true], [64, 64, 64, true], [0, 4, 4, false], [2, 3, 0, true]] as const)('computes what the algorithm says: %d x %d x %d', (M, N, K, epilogue) => {
    const k = gemm(epilogue), s = scheduled(k, { tile: [128, 64], stages: 2, persistent: { workgroups: 3, group: 2 } });
    const bf16 = (n: number, f: (i: number) => number): Uint16Array => Uint16Array.from({ length: n }, (_, i) => f32ToBf16(f(i)));
    const args = (): Parameters<typeof interpret>[1] => ({
      A: { data: bf16(M * K, (i) => (i % 7) - 3), shape: [M, K] }, B: { data: bf16(N * K, (i) => (i % 5) - 2), shape: [N, K] }, bias: { data: Float32Array.from({ length: N }, (_, i) => i / 4), shape: [N] },
      C: { data: new Float32Array(M * N).fill(NaN), shape: [M, N] },
    });
    const want = args(), got = args();
    interpret(k.ir, want);
    interpret(s.ir, got);
    expect((got['C'] as { data: Float32Array }).data).toEqual((want['C'] as { data: Float32Array }).data); // small whole numbers: sums are exact in any order
  });

  it.each([[[2, 1]], [[1, 2]]] as const)('computes it in clusters too: %j', (cluster) => {
    const k = gemm(false), s = scheduled(k, { tile: [128, 64], stages: 2, cluster, persistent: { workgroups: 3, group: 2 } }), [M, N, K] = [130, 67, 8];
    const values = (n: number, m: number): Uint16Array => Uint16Array.from({ length: n }, (_, i) => f32ToBf16((i % m) - 2)), C = (): TensorArg => ({ data: new Float32Array(M * N).fill(NaN), shape: [M, N] });
    const inputs = { A: { data: values(M * K, 7), shape: [M, K] }, B: { data: values(N * K, 5), shape: [N, K] }, bias: { data: new Float32Array(N), shape: [N] } }, want = C(), got = C();
    interpret(k.ir, { ...inputs, C: want });
    interpret(s.ir, { ...inputs, C: got });
    expect(got.data).toEqual(want.data);
    expect(verify(s.ir).findings).toEqual([]);
  });

  it('reads float32 as tf32 does: the lower 13 bits are nothing', () => {
    const k = floats(tf32), M = 9, N = 11, K = 37, s = scheduled(k, { tile: [128, 64], stages: 2 }, 'tf32');
    const values = (n: number, step: number): Float32Array => Float32Array.from({ length: n }, (_, i) => ((i * step) % 17) - 8 + 2 ** -12); // 1 + 2^-12 becomes 1, -1 + 2^-12 becomes -1 + 2^-11, 2^-12 alone stays
    const want = Float32Array.from({ length: M * N }, (_, q) => {
      const cut = (x: number): number => { const f = Float32Array.of(x), u = new Uint32Array(f.buffer); u[0]! &= 0xffffe000; return f[0]!; };
      const a = values(M * K, 5), b = values(N * K, 7);
      let acc = 0;
      for (let p = 0; p < K; p++) acc = Math.fround(acc + Math.fround(cut(a[Math.floor(q / N) * K + p]!) * cut(b[(q % N) * K + p]!)));
      return acc;
    });
    for (const ir of [k.ir, s.ir]) {
      const C = { data: new Float32Array(M * N).fill(NaN), shape: [M, N] };
      interpret(ir, { A: { data: values(M * K, 5), shape: [M, K] }, B: { data: values(N * K, 7), shape: [N, K] }, C });
      expect(C.data).toEqual(want);
    }
  });

  it('is proved: bounds, races and writes', () => {
    expect(verify(scheduled(floats(tf32), {}, 'tf32').ir).findings).toEqual([]);
    expect(verify(scheduled(gemm(true), {}).ir).findings).toEqual([]);
    expect(verify(scheduled(bytes, { tile: [128, 128] }, 'i8').ir).findings).toEqual([]);
  });

  it('says in its text what runs where', () => {
    const text = printKernel(scheduled(gemm(false), { persistent: { workgroups: 132, group: 16 } }).ir);
    for (const part of ['by 132 workgroups in bands of 16', 'ring of 4', 'instruction copy_tile', 'team.warpgroup', 'instruction wgmma_m64n256k16_bf16']) expect(text).toContain(part);
  });
});

describe('clusters', () => {
  const module = (o: HopperGemm): GpuModule => emitGpu(lower(scheduled(gemm(false), { tile: [128, 256], ...o }).ir, sm90), sm90), launch = (m: GpuModule): GpuLaunch => (m.plan[0] as Extract<GpuStep, { kind: 'launch' }>).launch;
  it('bring halves of a tile that both workgroups use to both, and all of their own', () => {
    const rows = module({ cluster: [2, 1] }), columns = module({ cluster: [1, 2], persistent: { workgroups: 66, group: 4 } }), boxes = (m: GpuModule): readonly string[] => launch(m).args.flatMap((a) => (a.kind === 'tensormap' ? [`${a.param} ${a.box.join(' x ')}`] : []));
    expect(boxes(rows)).toEqual(['B 64 x 128', 'A 64 x 128']);
    expect(boxes(columns)).toEqual(['B 64 x 256', 'A 64 x 64']);
    expect(rows.source).toContain('copy_tile_to_2(&B_shared[slot * 16384 + iio * 8192], &B_map, &full[slot], ko * 64, jo * 256 + iio * 128);');
    for (const m of [rows, columns]) {
      expect(launch(m).cluster).toEqual([1, 1, 2]);
      expect(m.source.match(/copy_tile(_to_2)?\(&/g)).toHaveLength(2);
      // A tile is free when two teams of each workgroup have told; each tells both.
      expect(m.source).toContain('mbarrier_init(&empty[0], 4);');
      expect(m.source).toMatch(/if \(lane % 128 < 2 && ko > 0\) \{\n\s*mbarrier_arrive_at\(&empty\[.*\], lane % 128\);/);
      // All of them meet before the first barrier is touched by another one, and before one ends.
      expect(m.source.match(/^ {2}cluster_barrier\(\);$/gm)).toHaveLength(2);
    }
    expect(module({}).source).not.toMatch(/cluster_barrier|copy_tile_to|arrive_at/);
    expect(printKernel(scheduled(gemm(false), { cluster: [2, 1] }).ir)).toMatch(/block\.z iio in 0\.\.2, a cluster:/);
    expect(() => emitGpu(lower(scheduled(gemm(false), { cluster: [2, 1] }).ir, sm90), sm90, { flatGrid: true })).toThrow(/clusters of workgroups that are numbered along x alone[^]*fix: call it with fewer rows or columns/);
  });

  it('are refused, with the reason', () => {
    const on = (f: (s: Schedule, ax: Record<'i' | 'j' | 'k' | 'z', Axis>) => void, t = sm90): string => why(() => schedule(gemm(false), t, (s, ax) => {
      const [o, ii] = s.split(ax.i, 256, { tail: 'pad' }), [z, i] = s.split(ii, 128);
      f(s, { ...ax, i, z });
      void o;
    }));
    /** All of a product but the cluster. */
    const product = (s: Schedule, { i, j, k, z }: Record<'i' | 'j' | 'k' | 'z', Axis>, what: readonly ('A' | 'B')[], cols = 64): void => {
      const [bn, jn] = s.split(j, cols, { tail: 'pad' }), [team, row] = s.split(i, 64);
      s.reorder(bn, z, team, row, jn);
      s.bind({ 'block.x': bn, 'block.z': z });
      s.expand('acc', team, row, jn);
      const [ko, ki] = s.split(k, 64, { tail: 'pad' }), [kk, kx] = s.split(ki, 16);
      s.reorder(ko, team, kk, row, jn, kx);
      s.bind({ 'team.warpgroup': team });
      for (const name of what) s.bulk(name, ko);
      s.ring(ko, 2);
    };
    expect(on((s, { z }) => s.cluster(z), target('cuda-sm80'))).toMatch(/KD-S-NEEDS .*cluster/);
    expect(on((s, { z }) => s.cluster(z))).toMatch(/KD-S-CLUSTER .*not bound to workgroups/);
    expect(on((s, { z }) => { s.bind({ 'block.z': z }); s.cluster(z); })).toMatch(/no warpgroups/);
    expect(on((s, { j }) => { s.bind({ 'block.x': j }); s.cluster(j); })).toMatch(/number of its iterations is not constant/);
    expect(on((s, ax) => { product(s, ax, ['A']); s.cluster(ax.z); })).toMatch(/each tile of a ring depends on iio/);
    expect(on((s, ax) => { product(s, ax, ['B'], 8); s.cluster(ax.z); })).toMatch(/a tile of 8 rows is not cut into 2 parts/);
    expect(on((s, ax) => { product(s, ax, ['A', 'B']); s.cluster(ax.z); s.cluster(ax.z); })).toMatch(/a cluster, or part of one, already/);
    expect(why(() => scheduled(gemm(false), { tile: [128, 256], cluster: [3, 1] }))).toMatch(/it has 3 iterations/);
  });
});

describe('tiles that are streamed', () => {
  const streamed = (workgroups: number, rows = 64): ScheduledKernel => scheduled(gemm(true), { tile: [rows, 64], stages: 2, stream: { workgroups } });
  // Two tiles of three steps for three shares, of which the second one spans both; a whole wave, and a tile for two; no steps at all, and no tiles.
  it.each(spread([[3, 70, 130, 3], [2, 3, 0, 2], [3, 130, 70, 2], [0, 4, 4, 2], [129, 3, 130, 5]] as const, 3))('are what the algorithm says: %d x %d x %d for %d workgroups', (M, N, K, workgroups) => {
    const values = (n: number, m: number): Uint16Array => Uint16Array.from({ length: n }, (_, i) => f32ToBf16((i % m) - 2)), C = (): TensorArg => ({ data: new Float32Array(M * N).fill(NaN), shape: [M, N] }), s = streamed(workgroups);
    const inputs = { A: { data: values(M * K, 7), shape: [M, K] }, B: { data: values(N * K, 5), shape: [N, K] }, bias: { data: Float32Array.from({ length: N }, (_, i) => i / 4), shape: [N] } }, want = C(), got = C();
    interpret(gemm(true).ir, { ...inputs, C: want });
    interpret(s.ir, { ...inputs, C: got });
    expect(got.data).toEqual(want.data);
    expect(s.reassociates).toBe(true);
  });

  it('are proved, and three launches: whole waves, shares, and what joins them', () => {
    const s = streamed(132, 128), m = emitGpu(lower(s.ir, sm90), sm90);
    expect(verify(s.ir).findings).toEqual([]);
    const launches = m.plan.flatMap((x) => (x.kind === 'launch' ? [x.launch] : [])), at = (M: number, N: number, K: number): readonly (readonly number[])[] => {
      const values: HostValues & { vars: Map<number, number> } = { sizes: { M, N, K }, strides: {}, scalars: {}, vars: new Map() };
      return m.plan.flatMap((x) => { if (x.kind === 'let') values.vars.set(x.v.id, evaluate(x.value, values)); return x.kind === 'launch' ? [x.launch.grid.map((e) => evaluate(e, values))] : []; });
    };
    expect(launches.map((l) => l.block)).toEqual([[384, 1, 1], [384, 1, 1], [64, 2, 1]]);
    expect(at(3072, 3072, 3072)).toEqual([[48, 22, 1], [132, 1, 1], [48, 2, 8]]); // 1152 tiles: 8 waves, 96 tiles more
    expect(at(128, 64, 640)).toEqual([[1, 0, 1], [10, 1, 1], [1, 1, 8]]); // ten steps for as many workgroups
    expect(at(128 * 11, 64 * 12, 64)).toEqual([[12, 11, 1], [0, 1, 1], [12, 0, 8]]); // one wave, whole
    expect(m.workspace).toMatchObject([{ name: 'acc_parts', dtype: 'f32' }]);
    expect(evaluate(m.workspace[0]!.elements, { sizes: {}, strides: {}, scalars: {}, vars: new Map() })).toBe(132 * 2 * 128 * 64);
  });

  it('are refused, with the reason', () => {
    const on = (o: HopperGemm, f: (s: Schedule, ax: { bm: Axis; bn: Axis; ko: Axis; kk: Axis }) => void, k = gemm(false)): string => why(() => schedule(k, sm90, (s, { i, j, k }) => {
      const [rows, cols] = o.tile ?? [128, 64], [bm, im] = s.split(i, rows, { tail: 'pad' }), [bn, jn] = s.split(j, cols, { tail: 'pad' }), [team, row] = s.split(im, 64), [ko, kk] = s.split(k, 64, { tail: 'pad' });
      s.reorder(bm, bn, team, row, jn);
      s.expand('acc', team, row, jn);
      s.reorder(ko, team, row, jn, kk);
      f(s, { bm, bn, ko, kk });
    }));
    const bound = (f: (s: Schedule, ax: { bm: Axis; bn: Axis; ko: Axis; kk: Axis }) => void) => (s: Schedule, ax: { bm: Axis; bn: Axis; ko: Axis; kk: Axis }): void => { s.bind({ 'block.y': ax.bm, 'block.x': ax.bn }); s.bulk('A', ax.ko); s.bulk('B', ax.ko); f(s, ax); };
    expect(on({}, bound((s, { bm, bn, ko }) => s.stream(bm, bn, ko, { workgroups: 1 })))).toMatch(/KD-S-STREAM .*workgroups is 1/);
    expect(on({}, bound((s, { bm, bn, ko }) => s.stream(bn, bm, ko, { workgroups: 4 })))).toMatch(/io is not directly inside of jo/);
    expect(on({}, (s, { bm, bn, ko }) => { s.bulk('A', ko); s.bulk('B', ko); s.stream(bm, bn, ko, { workgroups: 4 }); })).toMatch(/not bound to workgroups/);
    expect(on({}, bound((s, { bm, bn, ko }) => { s.persistent(bm, bn, { workgroups: 4, group: 1 }); s.stream(bm, bn, ko, { workgroups: 4 }); }))).toMatch(/stay already/);
    expect(on({}, bound((s, { bm, bn, kk }) => s.stream(bm, bn, kk, { workgroups: 4 })))).toMatch(/a tile is not a register that is set to zero, ki, and one statement/);
    expect(why(() => scheduled(gemm(false), { tile: [128, 64], cluster: [2, 1], stream: { workgroups: 4 } }))).toMatch(/KD-S-STREAM .*a tile is not a register/);
  });
});

describe('the text of a product of halves', () => {
  it('is short for compilers: rounds of products are written once, two sums become a word, and two words are stored', () => {
    const { source } = emitGpu(lower(scheduled(halves, { tile: [128, 256], persistent: { workgroups: 132, group: 16 } }).ir, sm90), sm90);
    expect(source.match(/#pragma unroll 1\n *for \(int ko = .*\n *mbarrier_wait\(&full\[slot\], parity\);\n *wgmma_fence\(\);/g)).toHaveLength(1);
    expect(source.match(/#pragma unroll 1\n/g)).toHaveLength(1);
    expect(source).toMatch(/cvt\.rn\.bf16x2\.f32 %0, %1, %2;" : "=r"\(w\) : "f"\(high\), "f"\(low\)/);
    expect(source).toMatch(/const u32 tile_0 = bf16x2_from_f32\(acc\[pair \* 8 \+ h \* 2\], acc\[pair \* 8 \+ h \* 2 \+ 1\]\);/);
    expect(source).toMatch(/\*\(u32x2 \*\)&C\[.*\] = join_u32x2\(low, high\);/);
  });
  it('joins words of neighbouring lanes only where conditions say where rows and columns end', () => {
    const text = (all: (i: Val<'i64'>, j: Val<'i64'>) => Val<'bool'>): string => {
      const k: Gemm = kernel('some', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), C: tensor('bf16', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
        const ax = axes({ i: M, j: N, k: K });
        for (const i of ax.i) for (const j of ax.j) {
          const acc = reg('f32', 0, 'acc');
          for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
          when(all(i, j), () => C.at(i, j).set(acc.to('bf16')));
        }
        return ax;
      });
      return emitGpu(lower(scheduled(k, { tile: [128, 64] }).ir, sm90), sm90).source;
    };
    for (const all of [(i, j) => i.add(j).lt(90), (i, j) => i.lt(60).and(j.le(40)), (i) => i.mul(3).lt(90)] satisfies Parameters<typeof text>[0][]) expect(text(all)).toContain('join_u32x2(low, high)');
    for (const all of [(i, j) => i.le(j), (i) => i.gt(20), (_, j) => j.mod(2).eq(0)] satisfies Parameters<typeof text>[0][]) expect(text(all)).not.toContain('join_u32x2');
  });
});

describe.skipIf(!NVCC)(NVCC ? 'nvcc keeps it in registers' : 'nvcc is not on PATH: no CUDA was compiled', () => {
  it.each(spread([
    ['bf16, persistent', gemm(true), { persistent: { workgroups: 132, group: 16 } }, 'bf16'],
    ['bf16, clusters of two', gemm(false), { tile: [128, 256], cluster: [2, 1], persistent: { workgroups: 66, group: 8 } }, 'bf16'],
    ['bf16, four warpgroups', gemm(false), { tile: [256, 128], persistent: { workgroups: 132, group: 8 } }, 'bf16'],
    // One tile a workgroup: its sums begin at a constant right before the ring, which ptxas must not make part of the products.
    ['bf16, one tile', gemm(false), { tile: [128, 256] }, 'bf16'],
    ['int8, one tile', bytes, { tile: [256, 128] }, 'i8'],
    ['tf32', floats(tf32), { tile: [128, 256], persistent: { workgroups: 132, group: 8 } }, 'tf32'],
    ['bf16 with results of bf16', halves, { persistent: { workgroups: 132, group: 16 } }, 'bf16'],
    ['int8', bytes, { tile: [128, 256], persistent: { workgroups: 132, group: 8 } }, 'i8'],
  ] as const, 2))('%s', (_, k, o, dtype) => {
    const said = ptxas(emitGpu(lower(scheduled(k, o, dtype).ir, sm90), sm90).source);
    expect(said).toMatch(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/);
    expect(said).not.toMatch(/serialized|error|warning/i);
  });
});

describe('persistent workgroups', () => {
  it.each([[1, 1, 1, 1], [3, 5, 4, 2], [7, 2, 132, 8], [16, 9, 5, 4], [5, 4, 3, 16]])('take each of %d x %d tiles once, %d of them in bands of %d', (rows, cols, workgroups, group) => {
    const k = teams(scheduled(gemm(false), { tile: [128, 64], persistent: { workgroups, group } }).ir, sm90), lets: Extract<Stmt, { kind: 'let' }>[] = [];
    let turn: Extract<Stmt, { kind: 'for' }> | undefined, grid: Extract<Stmt, { kind: 'for' }> | undefined;
    visitStmt(k.body, (s) => {
      if (s.kind === 'for' && s.v.name === 'workgroup') grid = s;
      if (s.kind === 'for' && s.v.name === 'turn') { turn = s; return; }
      if (s.kind === 'let' && ['tile', 'band', 'rows', 'in_band', 'io', 'jo'].includes(s.v.name)) lets.push(s);
    });
    const last = lets.slice(-6), seen = new Set<string>();
    const evaluate = (e: Expr, vars: ReadonlyMap<number, number>): number => {
      const x = mapExpr(e, (y) => (y.kind === 'size' ? { kind: 'const', dtype: 'i64', lanes: 1, value: y.name === 'M' ? rows * 128 : cols * 64 } : y.kind === 'var' && vars.has(y.id) ? { kind: 'const', dtype: 'i64', lanes: 1, value: vars.get(y.id)! } : y));
      return isConst(x) ? x.value : NaN;
    };
    const count = evaluate(grid!.extent, new Map());
    for (let w = 0; w < count; w++) for (let t = 0, n = evaluate(turn!.extent, new Map([[grid!.v.id, w]])); t < n; t++) {
      const vars = new Map([[grid!.v.id, w], [turn!.v.id, t]]);
      for (const l of last) vars.set(l.v.id, evaluate(l.value, vars));
      seen.add(`${vars.get(last[4]!.v.id)} ${vars.get(last[5]!.v.id)}`);
      expect(vars.get(last[4]!.v.id)).toBeLessThan(rows);
      expect(vars.get(last[5]!.v.id)).toBeLessThan(cols);
    }
    expect(seen.size).toBe(rows * cols);
  });
});

describe('refused, with the reason', () => {
  const on = (f: (s: Schedule, ax: { i: Axis; j: Axis; k: Axis }) => void): (() => unknown) => () => schedule(gemm(false), sm90, f);

  it('copies of other shapes, at other places, or on other machines', () => {
    expect(why(on((s, { i }) => { const [o] = s.split(i, 64, { tail: 'pad' }); s.bulk('A', o); }))).toMatch(/KD-S-BOUND/);
    expect(why(on((s, { i, j, k }) => { s.reorder(i, j); const [ko] = s.split(k, 32, { tail: 'pad' }); s.bulk('A', ko); }))).toMatch(/KD-S-BULK .*rows of 32 elements have 64 bytes, not 128/);
    expect(why(() => schedule(gemm(false), target('opencl'), (s, { k }) => { const [ko] = s.split(k, 64); s.bulk('A', ko); }))).toMatch(/opencl .*tma/);
    expect(why(on((s, { k }) => s.bulk('X', k)))).toMatch(/tensor X/);
    expect(why(on((s, { k }) => { const [ko] = s.split(k, 64, { tail: 'pad' }); s.ring(ko, 4); }))).toMatch(/no bulk copy is in its body/);
  });

  it('registers that cannot become arrays', () => {
    expect(why(on((s, { i, j }) => s.expand('acc', i, j)))).toMatch(/KD-S-EXPAND .*the extent of i is no constant/);
    expect(why(on((s, { i, j }) => { const [, ii] = s.split(i, 64, { tail: 'pad' }); s.expand('acc', ii); void j; }))).toMatch(/acc is not made inside of them/);
    expect(why(on((s, { j }) => { const [, jj] = s.split(j, 64, { tail: 'pad' }); s.expand('sum', jj); }))).toMatch(/sum/);
  });

  it('loops that are no tiles for persistent workgroups', () => {
    expect(why(on((s, { i, j }) => s.persistent(i, j, { workgroups: 132, group: 8 })))).toMatch(/KD-S-PERSISTENT .*not bound to workgroups/);
    expect(why(on((s, { i, j }) => s.persistent(j, i, { workgroups: 132, group: 8 })))).toMatch(/not directly inside/);
  });

  it('products of float32 that say nothing of tf32', () => {
    expect(why(() => scheduled(floats((x) => x), {}, 'tf32'))).toMatch(/KD-S-TENSORIZE .*wgmma_m64n256k8_tf32/);
    expect(why(() => scheduled(floats(tf32), {}, 'bf16'))).toMatch(/KD-S-BULK/);
  });

  it('teams that do something else', () => {
    const only = (f: (s: Schedule, ax: { i: Axis; j: Axis; k: Axis }) => void): (() => unknown) => () => lower((on(f)() as ScheduledKernel).ir, sm90);
    expect(why(only((s, { i, j }) => { const [b, t] = s.split(i, 128, { tail: 'mask' }), [team] = s.split(t, 64); s.bind({ 'block.x': b, 'team.warpgroup': team }); void j; }))).toMatch(/KD-L-TEAM/);
    expect(() => wgmmaNamed('wgmma_m64n8k16_f64')).toThrow(/there are wgmma_m64n64k16_bf16/);
  });
});
