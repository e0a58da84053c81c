/** How every test of the monorepo runs: from the TypeScript sources, two workers at most. */
import { defineConfig } from 'vitest/config';

// Workspaces are imported from their sources (the `quern-source` condition of their exports), never from a stale dist.
const conditions = ['quern-source', 'module', 'node', 'development|production'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['quern-source', 'node', 'module-sync'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tools/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['tools/test/fast-check-seed.ts'],
  },
});
