import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { portableSha256, sha256 } from '../../src/emit/sha256.ts';
import { ABI, emitFileC, emitKernelC, libraryFiles } from '../../src/emit/c/index.ts';
import { literal } from '../../src/emit/text/constants.ts';
import { TARGETS, target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';
import { compile, includeDir, runLibrary } from './harness.ts';
import { microKernel } from './kernels.ts';

const v3 = target('x86-64-v3');

describe('emitted C', () => {
  it('reads like a micro-kernel that somebody wrote', () => {
    expect(emitKernelC(microKernel(2, 2, v3), v3).source).toBe(`\
// micro_kernel(A: f32[K, 2], B: f32[K, 16], inout C: f32[2, 16])   micro.ts:9
int32_t micro_kernel__x86_64_v3(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  const float *restrict A = buf[0];
  const float *restrict B = buf[1];
  float *restrict C = buf[2];
  const int64_t K = size[0], A_s0 = size[1], B_s0 = size[3], C_s0 = size[5];
  (void)ctx;
  (void)scalar;
  // 2 x 16 accumulators stay in registers   micro.ts:9
  f32x8 c0_0 = {0}, c0_1 = {0}, c1_0 = {0}, c1_1 = {0};
  for (int64_t k = 0; k < K; k++) {   // micro.ts:12
    const f32x8 b0 = load_f32x8(&B[k * B_s0]), b1 = load_f32x8(&B[k * B_s0 + 8]), a0 = splat_f32x8(A[k * A_s0]);
    c0_0 = fma_f32x8(a0, b0, c0_0);
    c0_1 = fma_f32x8(a0, b1, c0_1);
    const f32x8 a1 = splat_f32x8(A[k * A_s0 + 1]);
    c1_0 = fma_f32x8(a1, b0, c1_0);
    c1_1 = fma_f32x8(a1, b1, c1_1);
  }
  store_f32x8(C, load_f32x8(C) + c0_0);
  store_f32x8(&C[8], load_f32x8(&C[8]) + c0_1);
  store_f32x8(&C[C_s0], load_f32x8(&C[C_s0]) + c1_0);
  store_f32x8(&C[C_s0 + 8], load_f32x8(&C[C_s0 + 8]) + c1_1);
  return 0;
}
`);
  });

  it('holds only the helpers and types that are used, decided for the target', () => {
    const text = emitFileC([microKernel(2, 2, v3)], v3);
    expect(text.match(/^QUERN_INLINE .*/gm)).toEqual([
      'QUERN_INLINE f32x8 fma_f32x8(f32x8 a, f32x8 b, f32x8 c) {', 'QUERN_INLINE f32x8 load_f32x8(const void *p) {',
      'QUERN_INLINE f32x8 splat_f32x8(float x) {', 'QUERN_INLINE void store_f32x8(void *p, f32x8 v) {',
    ]);
    expect(text.match(/^typedef .*/gm)).toEqual(['typedef float __m256 __attribute__((vector_size(32), may_alias));', 'typedef float f32x8 __attribute__((vector_size(32)));']);
    expect(text).toContain('_mm256_fmadd_ps');
    expect(text).not.toContain('#else');
  });

  it('leaves to the compiler what the generic target leaves open', () => {
    const text = emitFileC([microKernel(2, 2, target('generic'))], target('generic'));
    expect(text).toContain('#elif defined(__aarch64__)\n  return (f32x4)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);\n#else');
    expect(text).toContain('#include <arm_neon.h>');
  });

  it('does not depend on what was made before', () => {
    const texts = [0, 1].map(() => emitFileC([microKernel(3, 2, v3)], v3));
    expect(texts[1]).toBe(texts[0]);
    expect(texts[0]).not.toContain('/somewhere');
  });

  it('compiles alone when it carries the ABI, which is the text of quern.h', () => {
    compile(emitFileC([microKernel(2, 2, v3)], v3, { standalone: true }), v3.cflags);
    expect(layout(ABI)).toBe(layout(readFileSync(join(includeDir, 'quern.h'), 'utf8')));
  });
});

/** Sizes, offsets and function types of an ABI text, as a compiler sees them. */
function layout(abi: string): string {
  const fields = { quern_scalar: ['f64', 'f32', 'i64', 'i32', 'u32'], quern_ctx: ['abi', 'nthreads', 'pool', 'parallel', 'scratch', 'shared'], quern_entry: ['name', 'isa', 'fn', 'nbuf', 'nsize', 'nscalar', 'scratch_bytes', 'shared_bytes'], quern_library: ['abi', 'count', 'hash', 'entries'] };
  const rows = Object.entries(fields).flatMap(([t, names]) => [`(int)sizeof(${t})`, ...names.flatMap((n) => [`(int)offsetof(${t}, ${n})`, `(int)sizeof(((${t} *)0)->${n})`])]);
  const path = compile(`#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n${abi}
static int32_t kernel(const quern_ctx *c, void *const *b, const int64_t *s, const quern_scalar *x) { (void)c; (void)b; (void)s; (void)x; return 0; }
static void body(void *env, int64_t begin, int64_t end, int32_t worker) { (void)env; (void)begin; (void)end; (void)worker; }
static void parallel(const quern_ctx *c, quern_body f, void *env, int64_t n, int64_t grain) { (void)c; (void)grain; f(env, 0, n, 0); }
int main(void) {
  const quern_entry e = {"", "", kernel, 0, 0, 0, 0, 0};
  const quern_ctx c = {QUERN_ABI, 1, 0, parallel, 0, 0};
  c.parallel(&c, body, 0, e.nbuf, 1);
  const int rows[] = {QUERN_ABI, ${rows.join(', ')}};
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) printf("%d ", rows[i]);
  return 0;
}
`, [], { program: true });
  return execFileSync(path, { encoding: 'utf8' });
}

describe('constants', () => {
  const same = (a: number, b: number): void => { expect(Object.is(a, b), `${a} read back as ${b}`).toBe(true); };
  it('read back as the same f32 and f64', () => {
    expect([0.1, 1, -0, 3, 1e10, 1 / 3, 2 ** -149, Infinity].map((x) => literal(x, 'f32'))).toEqual(['0.1f', '1.0f', '-0.0f', '3.0f', '10000000000.0f', '0.33333334f', '1.40129846e-45f', 'INFINITY']);
    expect([0.1, 5, 1e300, -Infinity, NaN].map((x) => literal(x, 'f64'))).toEqual(['0.1', '5.0', '1e+300', '-(double)INFINITY', '(double)NAN']);
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => { same(x, Math.fround(Number(literal(x, 'f32').slice(0, -1)))); }), { numRuns: 2000 });
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => { same(x, Number(literal(x, 'f64'))); }), { numRuns: 1000 });
  });
  it('of integers stay in their type', () => {
    expect([literal(-(2 ** 31), 'i32'), literal(2 ** 32 - 1, 'u32'), literal(2 ** 63, 'i64'), literal(-(2 ** 63), 'i64'), literal(2 ** 40, 'i64'), literal(1, 'bool')]).toEqual(['INT32_MIN', '4294967295u', 'INT64_MAX', 'INT64_MIN', '1099511627776', '1']);
  });
  it('of half precision are their bits', () => {
    expect([0, 1, -2, 2 ** -24, 65504, 1e9].map((x) => literal(x, 'f16'))).toEqual(['0', '0x3c00', '0xc000', '0x1', '0x7bff', '0x7c00']);
    expect([0, -0, 1, 3.140625].map((x) => literal(x, 'bf16'))).toEqual(['0', '0x8000', '0x3f80', '0x4049']);
  });
});

describe('a library', () => {
  const kernels = [{ name: 'one', build: (t: typeof v3) => microKernel(2, 2, t) }, { name: 'two', build: (t: typeof v3) => microKernel(3, 1, t) }];
  const files = libraryFiles(kernels, TARGETS, { name: 'demo' });

  it('has a file per target, a table and a manifest, always the same', () => {
    expect(files.map((f) => f.path)).toEqual([
      'lib_x86_64_amx.c', 'lib_x86_64_v4_bf16.c', 'lib_x86_64_v4_vnni.c', 'lib_x86_64_v4.c', 'lib_x86_64_v3.c', 'lib_x86_64_v2.c', 'lib_x86_64.c',
      'lib_aarch64_i8mm.c', 'lib_aarch64_dotprod.c', 'lib_aarch64.c', 'lib_generic.c', 'index.c', 'library.gypi', 'manifest.json',
    ]);
    expect(libraryFiles(kernels, TARGETS, { name: 'demo' })).toEqual(files);
    expect(libraryFiles(kernels.slice(1), TARGETS, { name: 'demo' }).at(-1)!.text).not.toContain(JSON.parse(files.at(-1)!.text).hash);
  });

  it('tells in its manifest how to compile and call it', () => {
    const m = JSON.parse(files.at(-1)!.text) as { hash: string; sources: { path: string; cflags: string[] }[]; kernels: { name: string; isa: string; sizes: string[] }[] };
    expect(m.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(m.sources.find((s) => s.path === 'lib_x86_64_v3.c')!.cflags).toContain('-mavx2');
    expect(m.sources.find((s) => s.path === 'index.c')!.cflags.filter((f) => f.startsWith('-m'))).toEqual([]);
    expect(m.kernels.filter((k) => k.name === 'two').map((k) => k.isa)).toEqual(TARGETS.map((t) => t.isa));
    expect(m.kernels[0]!.sizes).toEqual(['K']);
  });

  it('holds a kernel once for targets that only add what it does not use', () => {
    const own = ['x86-64-v4-vnni', 'x86-64-v4', 'x86-64-v3'].map((isa) => target(isa)), bytes = libraryFiles(kernels, own, { name: 'demo' }), of = (path: string): string => bytes.find((f) => f.path === path)!.text;
    expect(of('lib_x86_64_v4_vnni.c')).not.toContain('one__');
    for (const path of ['lib_x86_64_v4.c', 'lib_x86_64_v3.c']) expect(of(path)).toContain('int32_t one__');
    expect(of('index.c')).toContain('{"one", "x86-64-v4-vnni", one__x86_64_v4, 3,');
    // One that differs keeps its own, and is verified as the others are.
    const differs = libraryFiles([{ name: 'one', build: (t) => microKernel(2, t.isa === 'x86-64-v4-vnni' ? 1 : 2, t) }], own, { name: 'demo' });
    expect(differs.find((f) => f.path === 'lib_x86_64_v4_vnni.c')!.text).toContain('int32_t one__x86_64_v4_vnni(');
    expect(differs.find((f) => f.path === 'index.c')!.text).toContain('{"one", "x86-64-v4-vnni", one__x86_64_v4_vnni, 3,');
  });

  it('compiles into one table, best instruction set first, and runs', () => {
    const t = target('x86-64'), mine = libraryFiles(kernels, [t], { name: 'demo' }), text = mine.filter((f) => f.path.endsWith('.c')).map((f) => f.text).join('\n');
    const rows = files.find((f) => f.path === 'index.c')!.text.match(/^ {2}\{"one".*$/gm)!;
    expect(rows.map((r) => /", "([^"]+)"/.exec(r)![1])).toEqual(TARGETS.map((x) => x.isa));
    expect(rows[0]).toBe('  {"one", "x86-64-amx", one__x86_64_v4, 3, 7, 0, 0, 0},');
    const lib = compile(`${text}
int32_t first(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar);
int32_t first(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  const quern_library *l = quern_library_get();
  return l->abi == QUERN_ABI && l->count == 2 && l->entries[0].nsize == 7 ? l->entries[0].fn(ctx, buf, size, scalar) : -1;
}`, t.cflags);
    const k = microKernel(2, 2, t), C = { data: array('f32', Array.from({ length: 16 }, () => 1)), shape: [2, 8] };
    const args = { A: { data: array('f32', [1, 2, 3, 4]), shape: [2, 2] }, B: { data: array('f32', Array.from({ length: 16 }, (_, i) => i)), shape: [2, 8] }, C };
    expect(runLibrary(lib, [{ symbol: 'first', k, args, memory: { scratchBytes: 0, sharedBytes: 0 } }])).toEqual([0]);
    expect(Array.from(C.data, Number)).toEqual([...Array.from({ length: 8 }, (_, j) => 1 + j + 3 * (8 + j)), ...Array.from({ length: 8 }, (_, j) => 1 + 2 * j + 4 * (8 + j))]);
  });
});

describe('sha256', () => {
  it('is the standard one', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300, unit: 'binary' }), (s) => { const is = createHash('sha256').update(s, 'utf8').digest('hex'); expect([sha256(s), portableSha256(s)]).toEqual([is, is]); }), { numRuns: 50 });
    expect(portableSha256('a'.repeat(55) + 'b'.repeat(9))).toBe(createHash('sha256').update('a'.repeat(55) + 'b'.repeat(9)).digest('hex'));
  });
});
