/** docs/targets.md: what each target has. Lists are those of the targets; what a GPU can do is tried out, by emitting a small kernel that asks for it. */
import { DslError } from '../../src/errors/index.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import type { EmitGpuOptions, GpuModule } from '../../src/emit/gpu/index.ts';
import { constant, dot4, load } from '../../src/ir/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { atomicAdd, atomicMin, axes, barrier, exp, kernel, print, shared, subgroupAdd, tensor, when } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { GPU_TARGETS, TARGETS } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { kernelOf, param, store } from '../run/helpers.ts';

/** What a small kernel became, or that the target refuses it. */
function tried(ir: KernelIR, t: Target, o: EmitGpuOptions & { readonly print?: boolean } = {}): GpuModule | undefined {
  try {
    return emitGpu(lower(ir, t, { print: o.print ?? false }), t, o);
  } catch (e) {
    if (e instanceof DslError && e.id === 'KD-L-LACKS') return undefined;
    throw e;
  }
}

type Arithmetic = 'f64' | 'f32' | 'i64' | 'i32' | 'u32' | 'i16' | 'u16' | 'i8' | 'u8';
const copyOf = (d: Arithmetic | 'f16' | 'bf16' | 'bool'): KernelIR => kernel('copy', { x: tensor(d, 'N'), y: tensor(d, 'N').out() }, ({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(x.at(i)); return ax; }).ir;
const halves = kernel('halves', { x: tensor('f16', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(x.at(i).to('f32')); return ax; }).ir;
const nibbles = kernel('nibbles', { x: tensor('i4', 'N'), y: tensor('i8', 'N').out() }, ({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(x.at(i)); return ax; }).ir;
const functions = kernel('functions', { x: tensor('f32', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(exp(x.at(i))); return ax; }).ir;
const adding = (d: Arithmetic, fn: typeof atomicAdd | typeof atomicMin): KernelIR => kernel('adding', { x: tensor(d, 1).inout() }, ({ x }) => { const ax = axes({ i: 4 }); for (const i of ax.i) { void i; fn(x.at(0), 1); } return ax; }).ir;
const lanes = (branch: boolean): KernelIR => kernel('lanes', { x: tensor('f32', 64).inout() }, ({ x }) => {
  const ax = axes({ b: 1, t: 64 });
  for (const b of ax.b.bind('block.x')) {
    const s = shared('f32', 's', 64);
    for (const t of ax.t.bind('lane.x')) {
      s.at(t).set(x.at(t.add(b)));
      barrier();
      if (branch) when(t.lt(32), () => { x.at(t).set(subgroupAdd(s.at(t))); });
      else x.at(t).set(subgroupAdd(s.at(t)));
    }
  }
  return ax;
}).ir;
const copied = kernel('copied', { x: tensor('f32', 4), y: tensor('f32', 4).out() }, ({ x, y }) => { const ax = axes({ i: 4 }); for (const i of ax.i) y.at(i).set(x.at(i)); return ax; });
const shows = kernel('shows', { x: tensor('f32', 1).inout() }, ({ x }) => { print(x.at(0)); x.at(0).set(1); return {}; }).ir;
const a = param('a', 'u32', [1]), b = param('b', 'i32', [1]), y = param('y', 'i32', [1], 'inout'), zero = [constant(0)];
const products = kernelOf([a, b, y], [store(y, zero, dot4(load(y, zero), load(a, zero), load(b, zero)))]);

const yes = (m: GpuModule | undefined): string => (m ? 'yes' : '-');
/** By an instruction where the text uses the feature, else in another way. */
const by = (feature: string, other: string) => (m: GpuModule | undefined): string => (m ? (m.features.includes(feature) ? 'instruction' : other) : '-');

const ROWS: readonly [what: string, how: (t: Target) => string][] = [
  ['f32 i32 u32', (t) => yes([copyOf('f32'), copyOf('i32'), copyOf('u32')].every((k) => tried(k, t)) ? tried(copyOf('f32'), t) : undefined)],
  ['i16 u16 i8 u8 bool', (t) => yes((['i16', 'u16', 'i8', 'u8', 'bool'] as const).every((d) => tried(copyOf(d), t)) ? tried(copyOf('u8'), t) : undefined)],
  ['f64', (t) => yes(tried(copyOf('f64'), t))],
  ['i64 as data', (t) => yes(tried(copyOf('i64'), t))],
  ['f16 to f32', (t) => by('f16', 'bits')(tried(halves, t))],
  ['i4 u4', (t) => yes(tried(nibbles, t))],
  ['64-bit indices', (t) => yes(tried(copyOf('f32'), t, { indexBits: 64 }))],
  ['exp log sin … as formulas', (t) => yes(tried(functions, t))],
  ['products of bytes (dot4)', (t) => by('dot4', 'arithmetic')(tried(products, t))],
  ['atomic updates of 8 to 32 bits', (t) => yes((['i8', 'u16', 'i32', 'f32'] as const).every((d) => tried(adding(d, atomicAdd), t)) ? tried(adding('f32', atomicMin), t) : undefined)],
  ['atomic updates of 64 bits', (t) => yes(tried(adding('i64', atomicAdd), t))],
  ['exchanges in a subgroup', (t) => by('subgroups', 'shared memory')(tried(lanes(false), t))],
  ['the same in a branch', (t) => by('subgroups', 'shared memory')(tried(lanes(true), t))],
  ['tensors read as images', (t) => { try { return yes(tried(schedule(copied, t, (s, { i }) => { s.stage('x', i, 'image'); }).ir, t)); } catch { return '-'; } }],
  ['print', (t) => yes(tried(shows, t, { print: true }))],
  ['checked accesses', (t) => yes(tried(copyOf('f32'), t, { bounds: true }))],
];

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`;
const head = (cells: readonly string[]): string => row(cells) + row(cells.map(() => '---'));

/** Targets whose language has an emitter. */
const emitted = GPU_TARGETS.filter((t) => { try { emitGpu(lower(copyOf('f32'), t), t); return true; } catch { return false; } });

/** The page. */
export const targetsPage = (): string => `# Targets

Made from \`packages/kernel-dsl/src/targets\` by a test, which fails where this page is not true: \`npx vitest run packages/kernel-dsl/test/targets -u\` writes it anew.
\`target('x86-64-v3')\` finds one by its name; \`quern kernel FILE --target NAME\` shows what becomes of a kernel.

## CPUs

${head(['target', 'processors', 'vectors', 'fused multiply-add', 'beyond the base', 'instructions'])}${TARGETS.map((t) => row([
  `\`${t.isa}\``, t.arch ?? 'any', `${t.vecBytes} bytes, ${t.vectorRegisters} registers`, t.fma ? 'yes' : '-', t.features.join(' ') || '-', t.instructions.length || '-',
])).join('')}
## GPUs: limits

What every device of a target keeps; a driver knows those of the device at hand.

${head(['target', 'language', 'lanes of a workgroup', 'workgroups (x, y, z)', 'shared memory', 'arrays of a lane', 'subgroup', 'features'])}${GPU_TARGETS.map((t) => row([
  `\`${t.isa}\``, t.gpu!.language, t.gpu!.workgroup.lanes, t.gpu!.grid.map((n) => (n === 2 ** 31 - 1 ? '2^31 - 1' : n)).join(', '), `${t.gpu!.sharedBytes} bytes`, t.gpu!.laneBytes ? `${t.gpu!.laneBytes} bytes` : '-', t.gpu!.subgroup ?? '-', t.features.join(' ') || '-',
])).join('')}
## GPUs: what kernels may use

Tried out: each cell is what became of a small kernel. OpenCL and WGSL devices differ: these are the base targets, \`openclTarget(features)\` and \`wgslTarget(features)\`
describe the device at hand. \`-\`: refused when the kernel is lowered, with the author's line and what to do instead.

${head(['', ...emitted.map((t) => `\`${t.isa}\``)])}${ROWS.map(([what, how]) => row([what, ...emitted.map(how)])).join('')}`;
