// Writes one package's native/gen/ by calling the hook that its build exports: `generate(outDir)` of dist/generate.js.
// Run from a package's folder. The folder is emptied first, so that what lies there is what this source generates.
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const hook = join(process.cwd(), 'dist', 'generate.js');
const outDir = join(process.cwd(), 'native', 'gen');

if (!existsSync(hook)) {
  process.stderr.write('This package has a generate target but no dist/generate.js: add src/generate.ts, which exports\n'
    + '`async function generate(outDir: string): Promise<void>`, and build it (build:js) first.\n');
  process.exit(1);
}
const { generate } = await import(pathToFileURL(hook).href);
if (typeof generate !== 'function') {
  process.stderr.write('src/generate.ts must export a function named `generate`.\n');
  process.exit(1);
}
await rm(outDir, { recursive: true, force: true });
await mkdir(outDir, { recursive: true });
await generate(outDir);
