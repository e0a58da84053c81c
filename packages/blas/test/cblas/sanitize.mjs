// Builds libquern_blas and its C test as one program with the address and undefined-behaviour sanitizers, and runs it for every
// instruction set of this processor. With `valgrind` as its argument: runs the test on the shipped library under valgrind instead.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const gen = file('../../native/gen'), core = file('../../../runtime/native/core'), abi = file('../../abi'), lib = file('../../lib');
const includes = [`-I${file('../../include')}`, `-I${file('../../../runtime/native/include')}`];
const folder = mkdtempSync(join(tmpdir(), 'quern-blas-'));
const program = join(folder, 'check');
const cc = (...args) => { execFileSync(process.env.CC ?? 'cc', args, { stdio: 'inherit' }); };

function run(command, args, env) {
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${signal ?? `status ${status}`}`);
}

try {
  const manifest = JSON.parse(readFileSync(join(gen, 'manifest.json'), 'utf8'));
  if (process.argv[2] === 'valgrind') {
    cc('-g', ...includes, file('check.c'), '-o', program, `-L${lib}`, '-lquern_blas', `-Wl,-rpath,${lib}`, '-lm');
    // It knows no AVX-512 and offers the program what it knows.
    run('valgrind', ['-q', '--error-exitcode=9', program, 'any', 'no forks'], { QUERN_ISA: 'x86-64-v3', QUERN_NUM_THREADS: '2' });
  } else {
    const checks = ['-g1', '-O1', '-D_GNU_SOURCE', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'];
    const objects = manifest.sources.map(({ path, cflags }) => {
      const object = join(folder, path.replace(/c$/, 'o'));
      cc(...cflags, ...checks, ...includes, '-c', join(gen, path), '-o', object);
      return object;
    });
    const own = [...['gemm', 'kernels', 'threads', 'xerbla'].map((x) => join(abi, `${x}.c`)), ...['arena', 'call', 'cpu', 'cpus', 'library', 'pool', 'wait'].map((x) => join(core, `${x}.c`))];
    cc('-std=gnu11', ...checks, ...includes, file('check.c'), ...own, ...objects, '-o', program, '-pthread', '-ldl', '-lm');
    const flags = readFileSync('/proc/cpuinfo', 'utf8');
    const has = (path) => manifest.sources.find((s) => s.path === path).cflags.filter((f) => /^-m(avx|fma|f16c|bmi)/.test(f)).every((f) => new RegExp(`\\b${f.slice(2)}\\b`).test(flags.replaceAll('bmi1', 'bmi')));
    for (const { path, isa } of manifest.sources.filter((s) => s.isa !== undefined)) {
      // gcc 12 misaligns 64-byte vectors in the frames that use-after-return detection makes (its bug 110027).
      if (has(path)) run(program, [isa], { QUERN_ISA: isa, ASAN_OPTIONS: 'detect_stack_use_after_return=0' });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
