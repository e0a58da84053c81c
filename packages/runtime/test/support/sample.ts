/** The hand-written kernel library of native/test/sample.c, compiled at run time, with descriptions of its kernels. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindKernel, compileLibrary, type Kernel, type KernelLibrary, type KernelMeta } from '../../src/index.ts';

/** The package's native/ folder. */
export const nativeDir: string = fileURLToPath(new URL('../../native/', import.meta.url));

/** A folder that nothing else uses. */
export function temporaryDir(): string {
  return mkdtempSync(join(tmpdir(), 'quern-test-'));
}

/** The text of sample.c, ready to be compiled by `compileC`. */
export const sampleSource: string = readFileSync(join(nativeDir, 'test/sample.c'), 'utf8').replace('../include/quern.h', 'quern.h');

/** y[i] += a x[i] */
export const axpyMeta: KernelMeta = {
  name: 'axpy', sizes: ['n'], scratchBytes: 0, sharedBytes: 0, assumptions: ['n >= 0'],
  params: [
    { kind: 'tensor', name: 'x', dtype: 'f32', shape: ['n'], access: 'in', strided: true },
    { kind: 'tensor', name: 'y', dtype: 'f32', shape: ['n'], access: 'inout', strided: true },
    { kind: 'scalar', name: 'a', dtype: 'f32' },
  ],
};

/** out[0] = sum of x */
export const sumMeta: KernelMeta = {
  name: 'sum', sizes: ['n'], scratchBytes: 64, sharedBytes: 64, assumptions: [],
  params: [
    { kind: 'tensor', name: 'x', dtype: 'f64', shape: ['n'], access: 'in', strided: false },
    { kind: 'tensor', name: 'out', dtype: 'f64', shape: [1], access: 'out', strided: false },
  ],
};

/** out = one scalar of every kind */
export const scalarsMeta: KernelMeta = {
  name: 'scalars', sizes: [], scratchBytes: 0, sharedBytes: 0, assumptions: [],
  params: [
    { kind: 'tensor', name: 'out', dtype: 'f64', shape: [5], access: 'out', strided: false },
    { kind: 'scalar', name: 'f64', dtype: 'f64' }, { kind: 'scalar', name: 'f32', dtype: 'f32' }, { kind: 'scalar', name: 'i64', dtype: 'i64' },
    { kind: 'scalar', name: 'i32', dtype: 'i32' }, { kind: 'scalar', name: 'u32', dtype: 'u32' },
  ],
};

/** The compiled library and its kernels. */
export interface Sample {
  readonly library: KernelLibrary;
  readonly axpy: Kernel;
  readonly sum: Kernel;
  readonly scalars: Kernel;
}

/** Compiles the sample (or takes it from a cache of the test's own). */
export function sample(cache: string = temporaryDir()): Sample {
  const { library } = compileLibrary([{ path: 'sample.c', text: sampleSource }], { name: 'sample', cacheDir: cache });
  return {
    library, axpy: bindKernel(axpyMeta, library.kernel('axpy')), sum: bindKernel(sumMeta, library.kernel('sum')),
    scalars: bindKernel(scalarsMeta, library.kernel('scalars')),
  };
}
