/**
 * Every case of the tests for GPUs on every GPU of this machine, by the runtime's drivers, compared with the interpreter bit for bit. A program of its own, so that
 * a machine with a GPU needs Node and nothing else: tools/gpu-conform.mjs makes one file of it.
 */
import { listDevices, device as open, gpuKernel, gpuTarget, tensor } from '@quern/runtime';
import { writeFileSync } from 'node:fs';
import { FAULT_WORDS, emitGpu, evaluate, printedLines } from '../../src/emit/gpu/index.ts';
import type { EmitGpuOptions } from '../../src/emit/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { INTEGERS, boolCase, castCases, dotCases, floatCases, halfCases, intCases, partsCases, reduceCases } from '../emit/ops-cases.ts';
import type { Case, TensorValue } from '../emit/harness.ts';
import { corpusCases, inPlace, workgroupCases } from './cases.ts';
import { differs } from './near.ts';
import { teamCases } from './team-cases.ts';
import { tensorCases } from './tensor-cases.ts';
import type { TensorCase } from './tensor-cases.ts';

/** Cases and how far f32 may be off: by units in the last place, or absolutely where terms cancel. */
interface Group { readonly cases: readonly (Case | TensorCase)[]; readonly ulp?: number; readonly absolute?: number }

/** The same cases without what WGSL promises nothing of: NaN, infinities and subnormal numbers are 1. */
const tamed = (cases: readonly Case[]): Case[] => cases.map(({ k, runs }) => ({
  k, runs: runs.map((args) => Object.fromEntries(Object.entries(args).map(([n, a]) => [n, typeof a !== 'number' && a.data instanceof Float32Array ? { ...a, data: a.data.map((x) => (x === 0 || (Number.isFinite(x) && Math.abs(x) >= 2 ** -126) ? x : 1)) } : a]))),
}));

/** Operations and casts whose text SwiftShader compiles for minutes, since vectors are taken apart: of bytes in more than four lanes, and of floats as integers in more than one. On software, fewer lanes stand for them. */
const takesMinutes = (name: string): boolean => /^ops_[iu](8|16)_(8|16)\b|^cast_(f32|f16|bf16)_(4|8|16)\b/.test(name);

/** All cases that a target can have. WGSL promises of f32 that results are near: products and sums may be fused, so that where terms cancel the absolute error counts. */
function groupsOf(t: Target, software: boolean): readonly Group[] {
  const wgsl = t.gpu?.language === 'wgsl', has = (d: string): boolean => !['f64', 'i64'].includes(d) || t.features.includes(d), near = wgsl ? { ulp: 4, absolute: 2 ** -18 } : {}, sums = wgsl ? { ulp: 3, absolute: 2 ** -20 } : {};
  const narrow = (cases: readonly Case[]): Case[] => cases.filter(({ k }) => k.params.every((p) => has(p.kind === 'tensor' ? p.buf.dtype : p.dtype)));
  const lowered = (group: string, cases: readonly Case[]): Case[] => narrow(cases).filter(({ k }) => !software || !takesMinutes(k.name)).map(({ k, runs }, i) => ({ k: { ...lower(k, t), name: `${k.name}_${group}${i}` }, runs }));
  const floats = (['f32', 'f64'] as const).filter(has);
  return [
    { cases: workgroupCases(t) }, { cases: corpusCases(t), ...near }, { cases: lowered('place', [inPlace()]) },
    { cases: lowered('', [...INTEGERS.filter(has).flatMap((d) => intCases(t, d)), ...dotCases(t), boolCase(t), ...castCases(t), ...halfCases(t)]) },
    { cases: (wgsl ? tamed : (c: Case[]) => c)(lowered('', [...floats.flatMap((d) => [...floatCases(t, d), ...partsCases(t, d)]), ...reduceCases(t)])), ...sums },
  ];
}

interface Outcome { readonly device: string; readonly name: string; readonly target: string; cases: number; refused: number; elements: number; readonly failures: string[] }

/** A device as it is, or as if it bound no more than so many bytes at once: larger tensors are bound in parts. */
async function opened(id: string): Promise<Awaited<ReturnType<typeof open>>> {
  const d = await open(id, { fallback: 'none' }), driver = d.driver!, bindingBytes = Number(process.argv.find((a) => a.startsWith('--binding='))?.slice(10) ?? Infinity);
  if (driver.info.limits.bindingBytes === undefined || bindingBytes === Infinity) return d;
  const launch: typeof driver.launch = (code, entry, shape, args) => {
    for (const a of args) if (a.kind === 'buffer' && Math.min(a.window?.to ?? Infinity, a.buffer.bytes) - (a.window?.from ?? 0) > bindingBytes && a.window) throw new Error(`${entry} binds bytes ${a.window.from} to ${a.window.to}`);
    driver.launch(code, entry, shape, args);
  };
  return { ...d, driver: { ...driver, launch, info: { ...driver.info, limits: { ...driver.info.limits, bindingBytes } } } };
}

async function onDevice(id: string, variants: readonly EmitGpuOptions[]): Promise<Outcome> {
  const d = await opened(id), t = await gpuTarget(d.driver!.info), out: Outcome = { device: id, name: d.info.name, target: t.isa, cases: 0, refused: 0, elements: 0, failures: [] };
  const every: readonly Group[] = [...(process.argv.includes('--tensor-cores') ? [] : groupsOf(t, d.driver!.info.kind === 'webgpu' && d.driver!.info.software)), { cases: [...teamCases(t), ...tensorCases(t)] }];
  const [part, parts] = (process.argv.find((a) => a.startsWith('--part='))?.slice(7) ?? '0/1').split('/').map(Number) as [number, number], groups = every.map((g) => ({ ...g, cases: g.cases.filter((_, i) => i % parts === part) }));
  // What is to come out is the same for all variants of a case; cases may share arguments.
  const each = (cases: Group['cases']): { readonly c: Case | TensorCase; readonly wanted: Map<unknown, Record<string, TensorValue | number>> }[] => cases.map((c) => ({ c, wanted: new Map() }));
  for (const { cases, ulp = 0, absolute = 0 } of groups) for (const { c, wanted } of each(cases)) for (const o of variants) {
    const { k } = c, on = 'target' in c ? c.target : t;
    const emit = (v: EmitGpuOptions): ReturnType<typeof emitGpu> => {
      const m = emitGpu(k, on, { ...v, ...o });
      return 'older' in c && c.older ? { ...m, source: m.source.replaceAll(/#if __CUDA_ARCH__ >= \d+/g, '#if 0') } : m;
    };
    let kernel: ReturnType<typeof gpuKernel> | undefined;
    for (const args of c.runs) try {
      kernel ??= gpuKernel(d, { target: on, evaluate, faultWords: FAULT_WORDS, printed: printedLines, emit });
      const known = wanted.get(args), want = known ?? {}, far: Record<string, unknown> = {}, all = new Map<string, ReturnType<typeof tensor>>();
      for (const [n, a] of Object.entries(args)) {
        if (typeof a === 'number') { want[n] = a; far[n] = a; continue; }
        const p = k.params.find((x) => x.name === n), v = a as TensorValue;
        if (!known) want[n] = { ...v, data: v.data.slice() as TensorValue['data'] };
        if (p?.kind !== 'tensor') continue;
        const whole = await tensor(v.data as NodeJS.TypedArray, [v.data.length], { dtype: p.buf.packed ? 'u8' : p.buf.dtype }).to(d);
        all.set(n, whole as never);
        const shape = p.buf.packed ? v.shape.map((s, i) => (i === v.shape.length - 1 ? s / 2 : s)) : v.shape, strides = v.strides ?? shape.map((_, i) => shape.slice(i + 1).reduce((x, y) => x * y, 1));
        far[n] = new (whole.constructor as new (...x: unknown[]) => unknown)(whole.storage, whole.dtype, shape, strides, whole.byteOffset + ((v as { offset?: number }).offset ?? 0) * v.data.BYTES_PER_ELEMENT);
      }
      if (!known) { interpret('meaning' in c ? c.meaning : k, want as never); wanted.set(args, want); }
      await kernel.run(far as never, o.bounds ? { bounds: true } : {});
      for (const p of k.params) {
        if (p.kind !== 'tensor' || p.buf.access === 'in') continue;
        const w = want[p.name] as TensorValue, whole = all.get(p.name)!, bytes = await d.driver!.read(whole.storage.remote!.buffer, whole.byteOffset, w.data.byteLength);
        const got = new (w.data.constructor as new (b: ArrayBuffer) => TensorValue['data'])(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
        for (let i = 0; i < got.length; i++) {
          out.elements++;
          if (!differs(got, w.data, i, p.buf.dtype, ulp, absolute)) continue;
          out.failures.push(`${k.name} ${JSON.stringify(o)}: ${p.name}[${i}] is ${String(got[i])}, it should be ${String(w.data[i])}`);
          break;
        }
      }
      out.cases++;
    } catch (e) {
      // What cannot be bound in parts is told so, and clusters in a grid along x alone.
      if (/several bindings|takes \d+ bindings, of /.test((e as Error).message) || (o.flatGrid && /has clusters of workgroups/.test((e as Error).message))) { out.refused++; continue; }
      out.failures.push(`${k.name} ${JSON.stringify(o)}: ${String((e as Error).message).slice(0, 400)}`);
    }
    kernel?.dispose();
  }
  return out;
}

const only = process.argv.find((a) => a.startsWith('--only='))?.slice(7), quick = process.argv.includes('--quick');
const file = process.argv.slice(2).find((a) => !a.startsWith('--')), results: Outcome[] = [];
for (const { id, kind, type } of (await listDevices()).devices) {
  if (kind === 'cpu' || (kind === 'opencl' && type === 'cpu' && !process.argv.includes('--all'))) continue;
  if (only && !id.startsWith(only)) continue;
  const r = await onDevice(id, quick ? [{}] : [{}, { aligned: false, bounds: true }, ...(kind === 'webgpu' ? [] : [{ indexBits: 64 } as const, { flatGrid: true }])]);
  process.stdout.write(`${r.device} (${r.name}) as ${r.target}: ${r.cases} cases, ${r.refused ? `${r.refused} refused as they should be, ` : ''}${r.elements} elements ${r.target === 'wgsl' ? 'as near as WGSL promises' : 'equal bit for bit'}, ${r.failures.length} failures\n${r.failures.slice(0, 25).map((f) => `  ${f}\n`).join('')}`);
  results.push(r);
}
if (results.length === 0) {
  process.stderr.write(only ? `no GPU here is called ${only}…: see \`quern devices\`\n` : 'no GPU here; --all takes OpenCL on the CPU\n');
  process.exit(2);
}
if (file) writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), results }, null, 1)}\n`);
process.exit(results.some((r) => r.failures.length > 0) ? 1 : 0);
