// gpu-rungs: each rung of examples/gpu-gemm on an NVIDIA GPU of compute capability 9.0, beside cuBLAS: what a step of the schedule is worth.
//   npm run bench -- gpu-rungs                writes benchmarks/results/<date>-<gpu>-rungs.json; --turns N (7 when not given); --out FILE
// Status: 0; 1 when a row failed; 2 when the machine lacks something.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

// The examples are TypeScript, which Node does not load: one file beside the sources, so that packages are found.
const here = dirname(fileURLToPath(import.meta.url)), cache = join(here, '../node_modules/.cache/quern'), outfile = join(cache, 'gpu-rungs.mjs');
mkdirSync(cache, { recursive: true });
await build({ entryPoints: [join(here, 'gpu/rungs.mjs')], bundle: true, platform: 'node', format: 'esm', outfile, external: ['@quern/*'], logLevel: 'warning', define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(here, 'gpu/rungs.mjs')).href) } });
await import(pathToFileURL(outfile).href);
