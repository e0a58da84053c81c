// Compiles the C core's test programs and runs them. Argument: how to compile them, one of the names below; a second one,
// `hogs`, runs the pool beside busy processes as well. Exit status 0 when all pass.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(dirname(fileURLToPath(import.meta.url)));
// A refused allocation is a result that the tests look for; the child of a fork starts threads.
const env = { ...process.env, ASAN_OPTIONS: 'allocator_may_return_null=1', TSAN_OPTIONS: 'allocator_may_return_null=1 die_after_fork=0' };
const modes = {
  plain: ['cc', '-O2'],
  gcc: ['gcc', '-O2'],
  clang: ['clang', '-O2'],
  address: ['gcc', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover'],
  thread: ['gcc', '-O1', '-g', '-fsanitize=thread'],
};

const [mode = 'plain', hogs] = process.argv.slice(2);
const compiler = modes[mode];
if (!compiler) {
  process.stderr.write(`unknown mode '${mode}': use one of ${Object.keys(modes).join(', ')}\n`);
  process.exit(2);
}
const out = mkdtempSync(join(tmpdir(), 'quern-native-'));

function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env, cwd: out, timeout: 120_000 });
  process.stdout.write(stdout ?? '');
  process.stderr.write(stderr ?? '');
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  return status === 0;
}

const [cc, ...flags] = compiler;
const common = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-pthread', ...flags];
const core = readdirSync(join(native, 'core')).filter((f) => f.endsWith('.c')).map((f) => join(native, 'core', f));
const test = (name) => join(native, 'test', name);
const built = (name) => join(out, name);
// Both programs take the same objects, which lie where the compiler runs.
const objects = core.map((file) => basename(file, '.c') + '.o');
const ok = run(cc, [...common, '-fPIC', '-shared', test('sample.c'), '-o', built('sample.so')])
  && run(cc, [...common, '-c', ...core])
  && run(cc, [...common, ...objects, test('pool.c'), '-o', built('pool'), '-ldl'])
  && run(cc, [...common, ...objects, test('memory.c'), '-o', built('memory'), '-ldl'])
  && run(built('pool'), [])
  && run(built('memory'), [built('sample.so')])
  && (hogs !== 'hogs' || run(built('pool'), ['hogs']));
rmSync(out, { recursive: true, force: true });
process.exit(ok ? 0 : 1);
