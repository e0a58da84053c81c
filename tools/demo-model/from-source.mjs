// The rooms of @quern/llm that the model's tools use, bundled from their TypeScript sources: no build is needed first.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Imports a room of packages/llm/src by its folder name, such as 'format' or 'quant'. */
export async function room(name) {
  const folder = await mkdtemp(join(tmpdir(), 'quern-room-'));
  const outfile = join(folder, `${name}.mjs`);
  try {
    await build({
      entryPoints: [fileURLToPath(new URL(`../../packages/llm/src/${name}/index.ts`, import.meta.url))],
      outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', conditions: ['quern-source'], logLevel: 'error',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}
