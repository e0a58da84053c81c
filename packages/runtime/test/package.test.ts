/** Kernels of the kernel language on the runtime: compiled at run time, and as a package's own library. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { axes, kernel, lower, reg, scalar, schedule, type Schedule, target, tensor as tensorParam } from '@quern/kernel-dsl';
import { libraryFiles } from '@quern/kernel-dsl/c';
import { describe, expect, test } from 'vitest';
import { ArgumentError, compileGenerated, compileKernel, cpuInfo, kernelPackage, ProviderLoadError, ShapeError, tensor, values, zeros } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';
import { rejection, thrown } from './support/thrown.ts';

const algorithm = kernel('saxpy', { a: scalar('f32'), x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').inout() }, ({ a, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).addAssign(a.mul(x.at(i)));
  return ax;
});
const cpu = (s: Schedule, { i }: typeof algorithm.axes): void => {
  const [blocks, lanes] = s.split(i, 4 * s.vec('f32'), { tail: 'peel' });
  s.vectorize(lanes);
  s.parallel(blocks);
};
const cache = temporaryDir();

describe('compiled at run time', () => {
  test.each([0, 1, 63, 64, 1003, 100_000])('a scheduled kernel of %i elements, on every instruction set of this CPU', async (n) => {
    const x = values(Array.from({ length: n }, (_, i) => i % 17));
    for (const isa of cpuInfo().isas.filter((s) => s !== 'generic' || process.arch !== 'x64')) {
      const k = await compileKernel(algorithm, { schedule: cpu, isa, cacheDir: cache });
      expect(k.isa).toBe(isa);
      const y = zeros([n]);
      k.run({ a: 2, x, y });
      expect([...y.read()]).toEqual([...x.read()].map((v) => 2 * v));
    }
  });

  test('without a schedule, and with arguments that do not fit', async () => {
    const k = await compileKernel(algorithm, { cacheDir: cache });
    expect(k.isa).toBe(cpuInfo().isas[0]);
    expect(thrown(() => k.run({ a: 1, x: zeros([2]), y: zeros([3]) }))).toBeInstanceOf(ShapeError);
    expect((await rejection(compileKernel(algorithm, { isa: 'x86-64-v9' }))).message).toMatch(/unknown target/);
  });
});

describe('a kernel of four-bit integers', () => {
  const sums = kernel('sums', { W: tensorParam('i4', 'N', 'K'), y: tensorParam('i32', 'N').out(), U: tensorParam('u4', 'N', 'K').out() }, ({ W, y, U, N, K }) => {
    const ax = axes({ n: N, k: K, m: N, p: K.div(2) });
    for (const n of ax.n) { const acc = reg('i32', 0); for (const k of ax.k) acc.addAssign(W.at(n, k).to('i32')); y.at(n).set(acc); }
    for (const m of ax.m) for (const p of ax.p) U.pair(m, p).set(1, p.to('u8'));
    return ax;
  });

  test('takes their bytes: rows, views of rows, and sizes that are odd', async () => {
    const k = await compileKernel(sums, { cacheDir: cache });
    const bytes = new Uint8Array([0x21, 0x43, 0x8f, 0x07]), y = zeros([2], 'i32'), U = zeros([2, 2], 'u8');
    k.run({ W: tensor(bytes, [2, 2]), y, U });
    expect([...y.read()]).toEqual([1 + 2 + 3 + 4, -1 - 8 + 7 + 0]);
    expect([...U.read()]).toEqual([0x01, 0x11, 0x01, 0x11]);
    k.run({ W: tensor(bytes, [2, 2]), y, U }, { sizes: { K: 3 } });
    expect([...y.read()]).toEqual([6, -2]);
    expect(thrown(() => k.run({ W: tensor(bytes, [1, 4]), y, U }))).toBeInstanceOf(ShapeError);
    const both = tensor(new Uint8Array(16), [4, 4]);
    expect(thrown(() => k.run({ W: both.slice([0, 2]), y, U: both.slice([1, 3]) })).message).toMatch(/'U' is written and overlaps 'W'/);
    k.run({ W: both.slice([0, 2]), y, U: both.slice([2, 4]) });
    expect([...both.read()].slice(8)).toEqual([0x01, 0x11, 0x21, 0x31, 0x01, 0x11, 0x21, 0x31]);
  });
});

describe('a package', () => {
  const machine = target(cpuInfo().isas[0]!);
  const files = libraryFiles([{ name: 'saxpy', build: (t) => lower(schedule(algorithm, t, cpu).ir, t) }], [machine], { name: 'test' });
  const built = compileGenerated(files, { cacheDir: cache }).compiled.path;

  function folder(manifest: string | undefined): URL {
    const root = temporaryDir();
    mkdirSync(join(root, 'native/build/Release'), { recursive: true });
    mkdirSync(join(root, 'native/gen'));
    copyFileSync(built, join(root, 'native/build/Release/quern_test.so'));
    if (manifest !== undefined) writeFileSync(join(root, 'native/gen/manifest.json'), manifest);
    return pathToFileURL(root);
  }
  const manifest = files.find((f) => f.path === 'manifest.json')!.text;

  test('binds its kernels by name', () => {
    const pack = kernelPackage('quern_test', folder(manifest));
    expect(pack.names).toEqual(['saxpy']);
    expect(pack.library().tier).toBe('build');
    const y = zeros([3]);
    pack.kernel('saxpy').run({ a: 3, x: values([1, 2, 3]), y });
    expect([...y.read()]).toEqual([3, 6, 9]);
    expect(pack.kernel('saxpy')).toBe(pack.kernel('saxpy'));
    expect(thrown(() => pack.kernel('daxpy'))).toBeInstanceOf(ProviderLoadError);
  });

  test('refuses a library that its sources did not make, and says what is missing', () => {
    const stale = kernelPackage('quern_test', folder(manifest.replace(/"hash": "./, '"hash": "z')));
    expect(thrown(() => stale.kernel('saxpy')).message).toMatch(/stale/);
    expect(thrown(() => kernelPackage('quern_test', folder(undefined)).kernel('saxpy')).message).toMatch(/not been generated[^]*npm run build/);
    expect(thrown(() => kernelPackage('quern_test', folder('{')).names)).toBeInstanceOf(ArgumentError);
  });
});
