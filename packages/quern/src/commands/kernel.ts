import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { GPU_TARGETS, interpret, lower, printKernel, printKernelLines, requireVerified, schedule, target, TARGETS } from '@quern/kernel-dsl';
import { autoGrid, emitGpu } from '@quern/kernel-dsl/gpu';
import type { InterpretArg, KernelIR, ScheduledKernel, Target } from '@quern/kernel-dsl';
import type { GpuModule } from '@quern/kernel-dsl/gpu';
import { emitFileC, emitKernelC, emitLibraryIndexC } from '@quern/kernel-dsl/c';
import type { EmittedKernel } from '@quern/kernel-dsl/c';
import { bindKernel, compileLibrary, cpuInfo, tensor } from '@quern/runtime';
import { UsageError, optionHelp, parse } from '../cli/index.ts';
import { kernelPage } from '../page/index.ts';
import { loadKernelModule } from './module.ts';
import type { KernelModule } from './module.ts';
import { printPlan } from './plan.ts';

const NAMES = [...TARGETS, ...GPU_TARGETS].map((t) => t.isa).join(', ');

const LANGUAGES = { c: 'C', cuda: 'CUDA', opencl: 'OpenCL C', wgsl: 'WGSL' } as const;

const OPTIONS = {
  target: { kind: 'text', value: 'ISA', help: `one of ${NAMES} (default: this CPU's)` },
  stage: { kind: 'text', value: 'STAGE', help: 'algorithm, schedule, lowered, plan (of a GPU), or the language: c, cuda, opencl, wgsl (default: all)' },
  html: { kind: 'text', value: 'OUT', help: 'write one web page: your source, each step and the text side by side, linked line to line' },
  run: { kind: 'flag', help: 'compile it for this CPU, run it on its sample and compare with the interpreter' },
} as const;

export const KERNEL_HELP: string = `quern kernel FILE [options]

Shows what becomes of a kernel: the algorithm, the program after each step of its schedule, the lowered program and the C; for a GPU, the plan of its
launches and their text. FILE exports \`algorithm\`, and may export \`cpu\` and \`gpu\` (schedules; for a GPU one is found where there is none) and
\`sample\` (arguments to run it with).

${optionHelp(OPTIONS)}
`;

/** The target named, or the best one for this CPU. */
export function chooseTarget(isa: string | undefined): Target {
  if (isa === undefined) return target(cpuInfo().isas.find((x) => TARGETS.some((t) => t.isa === x)) ?? 'generic');
  const t = [...TARGETS, ...GPU_TARGETS].find((x) => x.isa === isa);
  if (!t) throw new UsageError(`--target is one of ${NAMES}, got '${isa}'`);
  return t;
}

/** The stages of a module's kernel for a target. @throws DslError also where the kernel, or what became of it, is not proved: as its author wrote it first */
export function stages(m: KernelModule, t: Target): { readonly scheduled: ScheduledKernel; readonly lowered: KernelIR; readonly emitted: EmittedKernel } {
  const { scheduled, lowered } = lowering(m, t, m.cpu);
  requireVerified(lowered);
  return { scheduled, lowered, emitted: emitKernelC(lowered, t) };
}

function lowering(m: KernelModule, t: Target, plan: KernelModule['cpu']): { readonly scheduled: ScheduledKernel; readonly lowered: KernelIR } {
  requireVerified(m.algorithm.ir);
  const scheduled = t.gpu && !plan ? autoGrid(m.algorithm, t) : schedule(m.algorithm, t, (s, ax) => plan?.(s, ax));
  return { scheduled, lowered: lower(scheduled.ir, t) };
}

/** The stages for a GPU. */
function gpuStages(m: KernelModule, t: Target): { readonly scheduled: ScheduledKernel; readonly lowered: KernelIR; readonly emitted: GpuModule } {
  const { scheduled, lowered } = lowering(m, t, m.gpu);
  return { scheduled, lowered, emitted: emitGpu(lowered, t) };
}

/** What a comparison of compiled code with the interpreter found. */
export interface Check { readonly elements: number; readonly differing: number; readonly microseconds: number; readonly cache: string }

const copyArgs = (args: Readonly<Record<string, InterpretArg>>): Record<string, InterpretArg> =>
  Object.fromEntries(Object.entries(args).map(([k, a]) => [k, typeof a === 'number' ? a : { ...a, data: a.data.slice() }]));

/** Compiles a kernel, runs it on its sample, and counts the elements in which it differs from the interpreter, bit for bit. */
export function check(m: KernelModule, t: Target): Check {
  if (!m.sample) throw new UsageError('the file exports no sample to run the kernel with');
  const { lowered, emitted: { meta } } = stages(m, t);
  const expected = copyArgs(m.sample()), got = copyArgs(m.sample());
  interpret(lowered, expected);
  const { library, compiled } = compileLibrary(
    [{ path: 'kernel.c', text: emitFileC([lowered], t) }, { path: 'index.c', text: emitLibraryIndexC([{ name: meta.name, isa: t.isa, meta }], 'example') }],
    { name: meta.name, isa: t.isa, flags: [...t.cflags] },
  );
  const k = bindKernel(meta, library.kernel(meta.name, t.isa));
  const args = Object.fromEntries(Object.entries(got).map(([n, a]) => [n, typeof a === 'number' ? a : tensor(a.data, a.shape)]));
  const started = performance.now();
  k.run(args);
  const microseconds = (performance.now() - started) * 1000;
  let elements = 0, differing = 0;
  for (const [n, a] of Object.entries(expected)) {
    const b = got[n];
    if (typeof a === 'number' || typeof b !== 'object') continue;
    elements += a.data.length;
    for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) differing++;
  }
  library.close();
  return { elements, differing, microseconds, cache: compiled.cache };
}

/** An error of the kernel language knows its place: it is shown with the author's line and a caret. */
const shows = (e: unknown): e is { render(source: (file: string) => string | undefined): string } => e instanceof Error && 'render' in e && typeof e.render === 'function';
const source = (file: string): string | undefined => {
  try { return readFileSync(file, 'utf8'); } catch { return undefined; }
};

/** `quern kernel`: prints the stages of a kernel, or what is wrong with it. */
export async function kernel(argv: readonly string[]): Promise<number> {
  try {
    return await show(argv);
  } catch (e) {
    if (!shows(e)) throw e;
    process.stderr.write(`${e.render(source)}\n`);
    return 1;
  }
}

async function show(argv: readonly string[]): Promise<number> {
  const { values: v, rest: [file = ''] } = parse(argv, OPTIONS, { min: 1, max: 1, what: 'the file with the kernel' });
  const m = await loadKernelModule(file), t = chooseTarget(v.target);
  if (t.gpu && v.run) throw new UsageError('--run compares on this CPU: leave --target away; compileKernel(kernel, { device }) runs it on a GPU');
  const { scheduled, lowered, emitted } = t.gpu ? gpuStages(m, t) : stages(m, t);
  const all: Readonly<Record<string, string>> = {
    algorithm: printKernel(m.algorithm.ir),
    schedule: scheduled.steps.slice(1).map((s) => `-- after ${s.call}\n${printKernel(s.ir)}`).join('\n'),
    lowered: printKernel(lowered), ...('plan' in emitted ? { plan: printPlan(emitted) } : {}), [t.gpu?.language ?? 'c']: emitted.source,
  };
  if (v.stage !== undefined && !(v.stage in all)) throw new UsageError(`--stage is one of ${Object.keys(all).join(', ')} for ${t.isa}, got '${v.stage}'`);
  if (v.html !== undefined) {
    const path = resolve(file);
    writeFileSync(v.html, kernelPage({
      kernel: m.algorithm.name, isa: t.isa, file: path, source: readFileSync(path, 'utf8'), language: LANGUAGES[t.gpu?.language ?? 'c'], code: emitted.lines,
      stages: [...scheduled.steps.map((s) => ({ title: s.call, lines: printKernelLines(s.ir) })), { title: 'lowering', lines: printKernelLines(lowered) }],
    }));
    process.stderr.write(`${v.html} written: open it in a browser\n`);
  } else for (const [name, text] of Object.entries(all)) if (v.stage === undefined || v.stage === name) process.stdout.write(v.stage ? text : `==== ${name} (${t.isa})\n${text}\n`);
  if (!v.run) return 0;
  const r = check(m, t);
  process.stderr.write(`${r.elements} elements, ${r.differing} differ from the interpreter; ${r.microseconds.toFixed(0)} microseconds\n`);
  return r.differing === 0 ? 0 : 1;
}
