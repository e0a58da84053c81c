/** Runs emitted CUDA for warps on this machine's CPU, by way of warp-machine.hpp: its inline PTX becomes calls of what the header says of each instruction. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import type { GpuModule } from '../../src/emit/gpu/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { has, temporary } from '../emit/harness.ts';
import type { TensorValue } from '../emit/harness.ts';
import { launchesOf } from './harness.ts';

const HEADER = fileURLToPath(new URL('warp-machine.hpp', import.meta.url));

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

/** One asm statement as C++. */
function call(inside: string): string {
  const [template, outs, ins] = parts(inside, ':'), text = template!.replace(/^"|"$/g, ''), o = operands(outs), x = operands(ins), list = (xs: readonly string[], before = ''): string => `{${xs.map((y) => before + y).join(', ')}}`;
  if (text === '' || text.startsWith('griddepcontrol')) return ';';
  if (text.startsWith('ldmatrix.sync.aligned.m8n8.x4.shared.b16')) return `ldmatrix_x4(${list(o, '&')}, ${x[0]!});`;
  if (text.startsWith('mma.sync.aligned.')) {
    const [, element, sum, register] = FACTORS.find(([is]) => is.test(text)) ?? (() => { throw new Error(`no product ${text}`); })(), a = [...text.matchAll(/\{([^}]*)\}/g)][1]![1]!.split(',').length;
    return `mma<${element}, ${sum}, ${register}>(${list(o, '&')}, ${list(x.slice(0, a))}, ${list(x.slice(a))});`;
  }
  const copy = /^cp\.async\.c[ag]\.shared\.global\S* \[%0\], \[%1\], (\d+), %2;$/.exec(text), wait = /^cp\.async\.wait_group (\d+);$/.exec(text), arithmetic = /^(sub|mul)\.rn\.f16x2/.exec(text);
  if (copy) return `copy_async(${x[0]!}, ${x[1]!}, ${copy[1]!}, ${x[2]!});`;
  if (text === 'cp.async.commit_group;') return 'copies_commit_group();';
  if (wait) return `copies_wait_group(${wait[1]!});`;
  if (arithmetic) return `${o[0]!} = halves(${o[0]!}, ${x[0]!}, [](float p, float q) { return p ${arithmetic[1] === 'sub' ? '-' : '*'} q; });`;
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

/** Compiles a lowered kernel for a call; what it gives runs it on such arguments, whose tensors change in place. `late`: asynchronous copies happen when they are waited for, not before. */
export function onWarpMachine(k: KernelIR, target: Target, args: Readonly<Record<string, TensorValue>>, arch: number): (args: Readonly<Record<string, TensorValue>>, late: boolean) => void {
  const whole = (m: GpuModule): boolean => m.alignment.every((a) => { const { shape } = args[a.param]!, row = shape.at(-1)!; return row % a.elements === 0; });
  const wide = emitGpu(k, target), m = whole(wide) ? wide : emitGpu(k, target, { aligned: false }), base = join(temporary(), `warps-${k.name}`);
  const tensorsOf = (of: Readonly<Record<string, TensorValue>>): readonly TensorValue[] => k.params.flatMap((p) => (p.kind === 'tensor' ? [of[p.name]!] : [])), tensors = tensorsOf(args), file = (i: number): string => `${base}-${i}.bin`;
  const bytes = (t: TensorValue): Uint8Array => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength), text = (e: unknown): string => String((e as { stderr?: Buffer }).stderr ?? '').slice(0, 3000) || String(e);
  const launches = launchesOf(m, k, args).map((l) => {
    const params = parts(new RegExp(`void __launch_bounds__\\([^)]*\\) ${l.entry}\\(([^)]*)\\)`).exec(m.source)![1]!, ',').map((p) => p.replace(/\w+$/, '').replace(/__restrict__|\s+$/g, ''));
    const given = l.args.map((a, i) => (typeof a === 'number' ? `(${params[i]!})buffers[${a}]` : String(new DataView(a.buffer, a.byteOffset).getInt32(0, true))));
    return `  launch({${l.global.map((n, d) => n / l.local[d]!).join(', ')}}, {${l.local.join(', ')}}, [&] { ${l.entry}(${given.join(', ')}); });`;
  });
  const main = [
    'static std::vector<char> read(const char *name) { std::vector<char> x; FILE *f = fopen(name, "rb"); for (int c; (c = fgetc(f)) != EOF;) x.push_back((char)c); fclose(f); return x; }',
    'int main(int argc, char **) {', '  late = argc > 1;', `  std::vector<std::vector<char>> memory = {${tensors.map((_, i) => `read("${file(i)}")`).join(', ')}};`, '  std::vector<void *> buffers;', '  for (auto &x : memory) { const size_t n = (x.size() + 1023) / 256 * 256; buffers.push_back(aligned_alloc(256, n)); memset(buffers.back(), 0x7f, n); }   // what lies after a tensor is no zero',
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
