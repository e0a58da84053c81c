/** How every test of the monorepo runs: from the TypeScript sources, two workers at most. */
import { defineConfig } from 'vitest/config';

// Workspaces are imported from their sources (the `quern-source` condition of their exports), never from a stale dist.
const conditions = ['quern-source', 'module', 'node', 'development|production'];
const sources = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: ['quern-source', 'node', 'module-sync'] } } };

// One seed for all random tests of a run; the summary reporter prints it.
process.env['FC_SEED'] ??= String(Date.now() & 0x7fffffff);

const each = { environment: 'node', pool: 'forks' as const, testTimeout: 60_000, hookTimeout: 60_000, setupFiles: ['tools/test/setup.ts'] };
const exclude = ['**/node_modules/**', '**/dist/**'];
/** Pure code, and tests that change nothing of their process: to load it anew for each file takes longer than most of its tests, so that a process runs many files. */
const together = [
  'packages/{kernel-dsl,conformance,fft,dnn,llm}/test/**/*.test.ts', 'tools/test/**/*.test.ts',
  'packages/blas/test/{cblas,conform,errors,gemm,kernels}.test.ts', 'packages/runtime/test/{half,kernel,memory,overlap,package,program,tensor}.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default', './tools/summary-reporter.mjs'],
    maxWorkers: 2,
    projects: [
      { ...sources, test: { ...each, name: 'together', isolate: false, include: together, exclude } },
      // Settings, threads, addons, and warnings that are given once belong to a process: each file has one.
      { ...sources, test: { ...each, name: 'alone', include: ['packages/*/test/**/*.test.ts'], exclude: [...exclude, ...together] } },
    ],
  },
});
