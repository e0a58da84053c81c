/** Programs of teams: the interpreter runs what was scheduled, nvcc compiles what it became, and what cannot be is refused. */
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { tf32, wgmmaNamed } from '../../src/instructions/index.ts';
import type { Expr, Stmt } from '../../src/ir/index.ts';
import { isConst, mapExpr, printKernel, visitStmt } from '../../src/ir/index.ts';
import { axes, kernel, reg, tensor } from '../../src/lang/index.ts';
import type { Axis, Kernel, Val } from '../../src/lang/index.ts';
import { hopperGemm } from '../../src/library/gpu/index.ts';
import type { HopperGemm } from '../../src/library/gpu/index.ts';
import { lower, teams } from '../../src/passes/index.ts';
import { f32ToBf16, interpret } from '../../src/run/index.ts';
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

describe.skipIf(!NVCC)(NVCC ? 'nvcc keeps it in registers' : 'nvcc is not on PATH: no CUDA was compiled', () => {
  it.each(spread([
    ['bf16, persistent', gemm(true), { persistent: { workgroups: 132, group: 16 } }, 'bf16'],
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
