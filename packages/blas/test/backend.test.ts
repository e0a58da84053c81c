import { afterEach, expect, it, vi } from 'vitest';
import { blasInfo, gemm } from '../src/index.ts';
import { copyOf, matrix } from './support/matrices.ts';
import { expectWithinBound } from './support/reference.ts';

afterEach(() => { vi.doUnmock('@quern/runtime'); vi.resetModules(); });

it('tells what it runs on', () => {
  expect(blasInfo()).toMatchObject({ backend: 'native', tier: 'build' });
  expect(blasInfo().isa).toBe(blasInfo().isas[0]);
  expect(blasInfo().path).toMatch(/quern_blas\.(node|so|dylib)$/);
  expect(blasInfo().threads).toBeGreaterThanOrEqual(1);
});

it('runs on the interpreter when asked, and keeps the bound there too', () => {
  for (const T of ['f32', 'f64'] as const) {
    const a = matrix(T, 5, 3, { lie: 'both' }), b = matrix(T, 3, 4), c0 = matrix(T, 5, 4, { lie: 'col' }), c = copyOf(c0);
    gemm({ a, b, c, alpha: 2, beta: -1 }, { backend: 'interpreter' });
    expectWithinBound({ T, a, b, c0, c, alpha: 2, beta: -1 });
  }
});

it('without a native library runs on the interpreter and says so once; asked for native code, it throws the reasons', async () => {
  vi.resetModules();
  vi.doMock('@quern/runtime', async (original) => {
    const runtime = await original<typeof import('@quern/runtime')>();
    const library = (): never => { throw new runtime.ProviderLoadError('none', [{ candidate: 'quern_blas.so', verdict: 'unavailable', code: 'not-found', detail: 'no such file' }]); };
    return { ...runtime, kernelPackage: () => ({ library, kernel: library, names: [] }) };
  });
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const fresh = await import('../src/index.ts');
  expect(fresh.blasInfo()).toMatchObject({ backend: 'interpreter', isa: 'none', isas: [], tier: undefined });
  const m = { data: Float32Array.of(1, 2, 3, 4), rows: 2, cols: 2 }, c = { data: new Float32Array(4), rows: 2, cols: 2 };
  for (const opA of ['n', 't', 'n'] as const) fresh.gemm({ a: m, b: m, c, opA });
  expect([...c.data]).toEqual([7, 10, 15, 22]);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]![0]).toMatch(/quern_blas\.so: unavailable: no such file/);
  expect(() => fresh.gemm({ a: m, b: m, c }, { backend: 'native' })).toThrow(/no native code for 'gemm_nn_f32'[^]*no such file/);
  warn.mockRestore();
});
