import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const demo = join(root, 'packages/llm/models/quern-demo-q4_0.gguf');
const dir = mkdtempSync(join(tmpdir(), 'quern-cli-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Said { readonly status: number | null; readonly out: string; readonly err: string }

/** The built command, as a user runs it. */
function quern(args: readonly string[], env: Record<string, string> = {}): Said {
  const r = spawnSync(process.execPath, [join(root, 'packages/quern/bin/quern.js'), ...args], { encoding: 'utf8', env: { ...process.env, QUERN_DEVICE: '', ...env }, cwd: dir });
  return { status: r.status, out: r.stdout, err: r.stderr };
}

/** Many command lines, one after the other in one process: to start it takes longer than most of them. */
function querns(lines: readonly (readonly string[])[], env: Record<string, string> = {}): readonly Said[] {
  const script = `
    import { main } from ${JSON.stringify(pathToFileURL(join(root, 'packages/quern/dist/cli.js')).href)};
    const said = [], { stdout, stderr } = process, write = stdout.write.bind(stdout);
    for (const args of JSON.parse(process.argv[1])) {
      const one = { status: 1, out: '', err: '' };
      stdout.write = (text) => { one.out += text; return true; };
      stderr.write = (text) => { one.err += text; return true; };
      try { one.status = await main(args); } catch (e) { one.err += e.stack; }
      said.push(one);
    }
    write(JSON.stringify(said));`;
  const r = spawnSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(lines)], { encoding: 'utf8', env: { ...process.env, QUERN_DEVICE: '', ...env }, cwd: dir });
  expect(r.status, r.stderr).toBe(0); // drivers may say something too
  return JSON.parse(r.stdout) as Said[];
}

/** The command lines of several tests, run together when the first of them asks. */
function together<K extends string>(lines: Readonly<Record<K, readonly string[]>>): (key: K) => Said {
  let said: readonly Said[] | undefined;
  return (key) => (said ??= querns(Object.values(lines)))[Object.keys(lines).indexOf(key)]!;
}
const sample = (seed: string): string[] => ['run', demo, '-p', 'Once', '-n', '30', '--temp', '1', '--seed', seed];
const run = together({
  plain: ['run', demo, '-p', 'One day', '-n', '12'], json: ['run', demo, '-p', 'One day', '-n', '12', '--json'], five: sample('5'), six: sample('6'),
  cuda: ['run', demo, '-p', 'Hi', '-n', '1', '--device', 'cuda:0'], cat: ['start', demo, 'The cat'], one: ['run', demo, '-p', 'Hi', '-n', '2', '--threads', '1'],
});

describe('quern run', () => {
  it('puts the continuation alone on stdout, figures on stderr', () => {
    const r = quern(['run', demo, '-p', 'Once upon a time', '-n', '20']);
    expect(r.status).toBe(0);
    expect(r.out).toMatch(/^[ ,].{30,}\n$/s);
    expect(r.out).not.toMatch(/tok\/s|Once upon a time/);
    expect(r.err).toMatch(/prompt \d+ tokens, [\d.]+ tok\/s; decode 20 tokens, [\d.]+ tok\/s, [\d.]+ GB\/s = \d+ % of the [\d.]+ GB\/s/);
  });

  it('prints one JSON object with --json, the same text again', () => {
    const plain = run('plain'), r = run('json');
    const o = JSON.parse(r.out) as { text: string; tokens: number[]; generatedTokens: number; decodeTokensPerSecond: number; stop: string };
    expect(`${o.text}\n`).toBe(plain.out);
    expect(o).toMatchObject({ generatedTokens: 12, stop: 'length' });
    expect(o.tokens.length).toBe(12);
    expect(o.decodeTokensPerSecond).toBeGreaterThan(1);
  });

  it('samples by seed', () => {
    expect(quern(sample('5')).out).toBe(run('five').out);
    expect(run('five').out).toMatch(/.{20,}/s);
    expect(run('six').out).not.toBe(run('five').out);
  });

  it('keeps to QUERN_NUM_THREADS and to --threads', () => {
    expect(quern(['run', demo, '-p', 'Hi', '-n', '2'], { QUERN_NUM_THREADS: '1' }).err).toContain('1 thread]');
    expect(run('one').err).toContain('1 thread]');
  });

  const wrong = [
    [['run'], 2, /the model file is missing/],
    [['run', demo], 2, /-p TEXT is missing/],
    [['run', demo, '-p', 'x', '-n', 'ten'], 2, /--tokens needs a whole number of at least 0, got 'ten'/],
    [['run', demo, '-p', 'x', '--threads', '0'], 2, /--threads needs a whole number of at least 1/],
    [['run', demo, '-p', 'x', '--colour'], 2, /--colour/],
    [['run', demo, 'extra', '-p', 'x'], 2, /too many arguments: 'extra'/],
    [['run', demo, '-p', 'x', '--kv', 'q4'], 2, /--kv is f16 or f32/],
    [['run', 'nothing.gguf', '-p', 'x'], 1, /nothing\.gguf/],
    [['run', demo, '-p', ''], 0, /./],
    [['run', demo, '-p', 'word '.repeat(50), '--context', '8'], 1, /the context 8.*Fix: shorten the prompt/s],
    [['run', demo, '-p', 'x', '--top-p', '7'], 1, /topP/],
    [['dance'], 2, /unknown command 'dance'/],
    [['kernel', 'nothing.ts'], 2, /there is no file nothing\.ts/],
  ] as const;
  const broken = ['short.gguf', 'cut.gguf', 'text.gguf', 'empty.gguf'], commands = ['run', 'devices', 'doctor', 'kernel', 'tune', 'start'];
  const others = together(Object.fromEntries([...wrong.map(([args]) => args), ...broken.map((name) => ['run', name, '-p', 'x']), ...commands.map((c) => [c, '--help'])].map((args) => [args.join(' '), args])));
  beforeAll(() => {
    const bytes = readFileSync(demo), content = [bytes.subarray(0, 1000), bytes.subarray(0, bytes.length - 4096), Buffer.from('hello, this is no model'), Buffer.alloc(0)];
    broken.forEach((name, i) => writeFileSync(join(dir, name), content[i]!));
  });

  it('ends with 1 or 2 and says why', () => {
    expect(quern(['dance']).status).toBe(2); // as a user runs it
    for (const [args, status, text] of wrong) {
      const line = args.join(' '), r = others(line);
      expect(r.err + r.out, line).toMatch(text);
      expect(r.err, line).not.toMatch(/\n\s+at /);
      expect(r.status, line).toBe(status);
    }
  });

  it('says what is wrong with a damaged model, in one line and without a stack', () => {
    for (const name of broken) {
      const r = others(`run ${name} -p x`);
      expect(r.status, name).toBe(1);
      expect(r.err, name).toMatch(/^quern run: .*Fix: /s);
      expect(r.err, name).not.toMatch(/\n\s+at /);
    }
  });

  it('and every other command has a help', () => {
    const { out } = quern(['help']);
    for (const c of commands) {
      expect(out).toContain(c);
      expect(others(`${c} --help`).out).toContain(`quern ${c}`);
    }
  });

  it('falls back to the CPU for a device that is absent, and says so', () => {
    expect(run('cuda').status).toBe(0);
    expect(run('cuda').err).toMatch(/cuda/);
  });
});

describe('the other commands', () => {
  it('devices and doctor tell people and machines the same', () => {
    expect(quern(['devices']).out).toMatch(/^cpu:0 .*\n(.+\n)*picked: cpu:0/m);
    const [devices, asJson, people] = querns([['devices', '--json'], ['doctor', '--json'], ['doctor']]), listed = JSON.parse(devices!.out) as { devices: { id: string }[]; picked: { info: { id: string } } };
    expect([listed.devices[0]?.id, listed.picked.info.id]).toEqual(['cpu:0', 'cpu:0']); // what GPUs follow is this machine's
    const doctor = JSON.parse(asJson!.out) as { addon: { loaded: boolean; tier: string } };
    expect(doctor.addon).toMatchObject({ loaded: true, tier: 'build' });
    expect(people!.status).toBe(0);
  });

  it('kernel shows the stages of a TypeScript file and checks the compiled code', () => {
    const r = quern(['kernel', join(root, 'examples/saxpy.ts'), '--run'], { QUERN_CACHE_DIR: join(dir, 'cache') });
    expect(r.status).toBe(0);
    for (const text of ['==== algorithm', '-- after split(i', '==== lowered', 'int32_t saxpy__']) expect(r.out).toContain(text);
    expect(r.err).toMatch(/2006 elements, 0 differ/);
    const more = [['x86-64', '--stage', 'c'], ['z80'], ['cuda-sm90a'], ['opencl', '--stage', 'opencl'], ['opencl', '--run'], ['x86-64', '--stage', 'plan']];
    const [c, z80, gpu, opencl, run, plan] = querns(more.map((rest) => ['kernel', join(root, 'examples/saxpy.ts'), '--target', ...rest]));
    expect(c!.out).toContain('saxpy__x86_64(');
    expect(z80!.err).toMatch(/--target is one of/);
    for (const text of ['==== plan (cuda-sm90a)', 'launch saxpy_kernel(x, y, N, a) on (N + 255) / 256 workgroup(s) of 64 lane(s)', '==== cuda', '__global__']) expect(gpu!.out).toContain(text);
    expect(opencl!.out).toContain('__kernel');
    expect(run!.err).toMatch(/--run compares on this CPU/);
    expect(plan!.err).toMatch(/--stage is one of algorithm, schedule, lowered, c for x86-64, got 'plan'/);
  });

  it('tune measures the choices of a schedule and remembers them', () => {
    const env = { QUERN_CACHE_DIR: join(dir, 'tuned') }, out = join(dir, 'record.json');
    // Where imports find the packages, and with one candidate beside the first.
    mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
    const folder = mkdtempSync(join(root, 'node_modules/.cache/quern-tune-')), file = join(folder, 'gemm.ts');
    writeFileSync(file, readFileSync(join(root, 'examples/gemm.ts'), 'utf8').replace(/\.\.\.gotoCandidates\((.*)\)\]/, '...gotoCandidates($1).slice(0, 1)]'));
    try {
      const args = ['tune', file, '--sizes', 'M=40,N=64,K=50', '--threads', '1', '--turns', '3'];
      const first = quern([...args, '--out', out], env);
      expect(first.err).toMatch(/remembered in .*gemm-[0-9a-f]{16}\.json/);
      expect(first.out).toMatch(/gemm on .*, 1 thread\(s\), M = 40, K = 50, N = 64\n(.*us median.*\n){2}/);
      const [record] = JSON.parse(readFileSync(out, 'utf8')) as { key: { sizes: Record<string, number> }; candidates: { us: number[] }[] }[];
      expect(record!.key.sizes).toEqual({ M: 32, N: 64, K: 64 });
      expect(record!.candidates.map((c) => c.us.length)).toEqual([3, 3]);
      const [again, noSize, noTuning] = querns([[...args, '--json'], [...args, '--sizes', 'Q=1'], ['tune', join(root, 'examples/saxpy.ts')]], env);
      expect(again!.err).toContain('earlier run');
      expect(JSON.parse(again!.out)).toEqual(record);
      expect(noSize!.err).toMatch(/no size 'Q'; its sizes are M, K, N/);
      expect(noTuning!.err).toMatch(/exports no tuning/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('kernel refuses what may leave its buffer, and shows the line with a caret', () => {
    const file = join(dir, 'shift.mjs');
    writeFileSync(file, `import { axes, kernel, tensor } from ${JSON.stringify(pathToFileURL(join(root, 'packages/kernel-dsl/dist/index.js')).href)};
export const algorithm = kernel('shift', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(x.at(i.add(1)));
  return ax;
});
`);
    const r = quern(['kernel', file]);
    expect(r.status).toBe(1);
    expect(r.err).toContain('KD-V-BOUNDS x[i + 1]: index [1] is outside of x[N]');
    expect(r.err).toMatch(/4 \|   for \(const i of ax\.i\) y\.at\(i\)\.set\(x\.at\(i\.add\(1\)\)\);\n +\| {39}\^/);
    expect(r.err).toContain('e.g. N = 1, i = 0');
  });

  it('start shows devices, a kernel and a model; with a model, only that', () => {
    const all = quern(['start']);
    expect(all.status).toBe(0);
    for (const text of ['Devices', 'A kernel', 'bit for bit', 'A model', 'GB/s']) expect(all.out).toContain(text);
    const own = run('cat');
    expect(own.status).toBe(0);
    expect(own.out).toContain('The cat');
    expect(own.out).not.toContain('Devices');
  });
});
