/** Runs emitted CUDA for warps and warpgroups on this machine's CPU, by way of warp-machine.hpp and team-machine.hpp: its inline PTX becomes calls of what the header says of each instruction. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitGpu, evaluate } from '../../src/emit/gpu/index.ts';
import type { GpuArg, GpuModule } from '../../src/emit/gpu/index.ts';
import { bytesOf } from '../../src/ir/index.ts';
import type { DType, KernelIR } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { has, temporary } from '../emit/harness.ts';
import type { TensorValue, Value } from '../emit/harness.ts';
import { hostValues, launchesOf } from './harness.ts';

const HEADER = fileURLToPath(new URL('team-machine.hpp', import.meta.url));

/** Pieces of a text between separators that stand in no parentheses and no string. */
function parts(text: string, separator: string): readonly string[] {
  const out: string[] = [];
  let depth = 0, quoted = false, from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"' && text[i - 1] !== '\\') quoted = !quoted;
    if (quoted) continue;
    if ('({['.includes(c!)) depth++;
    if (')}]'.includes(c!)) depth--;
    if (c === separator && depth === 0) { out.push(text.slice(from, i)); from = i + 1; }
  }
  return [...out, text.slice(from)].map((x) => x.trim());
}
/** `"=r"(x), "r"(y)` as x and y. */
const operands = (text: string | undefined): readonly string[] => (text ? parts(text, ',').filter((x) => x !== '').map((x) => x.replace(/^"[^"]*"/, '')) : []);

const FACTORS: readonly (readonly [RegExp, element: string, sum: string, register: string])[] = [[/\.f32\.f16\./, 'F16', 'float', 'uint32_t'], [/\.f32\.bf16\./, 'BF16', 'float', 'uint32_t'], [/\.f32\.tf32\./, 'TF32', 'float', 'uint32_t'], [/\.s32\.s8\./, 'S8', 'int', 'uint32_t'], [/\.f64\.f64\./, 'F64', 'double', 'double']];

/** What nothing has to happen for, and what one function stands for: the beginnings of texts. */
const NOTHING = /^(griddepcontrol|setmaxnreg|fence\.|wgmma\.fence)/, CALLS: readonly (readonly [string, string])[] = [
  ['mbarrier.init.', 'mbarrier_init_at'], ['mbarrier.arrive.expect_tx.', 'mbarrier_expect_at'], ['mbarrier.arrive.shared::cta.', 'mbarrier_arrive_here'], ['mbarrier.arrive.shared::cluster.', 'mbarrier_arrive_there'],
  ['mbarrier.try_wait.parity.', 'mbarrier_wait_at'], ['mapa.shared::cluster.', 'mapa'], ['barrier.cluster.arrive.release;', 'cluster.wait'], ['wgmma.commit_group.', 'wgmma_commit_group'], ['ex2.approx.', 'exp2f'],
];

/** One asm statement as C++. */
function call(inside: string): string {
  const [template, outs, ins] = parts(inside, ':'), text = template!.replace(/"\s*"/g, '').replace(/^"|"$/g, ''), o = operands(outs), x = operands(ins), list = (xs: readonly string[], before = ''): string => `{${xs.map((y) => before + y).join(', ')}}`;
  if (text === '' || NOTHING.test(text)) return ';';
  if (text.startsWith('ldmatrix.sync.aligned.m8n8.x4.shared.b16')) return `ldmatrix_x4(${list(o, '&')}, ${x[0]!});`;
  if (text.startsWith('mma.sync.aligned.')) {
    const [, element, sum, register] = FACTORS.find(([is]) => is.test(text)) ?? (() => { throw new Error(`no product ${text}`); })(), a = [...text.matchAll(/\{([^}]*)\}/g)][1]![1]!.split(',').length;
    return `mma<${element}, ${sum}, ${register}>(${list(o, '&')}, ${list(x.slice(0, a))}, ${list(x.slice(a))});`;
  }
  if (text.startsWith('{\\n.reg .pred p;')) {
    const [, k, types] = /wgmma\.mma_async\.sync\.aligned\.m64n\d+k(\d+)(\.\S+)/.exec(text)!, [, element, sum] = FACTORS.find(([is]) => is.test(`${types!}.`))!;
    return x.length === 3 ? `wgmma<${element}, ${sum}>(${list(o, '&')}, ${k!}, ${x.join(', ')});` : `wgmma_held<${element}, ${sum}>(${list(o, '&')}, ${k!}, ${list(x.slice(0, 4))}, ${x.slice(4).join(', ')});`;
  }
  const named = CALLS.find(([begin]) => text.startsWith(begin) || text.startsWith(`{\\n.reg .pred done;\\nagain_%=:\\n${begin}`)), bulk = /^cp\.async\.bulk\.tensor\.(\d)d\.shared::cluster\.global\.mbarrier::complete_tx::bytes(\.multicast::cluster)? /.exec(text), group = /^wgmma\.wait_group\.sync\.aligned (\d+);$/.exec(text);
  if (named) return `${o[0] === undefined ? '' : `${o[0]} = `}${named[1]}(${x.join(', ')});`;
  if (bulk) return `bulk_copy(${list(x.slice(3, 3 + Number(bulk[1])))}, ${x.slice(0, 3).join(', ')}, ${bulk[2] ? x.at(-1)! : 0});`;
  if (group) return `wgmma_wait_group(${group[1]!});`;
  const copy = /^cp\.async\.c[ag]\.shared\.global\S* \[%0\], \[%1\], (\d+), %2;$/.exec(text), wait = /^cp\.async\.wait_group (\d+);$/.exec(text), arithmetic = /^(sub|mul)\.rn\.f16x2/.exec(text);
  if (copy) return `copy_async(${x[0]!}, ${x[1]!}, ${copy[1]!}, ${x[2]!});`;
  if (text === 'cp.async.commit_group;') return 'copies_commit_group();';
  if (wait) return `copies_wait_group(${wait[1]!});`;
  if (arithmetic) return `${o[0]!} = halves(${o[0]!}, ${x[0]!}, [](float p, float q) { return p ${arithmetic[1] === 'sub' ? '-' : '*'} q; });`;
  const pair = /^cvt\.rn\.(f16|bf16)x2\.f32 /.exec(text), rounded = pair && `float_to_${pair[1] === 'f16' ? 'half' : 'bf16'}`;
  if (rounded) return `${o[0]!} = ${rounded}(${x[1]!}) | (uint32_t)${rounded}(${x[0]!}) << 16;`;
  const convert = { 'cvt.f32.f16': 'half_to_float', 'cvt.rn.f16.f32': 'float_to_half', 'cvt.rn.bf16.f32': 'float_to_bf16' }[text.split(' ')[0]!];
  if (!convert) throw new Error(`nothing stands for ${text}`);
  return `${o[0]!} = ${convert}(${x[0]!});`;
}

/** Emitted CUDA as C++ for the header. */
export function asCpp(source: string): string {
  let out = '', rest = source.replace(/^.*extern __shared__.*\n/gm, '');
  for (let at = rest.search(/\basm\b/); at >= 0; at = rest.search(/\basm\b/)) {
    const open = rest.indexOf('(', at);
    let depth = 0, quoted = false, end = open;
    for (; ; end++) {
      if (rest[end] === '"' && rest[end - 1] !== '\\') quoted = !quoted;
      if (quoted) continue;
      if (rest[end] === '(') depth++;
      if (rest[end] === ')' && --depth === 0) break;
    }
    out += rest.slice(0, at) + call(rest.slice(open + 1, end));
    rest = rest.slice(end + 2);
  }
  return out + rest;
}

/** Is there a C++ compiler? Where all that the wider tests need is installed, tests run and fail without it. */
export const GXX: boolean = process.env['QUERN_REQUIRE_ALL'] !== undefined || has('g++');

/** A tensor as the copy engine is told of it: dense, innermost dimension first. */
function mapOf({ box, swizzle }: Extract<GpuArg, { kind: 'tensormap' }>, buffer: number, { shape }: TensorValue, dtype: DType): string {
  const dims = [...shape].reverse(), strides = dims.map((_, d) => dims.slice(0, d).reduce((n, x) => n * x, bytesOf(dtype)));
  return `[&] { Map m = {(char *)buffers[${buffer}], ${dims.length}, ${bytesOf(dtype)}, ${swizzle}, {${box.join(', ')}}, {${dims.join(', ')}}, {${strides.join(', ')}}}; tensor_map t; memcpy(&t, &m, sizeof m); return t; }()`;
}

/** Compiles a lowered kernel for a call; what it gives runs it on such arguments, whose tensors change in place. `late`: asynchronous copies happen when they are waited for, not before. */
export function onWarpMachine(k: KernelIR, target: Target, args: Readonly<Record<string, Value>>, arch: number): (args: Readonly<Record<string, Value>>, late: boolean) => void {
  const whole = (m: GpuModule): boolean => m.alignment.every((a) => { const { shape } = args[a.param] as TensorValue, row = shape.at(-1)!; return row % a.elements === 0; });
  const wide = emitGpu(k, target), m = whole(wide) ? wide : emitGpu(k, target, { aligned: false }), base = join(temporary(), `warps-${k.name}`);
  const tensorsOf = (of: Readonly<Record<string, Value>>): readonly TensorValue[] => k.params.flatMap((p) => (p.kind === 'tensor' ? [of[p.name] as TensorValue] : [])), tensors = tensorsOf(args), names = k.params.flatMap((p) => (p.kind === 'tensor' ? [p] : [])), host = hostValues(k, args), file = (i: number): string => `${base}-${i}.bin`;
  const bytes = (t: TensorValue): Uint8Array => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength), text = (e: unknown): string => String((e as { stderr?: Buffer }).stderr ?? '').slice(0, 3000) || String(e);
  const launches = launchesOf(m, k, args).map((l) => {
    const params = parts(new RegExp(`void __launch_bounds__\\([^)]*\\) ${l.entry}\\(([^)]*)\\)`).exec(m.source)![1]!, ',').map((p) => p.replace(/\w+$/, '').replace(/__restrict__|\s+$/g, ''));
    const given = l.args.map((a, i) => {
      const { [i]: from } = l.launch.args;
      if (typeof a === 'number') return `(${params[i]!})buffers[${a}]`;
      if (from?.kind === 'tensormap') return mapOf(from, names.findIndex((p) => p.name === from.param), args[from.param] as TensorValue, names.find((p) => p.name === from.param)!.buf.dtype);
      const v = new DataView(a.buffer, a.byteOffset);
      return params[i] === 'float' ? `${v.getFloat32(0, true)}f` : String(v.getInt32(0, true));
    });
    return `  launch({${l.global.map((n, d) => n / l.local[d]!).join(', ')}}, {${l.local.join(', ')}}, {${(l.launch.cluster ?? [1, 1, 1]).join(', ')}}, [&] { ${l.entry}(${given.join(', ')}); });`;
  });
  const main = [
    'static std::vector<char> read(const char *name) { std::vector<char> x; FILE *f = fopen(name, "rb"); for (int c; (c = fgetc(f)) != EOF;) x.push_back((char)c); fclose(f); return x; }',
    'int main(int argc, char **) {', '  late = argc > 1;', `  std::vector<std::vector<char>> memory = {${tensors.map((_, i) => `read("${file(i)}")`).join(', ')}};`, '  std::vector<void *> buffers;', '  for (auto &x : memory) { const size_t n = (x.size() + 1023) / 256 * 256; buffers.push_back(aligned_alloc(256, n)); memset(buffers.back(), 0x7f, n); }   // what lies after a tensor is no zero',
    ...m.workspace.map((w) => `  { const size_t n = ${Math.ceil(evaluate(w.elements, host) * bytesOf(w.dtype) / 256) * 256 + 256}; buffers.push_back(aligned_alloc(256, n)); memset(buffers.back(), 0x7f, n); }`), '  buffers.push_back(calloc(1, 256));   // faults',
    '  for (size_t i = 0; i < memory.size(); i++) memcpy(buffers[i], memory[i].data(), memory[i].size());', ...launches,
    ...tensors.map((t, i) => `  { FILE *f = fopen("${file(i)}", "wb"); fwrite(buffers[${i}], 1, ${t.data.byteLength}, f); fclose(f); }`), '}',
  ];
  writeFileSync(`${base}.cpp`, [`#include "${HEADER}"`, asCpp(m.source), ...main].join('\n'));
  const exec = (command: string, ...rest: readonly string[]): void => {
    try { execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 }); } catch (e) { throw new Error(`${k.name}: ${text(e)}`, { cause: e }); }
  };
  // Wide accesses must be aligned, as on a GPU.
  exec('g++', '-std=c++20', '-O1', '-w', '-fsanitize=alignment', '-fno-sanitize-recover=alignment', `-D__CUDA_ARCH__=${arch}`, `${base}.cpp`, '-o', base);
  return (given, late) => {
    tensorsOf(given).forEach((t, i) => writeFileSync(file(i), bytes(t)));
    exec(base, ...(late ? ['late'] : []));
    tensorsOf(given).forEach((t, i) => bytes(t).set(readFileSync(file(i))));
  };
}
