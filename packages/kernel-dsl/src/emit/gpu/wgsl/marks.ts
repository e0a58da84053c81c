import type { Buffer, Expr, SourcedLine, Var } from '../../../ir/index.ts';
import { add, binary, bytesOf, constant, mul, newVar, sub } from '../../../ir/index.ts';
import { strideOf } from '../../text/index.ts';
import type { GpuArg, GpuLaunch, GpuStep, GpuWorkspace } from '../module.ts';
import type { ModuleState, Parts } from './frame.ts';
import { cellText, partsOf, putText } from './parts.ts';

/**
 * Cells for a tensor of small elements that is written piece by piece: one word for each place between its lowest and highest element. A cell whose highest bit
 * is set holds what its element was given in this launch.
 */
export interface Marks {
  readonly buf: Buffer;
  /** The lowest place relative to element 0, and how many there are; a host computes both before the first launch. */
  readonly low: Var;
  readonly count: Var;
  readonly steps: readonly GpuStep[];
  readonly workspace: GpuWorkspace;
}

const blocks = (n: Expr, each: number): Expr => binary('div', add(n, constant(each - 1)), constant(each));
const min = (a: Expr, b: Expr): Expr => binary('min', a, b);

/** What a tensor needs to be written piece by piece. Places are elements; bytes where two elements share one. */
export function marksOf(buf: Buffer): Marks {
  const places = buf.shape.map((n, d) => mul(sub(n, constant(1)), strideOf(buf, d))), zero = constant(0), halve = (e: Expr): Expr => (buf.packed ? binary('shr', e, constant(1)) : e);
  const sum = (es: readonly Expr[]): Expr => es.reduce((a, b) => add(a, b), zero as Expr);
  const low = halve(sum(places.map((e) => min(e, zero)))), high = halve(sum(places.map((e) => binary('max', e, zero))));
  // A tensor without elements has no places either.
  const count = buf.shape.reduce<Expr>((n, e) => mul(n, min(e, constant(1))), add(sub(high, low), constant(1)));
  const names = { low: newVar(`${buf.name}_low`), count: newVar(`${buf.name}_count`) };
  return {
    buf, ...names, steps: [{ kind: 'let', v: names.low, value: low }, { kind: 'let', v: names.count, value: count }],
    workspace: { name: `cells of ${buf.name}`, dtype: 'u32', elements: binary('max', count, constant(1)) },
  };
}

interface Printed { readonly step: GpuStep; readonly lines: readonly SourcedLine[] }

/** The launch that empties the cells, and the one that puts them into the words of the tensor: each lane owns a word there. */
export function cellLaunches(m: ModuleState, x: Marks): { readonly clear: Printed; readonly pack: Printed } {
  const { buf } = x, own = buf.loc ? [buf.loc] : [], bits = 8 * bytesOf(buf.dtype), per = 32 / bits, shift = Math.log2(per);
  const [clear, pack] = [m.names.take(`${buf.name}_clear`), m.names.take(`${buf.name}_pack`)], cells = m.names.take(`${buf.name}_cells`), packed = m.names.take(`${buf.name}_cells`), words = m.names.take(buf.name);
  const [clearArgs, packArgs] = [m.names.take('args'), m.names.take('args')];
  const grid = (n: Expr): GpuLaunch['grid'] => [min(n, constant(32768)), blocks(n, 32768), constant(1)];
  const launch = (entry: string, n: Expr, args: readonly GpuArg[]): GpuStep => ({ kind: 'launch', launch: { entry, grid: grid(n), block: [64, 1, 1], sharedBytes: 0, dynamicSharedBytes: 0, args } });
  const lines = (text: readonly string[]): readonly SourcedLine[] => text.map((t) => ({ text: t, locs: own }));
  const head = (entry: string): readonly string[] => ['@compute @workgroup_size(64)', `fn ${entry}(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {`];
  const cellArg: GpuArg = { kind: 'workspace', name: x.workspace.name }, count: GpuArg = { kind: 'var', v: x.count }, bufArg: GpuArg = { kind: 'buffer', param: buf.name, access: 'inout' };
  const memory = (a: GpuArg, name: string): { readonly parts: Parts; readonly args: readonly GpuArg[] } => { const parts = partsOf(m, name, 'u32', a); return { parts, args: parts.names.map((_, part) => (part ? { ...a, part } : a)) }; };
  const toClear = memory(cellArg, cells), from = memory(cellArg, packed), to = memory(bufArg, words);
  const declared = (args: string, struct: string, ...all: readonly Parts[]): readonly string[] => { const names = all.flatMap((p) => p.names); return [...names.map((n, i) => `@group(0) @binding(${i}) var<storage, read_write> ${n}: array<u32>;`), `@group(0) @binding(${names.length}) var<uniform> ${args}: ${struct}_args;`]; };
  // Two words more than the places fill, since they may begin and end in the middle of one.
  const wordCount = mul(blocks(add(x.count, constant(2 * per)), per), min(x.count, constant(1)));
  return {
    clear: {
      step: launch(clear, blocks(x.count, 256), [...toClear.args, count]),
      lines: lines([
        `struct ${clear}_args { count: i32 }`, ...declared(clearArgs, clear, toClear.parts),
        `// Empties the cells that ${buf.name} is written to.`, ...head(clear),
        '  let first = i32((group.x + group.y * groups.x) * 256u + lane);', `  for (var at = first; at < min(first + 256, ${clearArgs}.count); at += 64) {`, `    ${putText(m, toClear.parts, 'at', '0u')}`, '  }', '}',
      ]),
    },
    pack: {
      step: launch(pack, blocks(wordCount, 64), [...to.args, ...from.args, { kind: 'start', param: buf.name }, { kind: 'var', v: x.low }, count]),
      lines: lines([
        `struct ${pack}_args { start: i32, low: i32, count: i32 }`, ...declared(packArgs, pack, to.parts, from.parts),
        `// Puts what was written of ${buf.name} into its words: each lane owns one.`, ...head(pack),
        `  let first = ${packArgs}.start + ${packArgs}.low;`, `  let word = (first >> ${shift}u) + i32((group.x + group.y * groups.x) * 64u + lane);`, `  if (word > ((first + ${packArgs}.count - 1) >> ${shift}u)) { return; }`,
        `  var bits = ${cellText(m, to.parts, 'word')};`, `  for (var i = 0; i < ${per}; i++) {`, `    let at = word * ${per} + i - first;`, `    if (at < 0 || at >= ${packArgs}.count) { continue; }`, `    let cell = ${cellText(m, from.parts, 'at')};`,
        `    if ((cell & 0x80000000u) != 0u) { bits = insertBits(bits, cell, u32(i) * ${bits}u, ${bits}u); }`, '  }', `  ${putText(m, to.parts, 'word', 'bits')}`, '}',
      ]),
    },
  };
}
