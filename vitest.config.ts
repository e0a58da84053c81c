/** How every test of the monorepo runs: from the TypeScript sources, two workers at most. */
import { defineConfig } from 'vitest/config';

// Workspaces are imported from their sources (the `quern-source` condition of their exports), never from a stale dist.
const conditions = ['quern-source', 'module', 'node', 'development|production'];

// One seed for all random tests of a run; the summary reporter prints it.
process.env['FC_SEED'] ??= String(Date.now() & 0x7fffffff);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['quern-source', 'node', 'module-sync'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tools/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    reporters: ['default', './tools/summary-reporter.mjs'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['tools/test/fast-check-seed.ts'],
  },
});
