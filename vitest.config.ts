/** How every test of the monorepo runs: from the TypeScript sources, two workers at most. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vitest/config';

// Workspaces are imported from their sources (the `quern-source` condition of their exports), never from a stale dist.
const conditions = ['quern-source', 'module', 'node', 'development|production'];
const sources = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: ['quern-source', 'node', 'module-sync'] } } };

// `npm test` has just built every package: there, Node loads the built files themselves, which saves to transform the sources and lets them run at full speed.
const root = dirname(fileURLToPath(import.meta.url)), packages = join(root, 'packages');
const asBuilt: Plugin = {
  name: 'packages as built', enforce: 'pre',
  resolveId(source, importer) {
    const from = source.startsWith('.') && importer ? resolve(dirname(importer), source) : undefined, [name = '', src, ...rest] = from?.startsWith(packages) ? from.slice(packages.length + 1).split('/') : [];
    const built = src === 'src' && from!.endsWith('.ts') ? join(packages, name, 'dist', ...rest).replace(/\.ts$/, '.js') : undefined;
    return built && existsSync(built) ? built : undefined;
  },
};
const built = { plugins: [asBuilt], resolve: { conditions: conditions.slice(1) } };

// One seed for all random tests of a run; the summary reporter prints it.
process.env['FC_SEED'] ??= String(Date.now() & 0x7fffffff);

const whole = process.env['QUERN_BUILT'] ? built : sources, deps = process.env['QUERN_BUILT'] ? { server: { deps: { external: [/\/packages\/[\w-]+\/dist\//] } } } : {};
const plain = { environment: 'node', pool: 'forks' as const, testTimeout: 60_000, hookTimeout: 60_000, setupFiles: ['tools/test/setup.ts'] }, each = { ...plain, ...deps };
const exclude = ['**/node_modules/**', '**/dist/**'];
/** Pure code, and tests that change nothing of their process: to load it anew for each file takes longer than most of its tests, so that a process runs many files. */
const together = [
  'packages/{kernel-dsl,conformance,fft,dnn,llm}/test/**/*.test.ts', 'tools/test/**/*.test.ts',
  'packages/blas/test/{cblas,conform,errors,gemm,kernels}.test.ts', 'packages/runtime/test/{half,kernel,memory,overlap,package,program,tensor}.test.ts',
];

/** Tests that put another module in the place of one: what Node loads itself cannot be replaced. */
const replacing = ['packages/blas/test/backend.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', './tools/summary-reporter.mjs'],
    maxWorkers: 2,
    projects: [
      { ...whole, test: { ...each, name: 'together', isolate: false, include: together, exclude } },
      // Settings, threads, addons, and warnings that are given once belong to a process: each file has one.
      { ...whole, test: { ...each, name: 'alone', include: ['packages/*/test/**/*.test.ts'], exclude: [...exclude, ...together, ...replacing] } },
      { ...sources, test: { ...plain, name: 'replacing', include: replacing, exclude } },
    ],
  },
});
