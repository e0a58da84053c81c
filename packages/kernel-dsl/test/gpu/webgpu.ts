/** Runs emitted WGSL on a WebGPU device in Node (SwiftShader or Mesa in tests), or in Chromium, and compares with the interpreter. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAULT_WORDS, evaluate } from '../../src/emit/gpu/index.ts';
import type { EmitGpuOptions } from '../../src/emit/gpu/index.ts';
import { bytesOf, printKernel } from '../../src/ir/index.ts';
import { interpret } from '../../src/run/index.ts';
import type { InterpretArg } from '../../src/run/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { temporary } from '../emit/harness.ts';
import type { Case, TensorValue } from '../emit/harness.ts';
import { copyArgs, hostValues, launchesOf, moduleFor } from './harness.ts';
import { differs } from './near.ts';
import type { GpuJob } from './harness.ts';

const script = (name: string): string => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
/** SwiftShader comes with Debian's chromium-common; another Vulkan driver is named as Vulkan's loader takes it. */
const ICD = process.env['VK_DRIVER_FILES'] ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
const required = (process.env['QUERN_REQUIRE_DEVICES'] ?? '').split(',').includes('webgpu');
/** Is there a WebGPU device? Where the machine must have one, tests run and fail without it. */
export const WEBGPU: boolean = required || (ICD.split(':').some((f) => existsSync(f)) && ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64'].some((d) => existsSync(`${d}/libvulkan.so.1`)));

const PRINT_WORDS = 4096;
const base64 = (b: Uint8Array): string => Buffer.from(b.buffer, b.byteOffset, b.byteLength).toString('base64');
const bytesOfValue = (v: TensorValue): Uint8Array => new Uint8Array(v.data.buffer, v.data.byteOffset, v.data.byteLength);

/** What a run leaves beside its tensors. */
export interface Left { readonly faults: Uint32Array; readonly printed: Uint32Array }

/** Is there a Chromium to run WGSL in? Where all that the wider tests need is installed, tests run and fail without it. */
export const CHROMIUM: boolean = process.env['QUERN_REQUIRE_ALL'] !== undefined || spawnSync('chromium', ['--version']).status === 0;

/** Runs modules, in Node or in a browser; tensors are changed in place. Memory of the kernel's own is poisoned first. */
export function runWebGpu(jobs: readonly GpuJob[], where: 'node' | 'chromium' = 'node'): readonly Left[] {
  const job = join(temporary(), 'webgpu-job'), result = join(temporary(), 'webgpu-out');
  const buffersOf = ({ m, k, args }: GpuJob): Uint8Array[] => [
    ...k.params.flatMap((p) => (p.kind === 'tensor' ? [bytesOfValue(args[p.name] as TensorValue)] : [])),
    ...m.workspace.map((w) => new Uint8Array(evaluate(w.elements, hostValues(k, args)) * bytesOf(w.dtype)).fill(0xa5)), new Uint8Array(4 * FAULT_WORDS), new Uint8Array(4 * PRINT_WORDS),
  ];
  const buffers = jobs.map(buffersOf);
  writeFileSync(job, JSON.stringify(jobs.map((j, i) => ({
    name: j.k.name, source: j.m.source, buffers: buffers[i]!.map(base64),
    launches: launchesOf(j.m, j.k, j.args).map((l) => ({ entry: l.entry, groups: folded(l.global.map((n, d) => n / l.local[d]!), j.m.options.flatGrid), args: l.args.map((a) => (typeof a === 'number' ? a : [...a])) })),
  }))));
  try {
    execFileSync(process.execPath, [script(where === 'node' ? 'webgpu-run' : 'chromium-run'), job, result], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000, env: { ...process.env, VK_DRIVER_FILES: ICD, XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? temporary() } });
  } catch (e) {
    throw new Error(`WebGPU: ${String((e as { stderr?: string }).stderr).slice(0, 12000)}`, { cause: e });
  }
  const { out } = JSON.parse(readFileSync(result, 'utf8')) as { out: string[][] };
  return jobs.map((j, i) => {
    const got = out[i]!.map((b) => Uint8Array.from(Buffer.from(b, 'base64')));
    j.k.params.filter((p) => p.kind === 'tensor').forEach((p, n) => bytesOfValue(j.args[p.name] as TensorValue).set(got[n]!));
    return { faults: new Uint32Array(got.at(-2)!.buffer), printed: new Uint32Array(got.at(-1)!.buffer) };
  });
}
/** A flat grid may be spread over two directions. */
const folded = (groups: readonly number[], flat: boolean): readonly number[] => (flat && groups[0]! > 3 ? [3, Math.ceil(groups[0]! / 3), 1] : groups);

/** Emits lowered kernels as WGSL, runs each on its arguments and compares every tensor with what the interpreter makes of the same lowered program. `ulp`: how far f32 may be off; `absolute`: the same where terms cancel. */
export function sameOnWebGpu(cases: readonly Case[], target: Target, o: EmitGpuOptions & { readonly ulp?: number; readonly absolute?: number; readonly where?: 'node' | 'chromium' } = {}): void {
  const { ulp, absolute, where, ...emit } = o, jobs = cases.flatMap(({ k, runs }) => runs.map((args) => ({ m: moduleFor(k, target, args, emit), k, args: copyArgs(args), given: args })));
  runWebGpu(jobs, where);
  for (const { m, k, args, given } of jobs) {
    const wanted = copyArgs(given);
    interpret(k, wanted as Record<string, InterpretArg>);
    for (const p of k.params) {
      if (p.kind !== 'tensor') continue;
      const got = (args[p.name] as TensorValue).data, want = (wanted[p.name] as TensorValue).data;
      for (let i = 0; i < want.length; i++) if (differs(got, want, i, p.buf.dtype, ulp ?? 0, absolute ?? 0)) throw new Error(`${k.name}: ${p.name}: element ${i} is ${String(got[i])}, the interpreter says ${String(want[i])}\n${printKernel(k)}\n${m.source}`);
    }
  }
}
