/** What the benchmark for GPUs measures, as far as a machine without one can tell: each program is right, and machine code comes of it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interpret, lower, schedule, target, verify } from '@quern/kernel-dsl';
import { autoGrid, emitGpu, flashAttention, hopperAttention } from '@quern/kernel-dsl/gpu';
import type { Axes, Kernel, Schedule } from '@quern/kernel-dsl';
import type { FlashAttention } from '@quern/kernel-dsl/gpu';
import { f16ToF32 } from '@quern/runtime';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './snippets.ts';

interface Product { name: string; kernel: Kernel<Axes>; peer: string; dtype: string; reads?: string; out: string; sizes: (number | number[])[]; schedules: Record<string, (s: Schedule, ax: Axes) => void> }
const { products } = (await import(join(root, 'benchmarks/gpu/kernels.mjs'))) as { products: Product[] };

const dir = mkdtempSync(join(tmpdir(), 'quern-bench-'));
interface Stream { name: string; kernel: Kernel<Axes>; schedules: Record<string, ((s: Schedule, ax: Axes) => void) | undefined> }
const { streams, matvecs } = (await import(join(root, 'benchmarks/gpu/streams.mjs'))) as { streams: Stream[]; matvecs: { name: string; schedules: Record<string, { kernel: Kernel<Axes>; schedule: (s: Schedule, ax: Axes) => void }> } };
const { ahead, q4Words } = (await import(join(root, 'benchmarks/gpu/q4.mjs'))) as { q4Words: (rows: number, workgroups: number, pairs: number) => Kernel<Axes>; ahead: (stages: number) => (s: Schedule, ax: Axes) => void };
const { attentions } = (await import(join(root, 'benchmarks/gpu/attention.mjs'))) as { attentions: { name: string; dtype: 'bf16' | 'f16'; causal: boolean; H: number; S: number; D: 64 | 128; schedules: Record<string, Partial<FlashAttention>> }[] };
const { skinny } = (await import(join(root, 'benchmarks/gpu/skinny.mjs'))) as { skinny: { name: string; kernel: Kernel<Axes>; m: number; schedules: Record<string, (s: Schedule, ax: Axes) => void> }[] };
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const NVCC = spawnSync('nvcc', ['--version']).status === 0;
/** The wider tests make machine code of all; the others of the first schedule of each kind, but for two that teams.test.ts of kernel-dsl makes such code of. */
const WIDE = process.env['QUERN_GPU_ALL'] !== undefined;
const t = target('cuda-sm90a'), cases = products.flatMap((p) => Object.entries(p.schedules).map(([name, s], i) => ({ p, name, s, first: i === 0 })));

const inMachineCode = (source: string): string => {
  const file = join(dir, 'k.cu');
  writeFileSync(file, source);
  const { status, stdout, stderr } = spawnSync('nvcc', ['-cubin', ...t.cflags, '-Werror', 'all-warnings', '-Xptxas', '-v', '-o', `${file}.bin`, file], { encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
  return stdout + stderr;
};

describe('npm run bench -- gpu-streams', () => {
  const cases = [
    ...streams.flatMap((p) => Object.entries(p.schedules).map(([name, s]) => ({ p, name, s }))),
    ...Object.entries(matvecs.schedules).map(([name, { kernel, schedule: s }]) => ({ p: { name: matvecs.name, kernel }, name, s })),
  ];
  // The wider tests prove all; the others the schedule that is found, or the first, of each kernel.
  it.each(cases.filter((c, i) => WIDE || c.name === 'found' || (c.p.name === matvecs.name ? /ring of 2|64 lanes/.test(c.name) : c.p !== cases[i - 1]?.p)))('$p.name, $name: proved, and read in whole vectors or blocks', ({ p, s }) => {
    const scheduled = s ? schedule(p.kernel, t, s) : autoGrid(p.kernel, t);
    expect(verify(scheduled.ir).findings).toEqual([]);
    const { source } = emitGpu(lower(scheduled.ir, t), t);
    expect(scheduled.steps.length).toBeGreaterThan(3);
    if (p.name !== 'transpose' && p.name !== matvecs.name) expect(source).toMatch(/f32x4/);
    if (NVCC && WIDE) inMachineCode(source);
  }, 120_000);
});

describe('rows of 4-bit blocks as words', () => {
  it('give the products that the blocks say, whatever their scales', () => {
    const [rows, groups, pairs, RB] = [2, 2, 36, 3], NB = 2 * pairs, R = RB * rows, random = fc.sample(fc.nat(65535), { numRuns: R * NB * 9 + NB * 32, seed: 4 });
    // Scales and x are finite: an exponent of all ones becomes another one.
    const finite = (h: number): number => ((h & 0x7c00) === 0x7c00 ? h ^ 0x4000 : h), W = Uint16Array.from({ length: R * NB * 9 }, (_, i) => (i % 9 === 0 ? finite(random[i]!) : random[i]!)), x = Uint16Array.from({ length: NB * 32 }, (_, i) => finite(random[R * NB * 9 + i]!)), y = new Float32Array(R);
    const { ir } = schedule(q4Words(rows, groups, pairs), t, ahead(2));
    interpret(ir, { W: { data: new Uint32Array(W.buffer), shape: [RB, (R * NB * 9) / 2 / RB] }, x: { data: new Uint32Array(x.buffer), shape: [pairs, 32] }, y: { data: y, shape: [RB, rows] } });
    for (let r = 0; r < R; r++) {
      let sum = 0, size = 0;
      for (let b = 0; b < NB; b++) for (let e = 0; e < 32; e++) {
        const at = (r * NB + b) * 9, byte = (W[at + 1 + ((e & 15) >> 1)]! >> (8 * (e & 1))) & 255, z = f16ToF32(W[at]!) * (((byte >> (e < 16 ? 0 : 4)) & 15) - 8) * f16ToF32(x[b * 32 + e]!);
        sum += z;
        size += Math.abs(z);
      }
      expect(Math.abs(y[r]! - sum)).toBeLessThanOrEqual(size * 2e-6);
    }
  });
});

describe('npm run bench -- gpu-attention', () => {
  it.each(attentions.flatMap((p) => Object.entries(p.schedules).map(([name, cut]) => ({ p, name, cut }))))('$p.name $p.H x $p.S x $p.D, $name: proved, and emitted with the instructions of its type', ({ p, cut }) => {
    const o = { dtype: p.dtype, D: p.D, causal: p.causal, ...cut }, { ir } = schedule(flashAttention(o), t, (s, ax) => hopperAttention(s, ax, o));
    expect(verify(ir).findings).toEqual([]);
    expect(emitGpu(lower(ir, t), t).source).toContain(`wgmma.mma_async.sync.aligned.m64n${p.D}k16.f32.${p.dtype}.${p.dtype}`);
  });
  it('says in one line what it needs where there is no GPU', () => {
    const r = spawnSync(process.execPath, [join(root, 'benchmarks/gpu-attention.bench.mjs')], { encoding: 'utf8', env: { ...process.env, QUERN_CUDA_LIBRARY: join(dir, 'none.so') } });
    expect(r.stderr).toMatch(/^gpu-attention: needs an NVIDIA GPU of compute capability 9\.0 \(H100, H200\) and python3 with torch; here, .*none\.so.*\n$/);
    expect([r.status, r.stdout]).toEqual([2, '']);
  });
});

describe('npm run bench -- gpu-skinny', () => {
  const on80 = target('cuda-sm80'), all = skinny.flatMap((p) => Object.entries(p.schedules).map(([name, s], i) => ({ p, name, s, first: i === 0 })));
  it.each(all.filter((c) => WIDE || (c.first && c.p.m !== 64)))('$p.name of $p.m rows, $name: proved, and emitted with products of warps', ({ p, s }) => {
    const { ir } = schedule(p.kernel, on80, s);
    expect(verify(ir).findings).toEqual([]);
    const { source, plan } = emitGpu(lower(ir, on80), on80);
    expect(source).toContain('mma.sync.aligned.m16n8k16.row.col.f32.f16.f16');
    expect(plan.filter((x) => x.kind === 'launch')).toHaveLength(p.name === 'f16 in parts' ? 2 : 1);
    if (p.name === 'q4_0') expect(source).toContain('mul.rn.f16x2');
  }, 120_000);
  it('says in one line what it needs where there is no GPU', () => {
    const r = spawnSync(process.execPath, [join(root, 'benchmarks/gpu-skinny.bench.mjs')], { encoding: 'utf8', env: { ...process.env, QUERN_CUDA_LIBRARY: join(dir, 'none.so') } });
    expect(r.stderr).toMatch(/^gpu-skinny: needs an NVIDIA GPU of compute capability 8\.0 or later and python3 with torch; here, .*none\.so.*\n$/);
    expect([r.status, r.stdout]).toEqual([2, '']);
  });
});

describe('npm run bench -- gpu', () => {
  it('measures each kind at 2048, 4096 and 8192, but for odd shapes, f32, of which small ones say nothing new, f64, of which large ones do not, and older instructions at one size', () => {
    expect(products.map((p) => p.name)).toEqual(['bf16', 'bf16 of odd shapes', 'bf16 in parts of k', 'f16', 'tf32', 'int8', 'f64', 'bf16 by mma.sync', 'tf32 by mma.sync', 'int8 by mma.sync', 'tf32x3', 'tf32x3', 'f32']);
    const odd = products[1]!.sizes;
    for (const size of odd) expect(size).toHaveLength(3);
    for (const p of products) expect(p.sizes, p.name).toEqual(/ of | in /.test(p.name) ? odd : p.name === 'f32' ? [4096, 8192] : p.name === 'f64' ? [2048, 4096] : p.name.endsWith('mma.sync') ? [4096] : [2048, 4096, 8192]);
  });

  it.each(cases.filter((c) => WIDE || (c.first && c.p.name !== 'f32')))('$p.name, $name: proved, and emitted with the instructions of its type', ({ p, s }) => {
    const { ir } = schedule(p.kernel, t, s);
    expect(verify(ir).findings).toEqual([]);
    const { source } = emitGpu(lower(ir, t), t), [kind] = p.name.split(' '), older = p.name.includes(' by '), type = { bf16: 'f32.bf16.bf16', f16: 'f32.f16.f16', tf32: 'f32.tf32.tf32', tf32x3: 'f32.tf32.tf32', int8: 's32.s8.s8', f64: 'f64.f64.f64' }[kind!];
    if (type === undefined || older || kind === 'f64') expect(source).not.toContain('wgmma');
    if (older || kind === 'f64') expect(source).toMatch(new RegExp(`mma\\.sync\\.aligned\\.m16n8k\\d+\\.row\\.col\\.${type}`));
    else if (type !== undefined) expect(source).toMatch(new RegExp(`wgmma\\.mma_async\\.sync\\.aligned\\.m64n\\d+k\\d+\\.${type}`));
  });

  it.skipIf(!NVCC).each(cases.filter((c) => WIDE || (c.first && c.p.name === 'f16')))('$p.name, $name: nvcc makes machine code of it, and keeps it in registers', ({ p, s }) => {
    const said = inMachineCode(emitGpu(lower(schedule(p.kernel, t, s).ir, t), t).source);
    expect(said).toMatch(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/);
    expect(said).not.toMatch(/serialized|warning/i);
  }, 300_000);

  it('says in one line what it needs where there is no GPU', () => {
    // A library of drivers that does not exist stands for a machine without them.
    const r = spawnSync(process.execPath, [join(root, 'benchmarks/gpu.bench.mjs')], { encoding: 'utf8', env: { ...process.env, QUERN_CUDA_LIBRARY: join(dir, 'none.so') } });
    expect(r.stderr).toMatch(/^gpu: needs an NVIDIA GPU of compute capability 9\.0 \(H100, H200\) and python3 with torch; here, .*none\.so.*\n$/);
    expect([r.status, r.stdout]).toEqual([2, '']);
  });

  it('names the kinds there are', () => {
    const r = spawnSync(process.execPath, [join(root, 'benchmarks/gpu.bench.mjs'), '--only', 'fp4'], { encoding: 'utf8' });
    expect([r.status, r.stderr]).toEqual([2, 'gpu: --only takes one of bf16, bf16 of odd shapes, bf16 in parts of k, f16, tf32, int8, f64, bf16 by mma.sync, tf32 by mma.sync, int8 by mma.sync, tf32x3, f32\n']);
  });
});
