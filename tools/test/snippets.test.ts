/** The documents tell the truth: their code is taken out and run. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GPU_TARGETS, MAX_ULP, TARGETS, lower, target } from '@quern/kernel-dsl';
import { libraryFiles } from '@quern/kernel-dsl/c';
import { listDevices } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { applied, document, root, snippetsOf } from './snippets.ts';

const opencl = (await listDevices()).devices.some((d) => d.kind === 'opencl');

// In the repository, so that packages are found; not named like a test's folder.
const dir = mkdtempSync(join(root, 'tools/test/snippets-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const put = (path: string, text: string): string => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
  return join(dir, path);
};
/** What became of a file of tests in a run of its own: whether each passed, and why not. */
interface Ran { readonly passed: number; readonly failed: number; readonly why: string }
/** Runs files of tests as a reader would, all in one process. */
function vitest(...paths: readonly string[]): (path: string) => Ran {
  const report = join(dir, 'report.json');
  const r = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...paths, '--project=together', '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`], { cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  expect(existsSync(report), r.stdout + r.stderr).toBe(true);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: { name: string; message: string; assertionResults: { status: string; failureMessages: string[] }[] }[] };
  return (path) => {
    const file = testResults.find((x) => x.name === path), tests = file?.assertionResults ?? [];
    return { passed: tests.filter((t) => t.status === 'passed').length, failed: tests.filter((t) => t.status === 'failed').length, why: [file?.message, ...tests.flatMap((t) => t.failureMessages)].join('\n') };
  };
}
let ran: ((path: string) => Ran) | undefined;
/** The tests that the pages show, and one of a kernel that was made wrong. */
const pages = { relu6: join(dir, 'dnn/test/relu6.test.ts'), wrong: join(dir, 'wrong/test/relu6.test.ts'), saxpy: [join(dir, 'conformance/saxpy.test.ts'), ...(opencl ? [join(dir, 'conformance/saxpy-gpu.test.ts')] : [])] };
const outcome = (path: string): Ran => (ran ??= vitest(pages.relu6, pages.wrong, ...pages.saxpy))(path);

describe('CONTRIBUTING.md: add a kernel', () => {
  const snippets = snippetsOf(document('CONTRIBUTING.md'));
  const file = (name: string): string => snippets.find((s) => s.file === name && s.language !== 'diff')!.text;
  const here = (path: string): string => path.replace('packages/dnn/', 'dnn/');

  cpSync(join(root, 'packages/dnn/src/kernels'), join(dir, 'dnn/src/kernels'), { recursive: true });
  put(here('packages/dnn/src/kernels/relu6.ts'), file('packages/dnn/src/kernels/relu6.ts'));
  put(here('packages/dnn/test/relu6.test.ts'), file('packages/dnn/test/relu6.test.ts'));
  const index = join(dir, 'dnn/src/kernels/index.ts');

  it('its list takes the kernel, and the library has it where the page says', async () => {
    for (const s of snippets.filter((x) => x.language === 'diff' && x.file.startsWith('packages/dnn/'))) {
      expect(s.file).toBe('packages/dnn/src/kernels/index.ts');
      writeFileSync(index, applied(readFileSync(index, 'utf8'), s.text));
    }
    const { kernelNamed } = (await import(index)) as typeof import('../../packages/dnn/src/kernels/index.ts'), k = kernelNamed('relu6');
    const files = libraryFiles([{ name: k.name, build: (t) => lower(k.schedule(t).ir, t) }], TARGETS, { name: 'dnn' });
    const page = document('CONTRIBUTING.md'), symbol = /`(relu6__\w+)`/.exec(page)![1]!, path = /`packages\/dnn\/native\/gen\/(lib_\w+\.c)`/.exec(page)![1]!;
    expect(files.find((f) => f.path === path)!.text).toContain(`${symbol}(const quern_ctx`);
    expect(readFileSync(join(root, 'packages/dnn/src/ops/rows.ts'), 'utf8')).toContain('export function silu(');
  });

  it('its test passes, and fails when the kernel is wrong', () => {
    cpSync(join(dir, 'dnn'), join(dir, 'wrong'), { recursive: true });
    const relu6 = join(dir, 'wrong/src/kernels/relu6.ts'), right = readFileSync(relu6, 'utf8');
    writeFileSync(relu6, right.replace('.min(6)', '.min(5)'));
    expect(readFileSync(relu6, 'utf8')).not.toBe(right);
    expect(outcome(pages.relu6)).toMatchObject({ passed: 1, failed: 0 });
    expect(outcome(pages.wrong)).toMatchObject({ passed: 0, failed: 1, why: expect.stringContaining('is too far from the oracle') });
  }, 120_000);

  it('its changeset names packages that exist', () => {
    const [, list = ''] = /^---\n([^]*?)---\n\n\S/.exec(file('.changeset/relu6.md')) ?? [];
    const [, name = '', bump = ''] = /^"(@quern\/\w+)": (patch|minor|major)\n$/.exec(list) ?? [];
    expect(document(`packages/${name.slice('@quern/'.length)}/package.json`)).toContain(`"name": "${name}"`);
    expect(bump).toBe('minor');
  });
});

describe('CONTRIBUTING.md: add a target', () => {
  const snippets = snippetsOf(document('CONTRIBUTING.md')).filter((s) => s.file.startsWith('packages/kernel-dsl/'));

  it('its file and its lines make a target that kernels are emitted for', async () => {
    const src = join(dir, 'kernel-dsl/src'), index = join(src, 'targets/index.ts');
    cpSync(join(root, 'packages/kernel-dsl/src'), src, { recursive: true });
    expect(snippets.map((s) => s.language)).toEqual(['ts', 'diff', 'diff']);
    for (const s of snippets) {
      const path = s.file.replace('packages/', '');
      if (s.language === 'ts') put(path, s.text);
      else writeFileSync(index, applied(readFileSync(index, 'utf8'), s.text));
    }
    const dsl = (await import(join(src, 'index.ts'))) as typeof import('@quern/kernel-dsl'), t = dsl.target('cuda-sm89');
    const k = dsl.kernel('twice', { x: dsl.tensor('f32', 'N').inout() }, ({ x, N }) => {
      const ax = dsl.axes({ i: N });
      for (const i of ax.i) x.at(i).set(x.at(i).mul(2));
      return ax;
    });
    const { emitGpu } = (await import(join(src, 'gpu.ts'))) as typeof import('@quern/kernel-dsl/gpu'), m = emitGpu(dsl.lower(k.ir, t), t);
    expect(m.flags).toContain('--gpu-architecture=sm_89');
    expect(m.source).toContain('twice_kernel(');
    expect(() => target('cuda-sm89')).toThrow('unknown target');
  });
});

describe('README.md of kernel-dsl', () => {
  const snippets = snippetsOf(document('packages/kernel-dsl/README.md'));

  it('shows the C and the CUDA that its kernel becomes', async () => {
    const { c, source, plan } = (await import(put('readme/saxpy.ts', snippets.filter((s) => s.language === 'ts').map((s) => s.text).join('\n')))) as { c: string; source: string; plan: readonly { kind: string }[] };
    const excerpts = snippets.filter((s) => s.language === 'c'), cuda = snippets.filter((s) => s.language === 'cpp');
    expect([excerpts.length, cuda.length]).toEqual([2, 1]);
    for (const e of excerpts) expect(c).toContain(e.text);
    for (const e of cuda) expect(source).toContain(e.text);
    expect(plan.map((step) => step.kind)).toEqual(['launch']);
  });

  it('names every room, every target for GPUs and every function that is a formula', () => {
    const readme = document('packages/kernel-dsl/README.md'), inside = readme.slice(readme.indexOf('## Inside'));
    for (const e of readdirSync(join(root, 'packages/kernel-dsl/src'), { withFileTypes: true })) if (e.isDirectory()) expect(inside).toContain(`\`${e.name}\``);
    for (const t of GPU_TARGETS) expect(readme).toContain(`'${t.isa}'`);
    for (const fn of Object.keys(MAX_ULP)) expect(readme).toMatch(new RegExp(`\`(\\w+ )*${fn}( \\w+)*\` of f32 and f64`));
  });
});

describe('README.md of conformance', () => {
  const all = snippetsOf(document('packages/conformance/README.md'));
  put('conformance/saxpy.ts', document('examples/saxpy.ts'));
  for (const s of [all[0]!, all.find((x) => x.file === 'saxpy-gpu.test.ts')!]) put(`conformance/${s.file}`, s.text);
  it(`has a test that passes${opencl ? ', and one for GPUs' : ' (the one for GPUs was not run: no OpenCL device is here)'}`, () => {
    for (const path of pages.saxpy) expect(outcome(path)).toMatchObject({ passed: 1, failed: 0 });
  }, 120_000);
});
