import { writeFileSync } from 'node:fs';
import type { KernelIR } from '@quern/kernel-dsl';
import { cpuInfo, tune as tuneKernel, zeros } from '@quern/runtime';
import type { KernelArgs, Tensor, TuneRecord } from '@quern/runtime';
import { UsageError, optionHelp, parse, progressLine } from '../cli/index.ts';
import { chooseTarget } from './kernel.ts';
import { loadKernelModule } from './module.ts';

const OPTIONS = {
  sizes: { kind: 'text', value: 'M=512,N=512', help: 'sizes to tune for; 512 for those not named' },
  threads: { kind: 'integer', min: 1, help: 'threads (default: as many as a call gets)' },
  turns: { kind: 'integer', min: 3, help: 'turns of each candidate (default: 9)' },
  target: { kind: 'text', value: 'ISA', help: "the instruction set (default: this CPU's best)" },
  force: { kind: 'flag', help: 'measure again, even though there is a record' },
  out: { kind: 'text', value: 'FILE', help: 'write the record there too, to be shipped with a package' },
  json: { kind: 'flag', help: 'print the record as JSON' },
} as const;

export const TUNE_HELP: string = `quern tune FILE [options]

Measures the schedules that a kernel leaves open and remembers the fastest for this machine.
FILE exports \`algorithm\` and \`tuning\`: { candidates(target), schedule(s, axes, params) }.
The first candidate stays unless another is faster by more than the noise.

${optionHelp(OPTIONS)}
`;

/** `M=512,N=64` as numbers. */
function sizesFrom(text: string | undefined, known: readonly string[]): Record<string, number> {
  const sizes: Record<string, number> = Object.fromEntries(known.map((n) => [n, 512]));
  for (const part of text === undefined ? [] : text.split(',')) {
    const [name = '', value = ''] = part.split('=').map((x) => x.trim());
    if (!known.includes(name)) throw new UsageError(`--sizes: the kernel has no size '${name}'; its sizes are ${known.join(', ')}`);
    const n = Number(value);
    if (!Number.isSafeInteger(n) || n < 1) throw new UsageError(`--sizes: ${name} must be a whole number of at least 1, got '${value}'`);
    sizes[name] = n;
  }
  return sizes;
}

/** The same random arguments each time: tensors of numbers in -1..1 (0..99 for integers), scalars 1. */
function argsFor(ir: KernelIR, sizes: Readonly<Record<string, number>>): KernelArgs {
  let state = 1;
  const next = (): number => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state / 2 ** 32; };
  const dim = (e: (typeof ir.params)[number] & { kind: 'tensor' }): number[] => e.buf.shape.map((d) => {
    if (d.kind === 'const') return d.value;
    if (d.kind === 'size') return sizes[d.name]!;
    throw new UsageError(`${e.name} has a dimension that is neither a number nor a size`);
  });
  return Object.fromEntries(ir.params.map((p): [string, Tensor | number] => {
    if (p.kind === 'scalar') return [p.name, 1];
    const shape = dim(p), count = shape.reduce((a, b) => a * b, 1), float = /^b?f/.test(p.buf.dtype);
    return [p.name, zeros(shape, p.buf.dtype).write(Float64Array.from({ length: count }, () => (float ? 2 * next() - 1 : Math.floor(100 * next()))))];
  }));
}

const least = (us: readonly number[]): number => Math.min(...us);

/** The candidates as a table, fastest first. */
function table(r: TuneRecord): string {
  const rows = [...r.candidates].sort((a, b) => (a.us.length ? least(a.us) : Infinity) - (b.us.length ? least(b.us) : Infinity));
  const middle = (us: readonly number[]): number => [...us].sort((a, b) => a - b)[us.length >> 1]!;
  return rows.map((c) => {
    const won = JSON.stringify(c.params) === JSON.stringify(r.winner) ? '*' : ' ', first = c === r.candidates[0] ? '  (first)' : '';
    return c.us.length ? `${won} ${least(c.us).toFixed(1).padStart(10)} us  ${middle(c.us).toFixed(1).padStart(10)} us median  ${JSON.stringify(c.params)}${first}` : `  ${'-'.padStart(10)}     ${c.error}  ${JSON.stringify(c.params)}`;
  }).join('\n');
}

/** `quern tune`: measures the candidates of a kernel's schedule. */
export async function tune(argv: readonly string[]): Promise<number> {
  const { values: v, rest: [file = ''] } = parse(argv, OPTIONS, { min: 1, max: 1, what: 'the file with the kernel' });
  const m = await loadKernelModule(file);
  if (!m.tuning) throw new UsageError(`${file} exports no tuning: write export const tuning = { candidates: (target) => […], schedule: (s, axes, params) => … }`);
  const { ir } = m.algorithm, sizes = sizesFrom(v.sizes, ir.sizes), t = chooseTarget(v.target);
  if (!cpuInfo().isas.includes(t.isa)) throw new UsageError(`this CPU does not run ${t.isa}: it has ${cpuInfo().isas.join(', ')}`);
  const lines = { compile: progressLine('compiling'), race: progressLine('measuring') };
  const { record, remembered, path } = await tuneKernel(m.algorithm, m.tuning, () => argsFor(ir, sizes), {
    isa: t.isa, ...(v.threads === undefined ? {} : { threads: v.threads }), ...(v.turns === undefined ? {} : { turns: v.turns }), force: v.force === true,
    onProgress: ({ stage, done, total }) => lines[stage].update(done, total),
  });
  lines.compile.end();
  lines.race.end();
  if (v.out !== undefined) writeFileSync(v.out, `${JSON.stringify([record], null, 1)}\n`);
  if (v.json) process.stdout.write(`${JSON.stringify(record)}\n`);
  else process.stdout.write(`${m.algorithm.name} on ${t.isa}, ${record.key.threads} thread(s), ${Object.entries(sizes).map(([n, x]) => `${n} = ${x}`).join(', ')}\n${table(record)}\n`);
  process.stderr.write(remembered ? 'this is a record of an earlier run: --force measures again\n' : `remembered${path === undefined ? '' : ` in ${path}`}\n`);
  return 0;
}
