/** Runs emitted OpenCL on the first device there is (PoCL in tests) and compares with the interpreter bit for bit; compiles emitted CUDA with nvcc. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { FAULT_WORDS, emitGpu, evaluate } from '../../src/emit/gpu/index.ts';
import type { EmitGpuOptions, GpuArg, GpuLaunch, GpuModule, GpuStep, HostValues } from '../../src/emit/gpu/index.ts';
import type { DType, KernelIR } from '../../src/ir/index.ts';
import { bytesOf, printKernel } from '../../src/ir/index.ts';
import { f32ToBf16, f32ToF16, interpret, valueOf } from '../../src/run/index.ts';
import type { InterpretArg, TypedArray } from '../../src/run/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { has, temporary } from '../emit/harness.ts';
import type { Case, TensorValue, Value } from '../emit/harness.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
type Args = Readonly<Record<string, Value>>;

const required = (process.env['QUERN_REQUIRE_DEVICES'] ?? '').split(',').includes('opencl');
const listed = (folder: string): readonly string[] => { try { return readdirSync(folder); } catch { return []; } };
/** Is OpenCL here: its headers, its loader, a driver? Where the machine must have it, tests run and fail without it. */
export const OPENCL: boolean = required || (existsSync('/usr/include/CL/cl.h') && ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64'].some((d) => existsSync(`${d}/libOpenCL.so.1`)) && listed('/etc/OpenCL/vendors').length > 0);

/** The program that runs modules, of its own so that what a driver does at its end harms no test; started when it is first asked, and gone when this process is. */
interface Runner { ask(job: string, out: string, printed: string): void }
let runner: Runner | undefined;
function start(): Runner {
  const folder = mkdtempSync(join(tmpdir(), 'quern-opencl-')), at = (name: string): string => join(folder, name), [program, requests, answers, errors] = ['opencl-run', 'requests', 'answers', 'errors'].map(at) as [string, string, string, string];
  execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-Wno-deprecated-declarations', join(here, 'opencl-run.c'), '-o', program, '-l:libOpenCL.so.1'], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('mkfifo', [requests, answers]);
  // Opened for both directions, a pipe does not wait for its other end. The shell answers 0 when the program has ended.
  const asks = openSync(requests, 'r+'), hears = openSync(answers, 'r+'), line = Buffer.alloc(2);
  spawn('sh', ['-c', '"$0" "$1" "$2" 2> "$3"; echo 0 1<> "$2"', program, requests, answers, errors], { stdio: 'ignore' }).unref();
  process.on('exit', () => { rmSync(folder, { recursive: true, force: true }); });
  return {
    ask: (...names) => {
      writeSync(asks, `${names.join(' ')}\n`);
      for (let n = 0; n < 2;) n += readSync(hears, line, n, 2 - n, null);
      if (line[0] === 0x31) return;
      runner = undefined;
      throw new Error(`OpenCL: ${readFileSync(errors, 'utf8').slice(0, 12000)}`);
    },
  };
}

const dense = (shape: readonly number[]): number[] => shape.map((_, d) => shape.slice(d + 1).reduce((n, x) => n * x, 1));
const bytesOfValue = (v: TensorValue): Uint8Array => new Uint8Array(v.data.buffer, v.data.byteOffset, v.data.byteLength);

/** What a host knows of a call. */
export function hostValues(k: KernelIR, args: Args): HostValues {
  const sizes: Record<string, number> = {}, strides: Record<string, readonly number[]> = {}, scalars: Record<string, number> = {};
  for (const n of k.sizes) if (typeof args[n] === 'number') sizes[n] = args[n];
  for (const p of k.params) {
    const a = args[p.name];
    if (p.kind === 'scalar') { scalars[p.name] = a as number; continue; }
    const t = a as TensorValue;
    p.buf.shape.forEach((d, i) => { if (d.kind === 'size') sizes[d.name] = t.shape[i]!; });
    strides[p.name] = t.strides ?? dense(t.shape);
  }
  return { sizes, strides, scalars };
}

function scalarBytes(x: number, t: DType): Uint8Array {
  const v = new DataView(new ArrayBuffer(8));
  const y = t === 'f16' ? f32ToF16(x) : t === 'bf16' ? f32ToBf16(x) : valueOf(x, t);
  if (t === 'f64') v.setFloat64(0, y, true);
  else if (t === 'f32') v.setFloat32(0, y, true);
  else if (t === 'i64') v.setBigInt64(0, BigInt(y), true);
  else v.setUint32(0, y >>> 0, true);
  return new Uint8Array(v.buffer, 0, bytesOf(t));
}

/** One launch of a plan, with its arguments. */
interface Made { readonly launch: GpuLaunch; readonly entry: string; readonly global: readonly number[]; readonly local: readonly number[]; readonly args: readonly (number | Uint8Array)[] }

/** The launches that a plan comes to for a call, tensor maps left out; buffers are numbered: tensors, workspace, faults. */
export function launchesOf(m: GpuModule, k: KernelIR, args: Args): readonly Made[] {
  const base = hostValues(k, args), vars = new Map<number, number>(), at: HostValues = { ...base, vars }, out: Made[] = [];
  const tensors = k.params.filter((p) => p.kind === 'tensor').map((p) => p.name), index = m.options.indexBits / 8;
  for (const e of m.below) expect(Math.abs(evaluate(e, base))).toBeLessThan(2 ** 31);
  const integer = (x: number): Uint8Array => (index === 8 ? new Uint8Array(BigInt64Array.of(BigInt(x)).buffer) : new Uint8Array(Int32Array.of(x).buffer));
  const argument = (a: GpuArg): number | Uint8Array => {
    switch (a.kind) {
      case 'buffer': return tensors.indexOf(a.param);
      case 'start': return integer(0);
      case 'workspace': return tensors.length + m.workspace.findIndex((w) => w.name === a.name);
      case 'faults': return tensors.length + m.workspace.length;
      case 'print': return tensors.length + m.workspace.length + 1;
      case 'size': return integer(base.sizes[a.name]!);
      case 'stride': return integer(base.strides[a.param]![a.dim]!);
      case 'scalar': return scalarBytes(base.scalars[a.name]!, a.dtype);
      case 'var': return integer(vars.get(a.v.id)!);
      case 'tensormap': return new Uint8Array(128); // whoever launches makes it: see `launch`
    }
  };
  const steps = (list: readonly GpuStep[]): void => {
    for (const s of list) {
      switch (s.kind) {
        case 'launch': {
          const grid = s.launch.grid.map((e) => evaluate(e, at)), blocks = m.options.flatGrid ? [grid.reduce((a, b) => a * b, 1), 1, 1] : grid;
          if (grid.every((n) => n > 0)) out.push({ launch: s.launch, entry: s.launch.entry, global: blocks.map((n, d) => n * s.launch.block[d]!), local: s.launch.block, args: s.launch.args.map(argument) });
          break;
        }
        case 'check': steps(s.body); break;
        case 'if': steps(evaluate(s.cond, at) !== 0 ? s.then : s.else); break;
        case 'for': for (let i = 0, n = evaluate(s.extent, at); i < n; i++) { vars.set(s.v.id, i); steps(s.body); } break;
        case 'let': vars.set(s.v.id, evaluate(s.value, at)); break;
      }
    }
  };
  steps(m.plan);
  return out;
}

const words = (...xs: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(xs, (x) => BigInt(x)).buffer);
const blob = (b: Uint8Array): Uint8Array[] => [words(b.length), b];
const text = (s: string): Uint8Array[] => blob(new TextEncoder().encode(s));

/** A module, the kernel it came from, and arguments; tensors are changed in place. */
export interface GpuJob { readonly m: GpuModule; readonly k: KernelIR; readonly args: Args }

/** A module's text, all that it defines under names of its own, so that modules can stand in one program: to build one takes PoCL half a second. */
function asPart(source: string, i: number): string {
  const defined = /^(?:static inline|__kernel|typedef|(?:static )?(?:__constant|constant)) [^(=;]*?(?:__attribute__\(\(.*?\)\) void )?(\w+)(?=\(|;|\[| =)/gm, names = [...new Set([...source.matchAll(defined)].map((m) => m[1]!))];
  return [...names.map((n) => `#define ${n} ${n}_of_${i}`), source, ...names.map((n) => `#undef ${n}`)].join('\n');
}

/** Runs modules; returns the words of their fault buffers. What they print goes to `printed`. */
export function runOpenCl(jobs: readonly GpuJob[], printed: string[] = []): Uint32Array[] {
  const job = join(temporary(), 'opencl-job'), result = join(temporary(), 'opencl-out'), parts: Uint8Array[] = [words(jobs.length)];
  const buffersOf = ({ m, k, args }: GpuJob): Uint8Array[] => {
    const tensors = k.params.flatMap((p) => (p.kind === 'tensor' ? [bytesOfValue(args[p.name] as TensorValue)] : []));
    const workspace = m.workspace.map((w) => new Uint8Array(evaluate(w.elements, hostValues(k, args)) * bytesOf(w.dtype)).fill(0xa5));
    return [...tensors, ...workspace, new Uint8Array(4 * FAULT_WORDS)];
  };
  const buffers = jobs.map(buffersOf), sources = [...new Set(jobs.map((j) => j.m.source))], flags = new Set(jobs.map((j) => j.m.flags.join(' ')));
  if (flags.size > 1) throw new Error('modules of one run have the same flags');
  parts.push(...text(sources.map(asPart).join('\n')), ...text([...flags].join('')));
  jobs.forEach((j, i) => {
    parts.push(words(buffers[i]!.length), ...buffers[i]!.flatMap(blob));
    const launches = launchesOf(j.m, j.k, j.args);
    parts.push(words(launches.length));
    for (const l of launches) parts.push(...text(`${l.entry}_of_${sources.indexOf(j.m.source)}`), words(...l.global, ...l.local, l.args.length), ...l.args.flatMap((a) => (typeof a === 'number' ? [words(0, a)] : [words(1, a.length), a])));
  });
  writeFileSync(job, Buffer.concat(parts));
  const lines = join(temporary(), 'opencl-printed');
  (runner ??= start()).ask(job, result, lines);
  printed.push(readFileSync(lines, 'utf8'));
  const out = readFileSync(result);
  let at = 0;
  return jobs.map((j, i) => {
    const got = buffers[i]!.map((b) => { const x = out.subarray(at, at + b.length); at += b.length; return x; });
    j.k.params.filter((p) => p.kind === 'tensor').forEach((p, n) => bytesOfValue(j.args[p.name] as TensorValue).set(got[n]!));
    return new Uint32Array(new Uint8Array(got.at(-1)!).buffer);
  });
}

/** Modules that were emitted, by kernel: runs of one share theirs. */
const modules = new WeakMap<KernelIR, Map<string, GpuModule>>();
/** The module for a call: with wide accesses where its tensors are aligned as those need it. Every tensor starts at a multiple of 16 bytes here. */
export function moduleFor(k: KernelIR, target: Target, args: Args, o: EmitGpuOptions): GpuModule {
  const known = modules.get(k) ?? new Map<string, GpuModule>();
  modules.set(k, known);
  const emit = (options: EmitGpuOptions): GpuModule => {
    const key = JSON.stringify([target.isa, target.features, options]), m = known.get(key) ?? emitGpu(k, target, options);
    known.set(key, m);
    return m;
  };
  const m = emit(o), { strides } = hostValues(k, args);
  return m.alignment.every((a) => a.dims.every((d) => strides[a.param]![d]! % a.elements === 0)) ? m : emit({ ...o, aligned: false });
}

/** Arguments of their own. */
export const copyArgs = (args: Args): Record<string, Value> => Object.fromEntries(Object.entries(args).map(([n, v]) => [n, typeof v === 'number' ? v : { ...v, data: v.data.slice() as TypedArray }]));

/** NaN of an element, halves by their bits. */
function isNaNOf(a: TypedArray, i: number, t: DType): boolean {
  if (t === 'f16') return (Number(a[i]) & 0x7fff) > 0x7c00;
  if (t === 'bf16') return (Number(a[i]) & 0x7fff) > 0x7f80;
  return Number.isNaN(Number(a[i]));
}

/** Equal bit for bit; any NaN equals any other. */
function expectSame(got: TypedArray, want: TypedArray, t: DType, what: () => string): void {
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i]) || (isNaNOf(got, i, t) && isNaNOf(want, i, t))) continue;
    throw new Error(`${what()}: element ${i} is ${String(got[i])}, the interpreter says ${String(want[i])}`);
  }
}

/** Emits lowered kernels as OpenCL, runs each on its arguments and compares every tensor with what the interpreter makes of the same lowered program. */
export function sameOnOpenCl(cases: readonly Case[], target: Target, o: EmitGpuOptions = {}): void {
  const jobs = cases.flatMap(({ k, runs }) => runs.map((args) => ({ m: moduleFor(k, target, args, o), k, args: copyArgs(args), given: args })));
  runOpenCl(jobs);
  for (const { m, k, args, given } of jobs) {
    const wanted = copyArgs(given);
    interpret(k, wanted as Record<string, InterpretArg>);
    for (const p of k.params) if (p.kind === 'tensor') expectSame((args[p.name] as TensorValue).data, (wanted[p.name] as TensorValue).data, p.buf.dtype, () => `${k.name}: ${p.name}\n${printKernel(k)}\n${m.source}`);
  }
}

/** Is nvcc here? */
export const NVCC: boolean = has('nvcc');
let compiled = 0;
/** Compiles modules for one architecture, each in a namespace of its own, warnings as errors; returns the PTX. Names of the kernels differ. */
export function compileCuda(modules: readonly GpuModule[]): string {
  const path = join(temporary(), `cuda${compiled++}.cu`), out = path.replace(/cu$/, 'ptx');
  writeFileSync(path, modules.map((m, i) => `namespace m${i} {\n${m.source}}\n`).join('\n'));
  try {
    execFileSync('nvcc', ['-ptx', ...modules[0]!.flags, '-Werror', 'all-warnings', path, '-o', out], { stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (e) {
    throw new Error(`nvcc: ${String((e as { stderr?: Buffer }).stderr).slice(0, 4000)}\n${readFileSync(path, 'utf8').split('\n').map((l, i) => `${i + 1} ${l}`).join('\n').slice(0, 20000)}`, { cause: e });
  }
  return readFileSync(out, 'utf8');
}
