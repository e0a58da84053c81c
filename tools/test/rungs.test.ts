/** The rungs of examples/gpu-gemm: each is proved, emitted with what it is about, and computes the product, as far as a machine without its GPU can tell. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { conform, conformOn } from '@quern/conformance';
import type { ArgHint } from '@quern/conformance';
import { interpret, lower, schedule, target, verify } from '@quern/kernel-dsl';
import { emitGpu, flashAttention } from '@quern/kernel-dsl/gpu';
import type { Axes, InterpretArg, Kernel, Schedule } from '@quern/kernel-dsl';
import { device, listDevices } from '@quern/runtime';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { document, root } from './snippets.ts';
import { FULL, spread } from './spread.ts';

interface Rung { algorithm: Kernel<Axes>; gpu: (s: Schedule, ax: Axes) => void; isa?: string; sample: () => Record<string, InterpretArg> }
const folder = join(root, 'examples/gpu-gemm'), files = readdirSync(folder).filter((f) => /^\d/.test(f)).sort();
const rung = async (file: string): Promise<Rung> => (await import(pathToFileURL(join(folder, file)).href)) as Rung;
/** What the text of each must hold. */
const SIGNS: Readonly<Record<string, readonly RegExp[]>> = {
  '1-lanes.ts': [/threadIdx\.y/], '2-shared.ts': [/__shared__/, /__syncthreads\(\)/], '3-registers.ts': [/A_shared_next/, /acc_1_3_3_3/], '4-tensor-cores.ts': [/mma\.sync/, /ldmatrix/],
  '5-stages.ts': [/mma\.sync/, /cp\.async\.wait_group 1/], '6-copy-engine.ts': [/wgmma\.mma_async/, /cp\.async\.bulk\.tensor/, /mbarrier/], '7-persistent.ts': [/wgmma/, /setmaxnreg|gridDim/], '8-epilogue.ts': [/wgmma/, /bias/], '9-float32.ts': [/wgmma_m64n128k8_tf32\(part/, /A_rest_map/],
};
const SAMPLED = spread(files, 3, 1);
const NVCC = spawnSync('nvcc', ['--version']).status === 0, dir = mkdtempSync(join(tmpdir(), 'quern-rungs-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
/** The wider tests make machine code of every rung for every architecture that has its instructions; the others of those that no other test does. */
const WIDE = process.env['QUERN_GPU_ALL'] !== undefined || FULL;
const architectures = (file: string, isa: string | undefined): readonly string[] => (isa ? (WIDE ? [isa] : []) : /^[45]/.test(file) ? (WIDE ? ['cuda-sm80', 'cuda-sm90a'] : ['cuda-sm80']) : WIDE ? ['cuda-sm75', 'cuda-sm80', 'cuda-sm90a'] : /^3/.test(file) ? [] : ['cuda-sm75']);
const opencl = (await listDevices()).devices.find((d) => d.kind === 'opencl');

describe.each(files)('examples/gpu-gemm/%s', (file) => {
  it('is proved, and does what its comment says', async () => {
    const { algorithm, gpu, isa } = await rung(file), t = target(isa ?? 'cuda-sm80'), s = schedule(algorithm, t, gpu);
    if (SAMPLED.includes(file)) expect(verify(s.ir).findings.map((f) => f.message)).toEqual([]); // all in the wider tests
    const { source } = emitGpu(lower(s.ir, t), t);
    for (const sign of SIGNS[file]!) expect(source).toMatch(sign);
  });

  // Three of them; all in the wider tests.
  if (SAMPLED.includes(file)) it('computes its sample: the scheduled program as the algorithm', async () => {
    const { algorithm, gpu, isa, sample } = await rung(file), s = schedule(algorithm, target(isa ?? 'cuda-sm80'), gpu), want = sample(), got = sample();
    interpret(algorithm.ir, want);
    interpret(s.ir, got);
    const data = (x: InterpretArg | undefined): readonly number[] => Array.from((x as { data: Float32Array | Uint16Array }).data);
    expect(data(got['C'])).toEqual(data(want['C']));
    expect(new Set(data(got['C'])).size).toBeGreaterThan(20);
  }, 120_000);

  it.skipIf(!NVCC)('is machine code that spills no register', async () => {
    const { algorithm, gpu, isa } = await rung(file), path = join(dir, 'k.cu');
    for (const on of architectures(file, isa)) {
      const t = target(on);
      writeFileSync(path, emitGpu(lower(schedule(algorithm, t, gpu).ir, t), t).source);
      const { status, stdout, stderr } = spawnSync('nvcc', ['-cubin', ...t.cflags, '-Werror', 'all-warnings', '-Xptxas', '-v', '-o', `${path}.bin`, path], { encoding: 'utf8' });
      expect(status, stdout + stderr).toBe(0);
      expect(stdout + stderr, on).toContain(' 0 bytes spill stores, 0 bytes spill loads');
    }
  }, 300_000);

  it.skipIf(!opencl || /^[3-9]/.test(file))('runs on a GPU', async () => {
    const { algorithm, gpu } = await rung(file);
    await conformOn(await device(opencl!.id, { fallback: 'none' }), algorithm, { gpu, runs: 2, work: 3000, interpret: false, checked: FULL });
  }, 120_000);
});

describe('flashAttention without its schedule', () => {
  // Values up to 2, so that results are too: weights are rounded once (2^-11 of each), and a result once.
  const near: ArgHint = fc.double({ min: -2, max: 2, noNaN: true }), o = { sizes: { H: { min: 1, max: 3 }, G: { min: 1, max: 1 }, S: { min: 1, max: 12 }, T: { min: 12, max: 16 } }, args: { Q: near, K: near, V: near, scale: fc.constant(0.125) }, bound: () => 2 ** -8, runs: 3, work: 2000 };
  const k = flashAttention({ dtype: 'f16', D: 64, causal: true });
  it('runs on the CPU', () => {
    expect(conform(k, { ...o, targets: [target('x86-64-v3')], backends: ['c'] }).backends.some((b) => b.exact + b.bounded > 500)).toBe(true);
  }, 120_000);
  it.skipIf(!opencl)('runs on a GPU, on the schedule that is found', async () => {
    const r = await conformOn(await device(opencl!.id, { fallback: 'none' }), k, { ...o, interpret: false, checked: false });
    expect(r.backends.find((b) => b.backend === 'device')!.bounded).toBeGreaterThan(500);
  }, 120_000);
});

/** What docs/gpu.md shows of the runs: a line for each row of the files. */
describe('docs/gpu.md', () => {
  const results = (kind: string, gpu = 'h100-80gb-hbm3'): { rows: { kind: string; schedule: string; n: number; ratio: number; oursMs: number[]; oursGBs: number[] }[] } => JSON.parse(document(`benchmarks/results/2026-11-28-nvidia-${gpu}-${kind}.json`)) as never;
  const median = (x: readonly number[]): number => [...x].sort((a, b) => a - b)[x.length >> 1]!;
  /** The files of that run's rows: rungs 4, 5 and 9 of today came later. */
  const FILES = files.filter((f) => !/^[459]/.test(f));
  const WHAT = ['a lane for each element', 'tiles in shared memory', 'tiles in registers, fetched ahead', 'tensor cores fed by the copy engine, through a ring', 'workgroups that stay', 'scale, bias and relu in registers'];
  it('shows the rungs as they were measured', () => {
    const rows = results('rungs').rows, lines = rows.map((r, i) => `| [${FILES[i]![0]}](../examples/gpu-gemm/${FILES[i]!}) | ${WHAT[i]!} | ${i < 3 ? 'f32' : 'bf16'} | ${((2 * r.n ** 3) / median(r.oursMs) / 1e9).toFixed(0)} | ${r.ratio.toFixed(2)} |`);
    expect(document('docs/gpu.md')).toContain(`| Rung | What is new | Factors | TFLOP/s | Of cuBLAS |\n|---|---|---|---|---|\n${lines.join('\n')}\n`);
  });
  it('shows attention as it was measured', () => {
    const rows = results('attention', 'h200').rows as unknown as { kind: string; H: number; S: number; D: number; schedule: string; oursMs: number[]; ofFlash: number; ofCudnn: number }[];
    const work = (r: (typeof rows)[number]): number => (4 * r.H * r.S ** 2 * r.D) / (r.kind.includes('causal') ? 2 : 1);
    const lines = rows.map((r) => `| ${r.kind} | ${r.H} x ${r.S} x ${r.D} | ${r.schedule} | ${(work(r) / median(r.oursMs) / 1e9).toFixed(0)} | ${r.ofFlash.toFixed(2)} | ${r.ofCudnn.toFixed(2)} |`);
    expect(document('docs/gpu.md')).toContain(`| Attention | Heads x S x D | Schedule | TFLOP/s | Of FlashAttention 2 | Of cuDNN |\n|---|---|---|---|---|---|\n${lines.join('\n')}\n`);
  });
  it('shows products by warps as they were measured, the best schedule of each', () => {
    const best = new Map<string, { ours: string; ratio: number }>();
    for (const [, kind, ours, ratio] of document('benchmarks/results/2026-11-28-nvidia-h100-80gb-hbm3-mma.txt').matchAll(/^(\w+) +4096 +ours +(\d+) +cuBLAS +\d+ +ratio (\S+)/gm)) {
      if (Number(ratio) > (best.get(kind!)?.ratio ?? 0)) best.set(kind!, { ours: ours!, ratio: Number(ratio) });
    }
    expect(document('docs/gpu.md')).toContain(`| Factors | TFLOP/s | Of cuBLAS |\n|---|---|---|\n${[...best].map(([kind, b]) => `| ${kind} | ${b.ours} | ${b.ratio.toFixed(2)} |`).join('\n')}\n`);
  });
  it('shows f64 and int8 as they were measured on an H200, the best schedule of each', () => {
    const lines = ['f64', 'int8'].map((kind) => { const r = results(`gemm-${kind}`, 'h200').rows.filter((x) => x.kind === kind).reduce((a, b) => (b.ratio > a.ratio ? b : a)); return `| ${kind} | ${r.schedule} | ${((2 * r.n ** 3) / median(r.oursMs) / 1e9).toFixed(0)} | ${r.ratio.toFixed(2)} |`; });
    expect(document('docs/gpu.md')).toContain(`| Factors | Schedule | TFLOP/s | Of cuBLAS |\n|---|---|---|---|\n${lines.join('\n')}\n`);
  });
  it('shows the product in f32 by way of each driver as it was measured, the best schedule of each', () => {
    const [, ...parts] = document('benchmarks/results/2026-11-28-nvidia-h200-devices-f32.txt').split('\nWith cuBLAS')[0]!.split(/\n(?=(?:CUDA|OpenCL|WebGPU)\n)/), best = parts.map((part) => {
      const of = [...part.matchAll(/^ {2}(\S.*?) {2,}([\d. ]+)$/gm)].map((m) => ({ name: m[1]!, rate: median(m[2]!.trim().split(' ').map(Number)) }));
      return { by: part.split('\n')[0]!, ...of.reduce((a, b) => (b.rate > a.rate ? b : a)) };
    });
    expect(document('docs/gpu.md')).toContain(`| By way of | Schedule | TFLOP/s | Of CUDA |\n|---|---|---|---|\n${best.map((b) => `| ${b.by} | ${b.name} | ${b.rate.toFixed(0)} | ${(b.rate / best[0]!.rate).toFixed(2)} |`).join('\n')}\n`);
  });
  it('shows clusters and streamed tiles as they were measured, the best schedule of each form', () => {
    const { rows } = JSON.parse(document('benchmarks/results/2026-11-28-nvidia-h200-gemm-shapes.json')) as { rows: { kind: string; schedule: string; m: number; n: number; k: number; ratio: number; oursMs: number[] }[] };
    const best = (of: typeof rows): (typeof rows)[number] => of.reduce((a, b) => (b.ratio > a.ratio ? b : a)), shape = (r: (typeof rows)[number]): string => `${r.m} x ${r.n} x ${r.k}`, odd = rows.filter((r) => r.m);
    const lines = [...new Set(odd.map(shape))].map((x) => {
      const of = odd.filter((r) => shape(r) === x), forms = [of.filter((r) => / odd /.test(r.kind) && !r.schedule.endsWith('streamed')), of.filter((r) => / in /.test(r.kind)), of.filter((r) => r.schedule.endsWith('streamed'))].map(best);
      return `| ${x} | ${forms.map((r) => ((2 * r.m * r.n * r.k) / median(r.oursMs) / 1e9).toFixed(0)).join(' | ')} | ${best(forms).ratio.toFixed(2)} |`;
    });
    expect(document('docs/gpu.md')).toContain(`| m x n x k | A tile for each | In parts of k | Streamed | Best, of cuBLAS |\n|---|---|---|---|---|\n${lines.join('\n')}\n`);
    const square = (n: number, clusters: boolean): string => best(rows.filter((r) => r.kind === 'bf16' && r.n === n && r.schedule.includes('clusters') === clusters)).ratio.toFixed(2);
    expect(document('docs/gpu.md')).toContain(`${[2048, 4096, 8192].map((n) => `${square(n, true)} and ${square(n, false)} at ${n}`).join(', ')} on an H200`);
  });
  it('shows float32 on tensor cores as it was measured, the best schedule of each, and its errors', () => {
    const text = document('benchmarks/results/2026-11-28-nvidia-h200-f32.txt'), best = new Map<string, { line: string; ratio: number }>();
    for (const [, n, ours, ratio, what, schedule_] of text.matchAll(/^tf32x3 +(\d+) +ours +(\d+) +cuBLAS +\d+ +ratio (\S+) +(A Bᵀ?), (.+)$/gm)) {
      if (Number(ratio) > (best.get(`${what} ${n}`)?.ratio ?? 0)) best.set(`${what} ${n}`, { line: `| ${what} | ${n} | ${schedule_} | ${ours} | ${Number(ratio).toFixed(2)} |`, ratio: Number(ratio) });
    }
    expect(best.size).toBe(6);
    expect(document('docs/gpu.md')).toContain(`| Product | n | Schedule | TFLOP/s | Of cuBLAS |\n|---|---|---|---|---|\n${[...best.values()].map((b) => b.line).join('\n')}\n`);
    const errors = [...text.matchAll(/^tf32x3 +(\d+) +errors of (\w+), .*: ours (\S+) (\S+) +cuBLAS (\S+) (\S+) +A B, /gm)].map((m) => `| ${m.slice(1).join(' | ')} |`);
    expect(document('docs/gpu.md')).toContain(`| n | Data | Ours, largest | rms | cuBLAS, largest | rms |\n|---|---|---|---|---|---|\n${errors.join('\n')}\n`);
  });
  it('shows how long products take to be ready as it was measured', () => {
    const text = document('benchmarks/results/2026-11-28-nvidia-h200-ready.txt'), cached = new Map([...text.matchAll(/^a product of (.+), hit: .* (\S+) ms to compile or load$/gm)].map((m) => [m[1]!, m[2]!]));
    const lines = [...text.matchAll(/^a product of (.+), miss: (\S+) ms to trace, schedule and emit, (\S+) ms to compile or load$/gm)].map(([, of, made, compiled]) => `| ${of!} | ${Number(made).toFixed(0)} | ${Number(compiled).toFixed(0)} | ${cached.get(of!)!} |`);
    expect(lines).toHaveLength(8);
    expect(document('docs/gpu.md')).toContain(`| Product | To CUDA | NVRTC | From the cache |\n|---|---|---|---|\n${lines.join('\n')}\n`);
  });
  it('shows the streams as they were measured, the best schedule of each', () => {
    const best = new Map<string, { kind: string; schedule: string; ratio: number; oursGBs: number[] }>();
    for (const r of results('streams', 'h200').rows) if (r.ratio > (best.get(r.kind)?.ratio ?? 0)) best.set(r.kind, r);
    const lines = [...best.values()].map((r) => `| ${r.kind} | ${r.schedule} | ${median(r.oursGBs).toFixed(0)} | ${r.ratio.toFixed(2)} |`);
    expect(document('docs/gpu.md')).toContain(`| Work | Schedule | GB/s | Of the peer's bandwidth |\n|---|---|---|---|\n${lines.join('\n')}\n`);
  });
  it('shows OpenCL and WebGPU as they were measured, the best schedule of each work', () => {
    const best = (rows: Iterable<readonly [string, number]>): Map<string, number> => { const out = new Map<string, number>(); for (const [k, x] of rows) out.set(k, Math.max(x, out.get(k) ?? 0)); return out; };
    const text = document('benchmarks/results/2026-11-28-nvidia-h200-devices.txt').split('== Q4_0 x f16 of 4096')[0]!, [, opencl_, webgpu] = text.split(/\n(?=NVIDIA.*medians of 3 turns)/);
    const of = (part: string | undefined): Map<string, number> => best([...part!.matchAll(/^(\S.*?) +(\d+) GB\/s {2}(?:copy|sum)/gm)].map((m) => [m[1]!, Number(m[2])] as const));
    const cuda = best(results('streams', 'h200').rows.map((r) => [r.kind, median(r.oursGBs)] as const)), o = of(opencl_), w = of(webgpu), share = (x: number, k: string): string => (x / cuda.get(k)!).toFixed(2);
    const lines = [...cuda.keys()].map((k) => `| ${k} | ${o.get(k)!} | ${share(o.get(k)!, k)} | ${w.get(k)!} | ${share(w.get(k)!, k)} |`);
    expect(document('docs/gpu.md')).toContain(`| Work | OpenCL, GB/s | Of CUDA | WebGPU, GB/s | Of CUDA |\n|---|---|---|---|---|\n${lines.join('\n')}\n`);
  });
});
