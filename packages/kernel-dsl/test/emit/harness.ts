/** Compiles emitted C, runs it through a small driver, and compares with the interpreter bit for bit. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { afterFile } from '../../../../tools/test/after-file.ts';
import { assembleFileC, emitKernelC } from '../../src/emit/c/index.ts';
import type { DType, KernelIR } from '../../src/ir/index.ts';
import { bytesOf } from '../../src/ir/index.ts';
import { interpret } from '../../src/run/index.ts';
import type { InterpretArg, TypedArray } from '../../src/run/index.ts';
import { TARGETS } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
export const includeDir: string = fileURLToPath(new URL('../../../runtime/native/include', import.meta.url));
export const STRICT: readonly string[] = ['-Wall', '-Wextra', '-Wno-psabi', '-Werror'];

let folder: string | undefined;
/** A folder that vanishes after the tests of a file. */
export function temporary(): string {
  if (folder) return folder;
  const made = folder = mkdtempSync(join(tmpdir(), 'quern-emit-'));
  afterFile(() => { rmSync(made, { recursive: true }); folder = undefined; drivers = new Map(); });
  return made;
}

export function has(command: string): boolean {
  try { execFileSync(command, ['--version'], { stdio: 'ignore' }); return true; } catch { return false; }
}
/** gcc must be there; clang is used too where it is. */
export const COMPILERS: readonly string[] = has('clang') ? ['gcc', 'clang'] : ['gcc'];

/** Does this processor have all features of a target? */
export function cpuHas(t: Target): boolean {
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  return t.features.every((x) => new RegExp(`\\b${x}\\b`).test(flags));
}
/** Targets that this processor can run and whose C differs without instructions, `generic` among them. */
export const RUNNABLE: readonly Target[] = TARGETS.filter((t) => t.adds.every((f) => f === 'avx512_vnni') && cpuHas(t));

function cc(compiler: string, args: readonly string[]): void {
  try {
    execFileSync(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (e) {
    throw new Error(`${compiler} ${args.join(' ')}\n${String((e as { stderr?: Buffer }).stderr).slice(0, 4000)}`, { cause: e });
  }
}

let count = 0;
/** Compiles C text; returns the path of the library, object file or program. */
export function compile(text: string, cflags: readonly string[], o: { compiler?: string; object?: boolean; program?: boolean } = {}): string {
  const base = join(temporary(), `k${count++}`), out = o.object ? `${base}.o` : o.program ? base : `${base}.so`;
  writeFileSync(`${base}.c`, text);
  cc(o.compiler ?? 'gcc', [...cflags, ...STRICT, `-I${includeDir}`, ...(o.object ? ['-c'] : o.program ? [] : ['-shared', '-fvisibility=default']), `${base}.c`, '-o', out, ...(o.object ? [] : ['-lm'])]);
  return out;
}

/** 64-bit ARM by way of a cross compiler and an emulator, where both are installed. */
export const ARM = 'aarch64-linux-gnu-gcc';
export const EMULATES_ARM: boolean = has(ARM) && has('qemu-aarch64');

let drivers = new Map<string, readonly string[]>();
/** The command that runs what a compiler made. */
function driverFor(compiler: string): readonly string[] {
  const by = compiler === ARM ? ARM : 'gcc', known = drivers.get(by);
  if (known) return known;
  const path = join(temporary(), `driver-${by}`), command = by === ARM ? ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu', path] : [path];
  cc(by, ['-O1', '-Wall', '-Wextra', '-Werror', `-I${includeDir}`, join(here, 'driver.c'), '-o', path, '-ldl']);
  drivers.set(by, command);
  return command;
}

export interface TensorValue { readonly data: TypedArray; readonly shape: readonly number[]; readonly strides?: readonly number[] }
export type Value = number | TensorValue;

const dense = (shape: readonly number[]): number[] => shape.map((_, d) => shape.slice(d + 1).reduce((n, x) => n * x, 1));

function scalarSlot(x: number, t: DType): Uint8Array {
  const v = new DataView(new ArrayBuffer(8));
  if (t === 'f64') v.setFloat64(0, x, true);
  else if (t === 'f32') v.setFloat32(0, x, true);
  else if (t === 'i64') v.setBigInt64(0, BigInt(x), true);
  else v.setInt32(0, x, true);
  return new Uint8Array(v.buffer);
}

/** One launch of an emitted kernel. */
export interface Launch { readonly symbol: string; readonly k: KernelIR; readonly args: Readonly<Record<string, Value>>; readonly memory: { readonly scratchBytes: number; readonly sharedBytes: number } }

const bytesOfValue = (v: TensorValue): Uint8Array => new Uint8Array(v.data.buffer, v.data.byteOffset, v.data.byteLength);
const tensorsOf = ({ k, args }: Launch): TensorValue[] => k.params.flatMap((p) => (p.kind === 'tensor' ? [args[p.name] as TensorValue] : []));

function jobOf(l: Launch): Uint8Array[] {
  const { k, args, memory } = l, values = tensorsOf(l), sizes = new Map<string, number>();
  const scalars = k.params.flatMap((p) => (p.kind === 'scalar' ? [scalarSlot(args[p.name] as number, p.dtype)] : []));
  for (const p of k.params) if (p.kind === 'tensor') p.buf.shape.forEach((d, i) => { if (d.kind === 'size') sizes.set(d.name, (args[p.name] as TensorValue).shape[i]!); });
  const size = [...k.sizes.map((n) => sizes.get(n) ?? (args[n] as number)), ...values.flatMap((v) => v.strides ?? dense(v.shape))];
  const ints = (xs: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(xs, (x) => BigInt(x)).buffer);
  const bytes = values.map(bytesOfValue);
  return [ints([values.length, size.length, scalars.length, memory.scratchBytes, memory.sharedBytes]), ints(bytes.map((b) => b.length)), ints(size), ...scalars, ...bytes];
}

/** Runs kernels of a library; tensors are changed in place. Returns what each kernel returned. */
export function runLibrary(library: string, launches: readonly Launch[], compiler = 'gcc'): number[] {
  const job = join(temporary(), 'job'), out = join(temporary(), 'out');
  writeFileSync(job, Buffer.concat(launches.flatMap(jobOf)));
  const [program, ...rest] = driverFor(compiler);
  execFileSync(program!, [...rest, library, job, out, ...launches.map((l) => l.symbol)], { stdio: ['ignore', 'inherit', 'pipe'] });
  const result = readFileSync(out);
  let at = 0;
  return launches.map((l) => {
    const rc = Number(result.readBigInt64LE(at));
    at += 8;
    for (const v of tensorsOf(l)) { bytesOfValue(v).set(result.subarray(at, at + v.data.byteLength)); at += v.data.byteLength; }
    return rc;
  });
}

const isNaNBits = (a: TypedArray, i: number): boolean => Number.isNaN(Number(a[i]));

/** Equal bit for bit; any NaN equals any other. */
export function expectSameBits(got: TypedArray, want: TypedArray, what: string): void {
  const bytes = (a: TypedArray): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const g = bytes(got), w = bytes(want);
  expect(g.length).toBe(w.length);
  const width = got.byteLength / Math.max(1, got.length);
  for (let i = 0; i < g.length; i++) {
    if (g[i] === w[i]) continue;
    const e = Math.floor(i / width);
    if (isNaNBits(got, e) && isNaNBits(want, e)) continue;
    throw new Error(`${what}: element ${e} is ${String(got[e])}, the interpreter says ${String(want[e])}`);
  }
}

const copy = (v: TensorValue): TensorValue => ({ ...v, data: v.data.slice() as TypedArray });
const copyArgs = (args: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(args).map(([n, v]) => [n, typeof v === 'number' ? v : copy(v)]));

/** A lowered kernel and the arguments to run it on. */
export interface Case { readonly k: KernelIR; readonly runs: readonly Readonly<Record<string, Value>>[] }

/**
 * Emits lowered kernels into one file, compiles it with each compiler without a warning, runs every kernel and compares every tensor
 * with the interpreter's, bit for bit. Names of the kernels differ. Returns the C text.
 */
export function sameAsInterpreter(cases: readonly Case[], target: Target, o: { compilers?: readonly string[]; cflags?: readonly string[] } = {}): string {
  const emitted = cases.map((c) => emitKernelC(c.k, target)), text = assembleFileC(emitted, target);
  const launches = cases.flatMap(({ k, runs }, i) => runs.map((args) => ({ symbol: emitted[i]!.symbol, source: emitted[i]!.source, k, args, memory: emitted[i]!.meta })));
  const wanted = launches.map((l) => {
    const a = copyArgs(l.args);
    interpret(l.k, a as Record<string, InterpretArg>);
    return a;
  });
  for (const compiler of o.compilers ?? COMPILERS) {
    const lib = compile(text, o.cflags ?? target.cflags, { compiler }), mine = launches.map((l) => ({ ...l, args: copyArgs(l.args) }));
    expect(runLibrary(lib, mine, compiler)).toEqual(mine.map(() => 0));
    mine.forEach((l, i) => {
      for (const [n, v] of Object.entries(l.args)) {
        if (typeof v !== 'number') expectSameBits(v.data, (wanted[i]![n] as TensorValue).data, `${l.k.name} for ${target.isa} by ${compiler}: ${n}\n${l.source}`);
      }
    });
  }
  return text;
}

/** Elements of a dtype from a seed: floats around 1 with some special ones on request. */
export function fill(t: DType, n: number, seed: number, special: readonly number[] = []): number[] {
  let x = (seed * 2654435761 + 12345) >>> 0;
  const next = (): number => { x = (Math.imul(x, 1664525) + 1013904223) >>> 0; return x / 2 ** 32; };
  const bits = bytesOf(t) * 8;
  return Array.from({ length: n }, () => {
    const r = next();
    if (special.length && next() < 0.3) return special[Math.floor(next() * special.length)]!;
    switch (t) {
      case 'f32': return Math.fround(r * 4 - 2);
      case 'f64': return r * 4 - 2;
      case 'bool': return r < 0.5 ? 0 : 1;
      case 'f16': case 'bf16': return Math.floor(r * 65536);
      case 'i64': return Math.floor(r * 2000) - 1000;
      default: return t.startsWith('u') ? Math.floor(r * 2 ** bits) : Math.floor(r * 2 ** bits) - 2 ** (bits - 1);
    }
  });
}
