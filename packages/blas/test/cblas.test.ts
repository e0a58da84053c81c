import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blasInfo } from '../src/index.ts';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const lib = file('../lib'), folder = mkdtempSync(join(tmpdir(), 'quern-cblas-')), program = join(folder, 'check');

/** Links a C program against libquern_blas.so the way a user does. */
function link(source: string, out: string): void {
  execFileSync('cc', ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', `-I${file('../include')}`, source, '-o', out, `-L${lib}`, '-lquern_blas', `-Wl,-rpath,${lib}`, '-lm', '-pthread'], { stdio: 'pipe' });
}

beforeAll(() => { link(file('cblas/check.c'), program); });
afterAll(() => { rmSync(folder, { recursive: true }); });

describe('libquern_blas.so, linked into a C program', () => {
  it.each(blasInfo().isas)('computes, refuses and forks as it should on %s', (isa) => {
    const run = spawnSync(program, [isa], { encoding: 'utf8', env: { ...process.env, QUERN_ISA: isa } });
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(new RegExp(`^${isa}: \\d{4,} checks, 0 failed\n$`));
    expect(run.status).toBe(0);
  });

  it('is capped by QUERN_NUM_THREADS', () => {
    expect(spawnSync(program, [], { encoding: 'utf8', env: { ...process.env, QUERN_NUM_THREADS: '2' } }).stdout).toContain(' 0 failed');
  });

  it('shows nothing to a program but its interface', () => {
    const names = execFileSync('nm', ['-D', '--defined-only', join(lib, 'libquern_blas.so')], { encoding: 'utf8' }).trim().split('\n').map((l) => l.split(' ').at(-1)!);
    expect(names.sort()).toEqual(['cblas_dgemm', 'cblas_sgemm', 'cblas_xerbla', 'quern_blas_get_isa', 'quern_blas_get_num_threads', 'quern_blas_set_num_threads']);
  });

  it('prints a line for a wrong argument and goes on', () => {
    const source = join(folder, 'wrong.c'), out = join(folder, 'wrong');
    execFileSync('sh', ['-c', `cat > ${source}`], { input: '#include "quern_blas.h"\nint main(void) { cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, 2, 1, 1, 1, 0, 1, 0, 1, 0, 0, 2); return 7; }\n' });
    link(source, out);
    const run = spawnSync(out, { encoding: 'utf8' });
    expect(run.stderr).toBe('Parameter 9 to routine cblas_sgemm was incorrect\nthe leading dimension of A is too small\n');
    expect(run.status).toBe(7);
  });
});
