/** Products on tensor cores by warps: the interpreter runs what was scheduled, nvcc compiles what it became for all architectures, and what cannot be is refused. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { mmaNamed } from '../../src/instructions/index.ts';
import { printKernel, specViolation, visitStmt } from '../../src/ir/index.ts';
import type { Stmt } from '../../src/ir/index.ts';
import type { TensorGemm } from '../../src/library/gpu/index.ts';
import { axes, kernel, tensor } from '../../src/lang/index.ts';
import { lower, warps } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { NVCC, launchesOf } from './harness.ts';
import { q4Args, q4Gemm, scheduledQ4 } from './tensor-q4.ts';
import { FORMS, batched, batchedArgs, gemmArgs, gemmOf, parted, partedArgs, scheduledBatched, scheduledGemm, scheduledParted, tensorCases } from './tensor-cases.ts';
import type { Gemm, GemmForm } from './tensor-cases.ts';
import { why } from '../errors/refusal.ts';

const sm80 = target('cuda-sm80'), bf16: GemmForm = { dtype: 'bf16', out: 'bf16' }, f16: GemmForm = { dtype: 'f16', out: 'f32' };
const emitted = (f: GemmForm, isa: string, o: TensorGemm = {}, aligned = true): string => { const t = target(isa); return emitGpu(lower(scheduledGemm(gemmOf(f), f, t, o).ir, t), t, { aligned }).source; };

describe('a scheduled product of warps', () => {
  it.each(spread(FORMS.flatMap((f) => ([[70, 72, 40], [3, 5, 129], [0, 4, 4], [2, 3, 0]] as const).map((s) => ({ f, s, name: `${f.dtype} ${s.join(' x ')}` }))), 5))('computes what the algorithm says, bit for bit: $name', ({ f, s: [M, N, K] }) => {
    const k = gemmOf(f, true), s = scheduledGemm(k, f, sm80, { tile: [64, 64], warp: [32, 32] }), want = gemmArgs(f, M, N, K), got = gemmArgs(f, M, N, K);
    interpret(k.ir, want);
    interpret(s.ir, got);
    expect(got.C.data).toEqual(want.C.data); // small whole numbers: sums are exact in any order
    if (M * N > 1000) expect(new Set<number | bigint>(got.C.data).size).toBeGreaterThan(20);
  });

  it.each(FORMS)('is proved: bounds, races and writes: $dtype to $out', (f) => {
    expect(verify(scheduledGemm(gemmOf(f, true), f, sm80, {}).ir).findings).toEqual([]);
  });

  it('takes products of their own, one for each iteration of a loop around them', () => {
    const s = scheduledBatched(sm80), want = batchedArgs(2, 17, 66, 40), got = batchedArgs(2, 17, 66, 40);
    interpret(batched.ir, want);
    interpret(s.ir, got);
    expect(got.C.data).toEqual(want.C.data);
    expect(verify(s.ir).findings).toEqual([]);
  });
  it('keeps workgroups for the tiles of each of these products', () => {
    const k = lower(scheduledBatched(sm80, { persistent: { workgroups: 3, group: 2 } }).ir, sm80), plan = emitGpu(k, sm80), want = batchedArgs(2, 65, 66, 40);
    const grids = launchesOf(plan, k, want).map((l) => l.global.map((n, d) => n / l.local[d]!));
    expect(grids).toEqual([[3, 1, 2]]); // of 3 x 2 tiles, twice
  });
  it('takes parts of k, which a second launch adds up in order', () => {
    const s = scheduledParted(sm80), want = partedArgs(5, 66, 300), got = partedArgs(5, 66, 300);
    interpret(parted.ir, want);
    interpret(s.ir, got);
    expect(got.C.data).toEqual(want.C.data);
    expect(verify(s.ir).findings).toEqual([]);
    expect(emitGpu(lower(s.ir, sm80), sm80).plan.filter((x) => x.kind === 'launch')).toHaveLength(2);
  });

  it('takes weights of 4 bits, in blocks as they are', () => {
    const s = scheduledQ4(sm80, { tile: [32, 64], warp: [16, 32] }), want = q4Args(5, 66, 128), got = q4Args(5, 66, 128);
    interpret(q4Gemm.ir, want);
    interpret(s.ir, got);
    expect(got.C.data).toEqual(want.C.data);
    expect(new Set<number | bigint>(got.C.data).size).toBeGreaterThan(100);
    expect(verify(s.ir).findings).toEqual([]);
    expect(printKernel(s.ir)).toContain('shared W_shared: u8[64, 36]');
  });

  it('says in its text what runs where', () => {
    const text = printKernel(scheduledGemm(gemmOf(bf16), bf16, sm80, { persistent: { workgroups: 108, group: 8 } }).ir);
    for (const part of ['by 108 workgroups in bands of 8', 'ring of 3', 'instruction copy_tile', 'team.warp.y', 'team.warp.x', 'instruction mma_m64n64k16_bf16']) expect(text).toContain(part);
  });

  it('lowers to lanes: the cases that GPUs run (half of them, unless QUERN_FULL) are programs of the last phase', () => {
    const all = tensorCases(target('cuda-sm90a'));
    expect(all.length).toBeGreaterThan(12);
    for (const c of spread(all, Math.ceil(all.length / 2))) expect(specViolation(c.k, 'lowered-gpu')).toBeUndefined();
    expect(tensorCases(target('opencl'))).toEqual([]);
  });
});

/** The functions that a lowered program calls, in order, barriers among them, and how often each stands in the loop over k. */
function callsInLoop(f: GemmForm, isa: string, o: TensorGemm): readonly string[] {
  const t = target(isa), k = warps(scheduledGemm(gemmOf(f), f, t, o).ir, t), out: string[] = [];
  visitStmt(k.body, (s: Stmt) => {
    if (s.kind !== 'for' || s.v.name !== 'ko') return;
    visitStmt(s.body, (x) => { if (x.kind === 'call') out.push(x.fn.name); else if (x.kind === 'barrier') out.push('barrier'); });
    return false;
  });
  return out;
}

describe('a ring of tiles that lanes copy', () => {
  it('waits once a round, and brings factors while the product before them runs', () => {
    expect(callsInLoop(bf16, 'cuda-sm80', { tile: [32, 64], warp: [32, 32], stages: 4 })).toEqual([
      'factors_m32n32k16_bf16', 'copy_chunk', 'copy_chunk', 'mma_m32n32k16_bf16', 'factors_m32n32k16_bf16', 'copy_chunk', 'copy_chunk', 'mma_m32n32k16_bf16',
      'factors_m32n32k16_bf16', 'copy_chunk', 'copy_chunk', 'mma_m32n32k16_bf16', 'copy_chunk', 'copy_chunk', 'copies_commit', 'copies_wait_2', 'barrier', 'factors_m32n32k16_bf16', 'mma_m32n32k16_bf16',
    ]);
  });
  it('is copied through registers where copies are not asynchronous', () => {
    const calls = callsInLoop(f16, 'cuda-sm75', { tile: [32, 32], warp: [32, 32] });
    expect(calls.filter((c) => c === 'barrier')).toHaveLength(1);
    expect(calls.slice(0, 2)).toEqual(['fetch_chunk', 'fetch_chunk']);
    expect(calls.slice(-3)).toEqual(['store_chunk', 'store_chunk', 'barrier']);
  });
  it('of one tile brings it where the copy stands, between two barriers', () => {
    expect(callsInLoop(bf16, 'cuda-sm80', { tile: [32, 32], warp: [32, 32], stages: 1 }).slice(0, 6)).toEqual(['barrier', 'copy_chunk', 'copy_chunk', 'copies_commit', 'copies_wait_0', 'barrier']);
  });
  it('asks for whole chunks of tensors, or copies element by element', () => {
    const t = sm80, k = lower(scheduledGemm(gemmOf(bf16), bf16, t).ir, t), m = emitGpu(k, t);
    expect(m.alignment).toEqual(expect.arrayContaining([{ param: 'A', elements: 8, dims: [0], whole: true }, { param: 'B', elements: 8, dims: [0], whole: true }]));
    expect(m.source).toContain('cp.async.cg.shared.global');
    const open = emitGpu(k, t, { aligned: false });
    expect(open.alignment).toEqual([]);
    expect(open.source).toContain('copy_elements_2');
    expect(open.source).not.toContain('cp.async.cg');
  });
});

/** Compiles a module; what ptxas says, and the PTX. */
function compile(source: string, isa: string): { readonly said: string; readonly ptx: string } {
  const dir = mkdtempSync(join(tmpdir(), 'quern-warps-')), file = join(dir, 'k.cu'), flags = target(isa).cflags.join(' ');
  writeFileSync(file, source);
  const said = execFileSync('sh', ['-c', `nvcc ${flags} -Werror all-warnings -Xptxas -v -cubin --keep --keep-dir ${dir} -o ${join(dir, 'k.cubin')} ${file} 2>&1`], { encoding: 'utf8' });
  return { said, ptx: readFileSync(join(dir, 'k.ptx'), 'utf8') };
}
const PRODUCT: Readonly<Record<string, RegExp>> = {
  'f16 cuda-sm75': /m16n8k8\.row\.col\.f32\.f16/, 'i8 cuda-sm75': /m8n8k16\.row\.col\.s32\.s8/, 'f16 cuda-sm80': /m16n8k16\.row\.col\.f32\.f16/, 'bf16 cuda-sm80': /m16n8k16\.row\.col\.f32\.bf16/, 'tf32 cuda-sm80': /m16n8k8\.row\.col\.f32\.tf32/,
  'i8 cuda-sm80': /m16n8k32\.row\.col\.s32\.s8/, 'f64 cuda-sm80': /m8n8k4\.row\.col\.f64/, 'bf16 cuda-sm90a': /m16n8k16\.row\.col\.f32\.bf16/, 'f64 cuda-sm90a': /m16n8k8\.row\.col\.f64/,
};

describe.skipIf(!NVCC)(NVCC ? 'nvcc keeps it in registers, with the instructions of the architecture' : 'nvcc is not on PATH: no CUDA was compiled', () => {
  it.each(spread(Object.entries(PRODUCT), 2))('%s', (name, product) => {
    const [dtype, isa] = name.split(' ') as [GemmForm['dtype'], string], f = FORMS.findLast((x) => x.dtype === dtype)!, { said, ptx } = compile(emitted(f, isa, dtype === 'f64' ? { tile: [128, 64], warp: [32, 32] } : {}), isa);
    expect(said).toMatch(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/);
    expect(ptx).toMatch(product);
    if (dtype !== 'f64') expect(ptx).toContain('ldmatrix.sync.aligned.m8n8.x4');
    if (isa === 'cuda-sm75') expect(ptx).not.toContain('cp.async'); else expect(ptx).toContain('cp.async.cg');
    expect(ptx).not.toMatch(/(ld|st)\.local/);
  });
  it('weights of 4 bits become f16 in registers: no shared memory is written but by copies', () => {
    const t = sm80, { said, ptx } = compile(emitGpu(lower(scheduledQ4(t, {}).ir, t), t).source, 'cuda-sm80');
    expect(said).toMatch(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/);
    expect(ptx).toContain('cp.async.ca.shared.global');
    expect(ptx).toContain('mul.rn.f16x2');
    expect(ptx).not.toMatch(/st\.shared/);
  });
  it('without asynchronous copies where addresses are no multiples of 16 bytes', () => {
    expect(compile(emitted(bf16, 'cuda-sm80', { tile: [64, 64], warp: [32, 32] }, false), 'cuda-sm80').said).toMatch(/ 0 bytes spill stores/);
  });
});

describe('refused, with the reason', () => {
  const on = (k: Gemm, isa: string, f: (s: Schedule, ax: { i: Gemm['axes']['i']; j: Gemm['axes']['j']; k: Gemm['axes']['k'] }) => void) => () => { const t = target(isa); return lower(schedule(k, t, f).ir, t); };

  it('targets without the instructions', () => {
    expect(why(() => scheduledGemm(gemmOf(bf16), bf16, target('cuda-sm75')))).toMatch(/KD-S-NEEDS .*cuda-sm75 .*mma_bf16/);
    expect(why(() => scheduledGemm(gemmOf(bf16), bf16, target('opencl')))).toMatch(/KD-S-NEEDS .*opencl has no tma or ldmatrix/);
  });
  it('products that there are not', () => {
    expect(() => mmaNamed('mma_m64n64k16_f32')).toThrow(/followed by k16_f16, k16_bf16/);
    expect(() => mmaNamed('mma_m24n64k16_f16')).toThrow(/no instruction mma_m24n64k16_f16/);
    expect(() => mmaNamed('mma_m256n256k16_f16')).toThrow(/a lane can hold them/);
    expect(mmaNamed('mma_m64n64k16_f16')).toBe(mmaNamed('mma_m64n64k16_f16'));
  });
  it('products of float32 that say nothing of tf32', () => {
    expect(why(() => scheduledGemm(gemmOf(f16), { dtype: 'bf16', out: 'f32' }, sm80))).toMatch(/KD-S-TENSORIZE .*mma_m64n64k16_bf16/);
  });
  it('warps outside of workgroups, too many of them, and work that is neither a product nor a walk over registers', () => {
    expect(why(on(gemmOf(bf16), 'cuda-sm80', (s, { i }) => { const [, t] = s.split(i, 64, { tail: 'mask' }); s.bind({ 'team.warp.x': t }); }))).toMatch(/KD-L-TEAM .*warps outside of any workgroup/);
    expect(why(on(gemmOf(bf16), 'cuda-sm80', (s, { i }) => { const [b, t] = s.split(i, 64, { tail: 'mask' }); s.bind({ 'block.x': b, 'team.warp.x': t }); }))).toMatch(/KD-L-TEAM .*64 warps are too many/);
    expect(why(on(gemmOf(bf16), 'cuda-sm80', (s, { i }) => { const [b, t] = s.split(i, 8, { tail: 'mask' }); s.bind({ 'block.x': b, 'team.warp.x': t }); }))).toMatch(/KD-L-TEAM/);
    expect(why(() => lower(schedule(batched, sm80, (s, { b, i }) => { const [o, t] = s.split(i, 16, { tail: 'mask' }); s.bind({ 'block.y': b, 'block.x': o, 'team.warp.x': t }); s.split(b, 2); }).ir, sm80))).toMatch(/KD-L-TEAM .*the workgroups at io are not directly inside of those at bo/);
    expect(why(on(gemmOf(bf16), 'opencl', (s, { i }) => { const [b, t] = s.split(i, 8, { tail: 'mask' }); s.bind({ 'block.x': b, 'team.warp.x': t }); }))).toMatch(/KD-L-TEAM .*opencl has no products of warps/);
  });
  it('blocks of bytes for warpgroups, whose copy engine takes rows of 128 bytes', () => {
    const t = target('cuda-sm90a'), s = schedule(q4Gemm, t, (x, ax) => {
      const [bm, im] = x.split(ax.i, 64, { tail: 'pad' }), [bn, jm] = x.split(ax.j, 64, { tail: 'pad' }), [team, row] = x.split(im, 64);
      x.reorder(bm, bn, team, row, jm);
      x.bind({ 'block.y': bm, 'block.x': bn });
      x.expand('acc', team, row, jm);
      x.reorder(ax.tile, team, ax.block, row, jm, ax.half, ax.e);
      x.bind({ 'team.warpgroup': team });
      x.bulk('W', ax.tile);
      x.bulk('X', ax.tile);
      x.ring(ax.tile, 2);
    });
    expect(why(() => lower(s.ir, t))).toMatch(/KD-L-TEAM .*rows of W_shared are not of 128 bytes/);
  });
  it('values of bytes that reach beyond their block', () => {
    const k = kernel('reach', { W: tensor('u8', 'N', 'R'), y: tensor('f32', 'N').inout() }, ({ W, y, R }) => {
      const ax = axes({ t: R.div(4), j: 64, e: 4 });
      for (const t of ax.t) for (const j of ax.j) for (const e of ax.e) y.at(j).addAssign(W.at(j, t.mul(4).add(e)).to('f32').mul(W.as('f32', j, t.mul(4).add(2))));
      return ax;
    });
    expect(why(() => schedule(k, sm80, (s, { t }) => s.bulk('W', t)))).toMatch(/KD-S-BULK .*values of f32 in it go beyond its columns/);
  });
  it('bulk copies that no product reads, and those outside of programs of teams', () => {
    const tiles = (s: Schedule, { i, j, k }: { i: Gemm['axes']['i']; j: Gemm['axes']['j']; k: Gemm['axes']['k'] }, bound: boolean): void => {
      const [bm, im] = s.split(i, 64, { tail: 'pad' }), [bn, jm] = s.split(j, 64, { tail: 'pad' }), [wy, row] = s.split(im, 32);
      s.reorder(bm, bn, wy, row, jm);
      s.bind({ 'block.y': bm, 'block.x': bn });
      s.expand('acc', wy, row, jm);
      const [ko, ki] = s.split(k, 64, { tail: 'pad' });
      s.reorder(ko, wy, row, jm, ki);
      if (bound) s.bind({ 'team.warp.y': wy });
      s.bulk('A', ko);
      s.bulk('B', ko);
    };
    expect(why(on(gemmOf(bf16), 'cuda-sm80', (s, ax) => tiles(s, ax, true)))).toMatch(/KD-L-TEAM .*no product reads B_shared/);
    expect(why(on(gemmOf(bf16), 'cuda-sm80', (s, ax) => tiles(s, ax, false)))).toMatch(/KD-L-TEAM .*a bulk copy outside of a program of teams/);
  });
});
