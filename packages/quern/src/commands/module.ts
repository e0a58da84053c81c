import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InterpretArg, Kernel, Schedule } from '@quern/kernel-dsl';
import type { Tunable } from '@quern/runtime';
import { UsageError } from '../cli/index.ts';

/** What a file with a kernel exports. */
export interface KernelModule {
  /** What is computed. */
  readonly algorithm: Kernel;
  /** How it runs on a CPU; without it, as the algorithm says. */
  readonly cpu?: (s: Schedule, ax: Kernel['axes']) => void;
  /** How it runs on a GPU; without it, as `autoGrid` finds. */
  readonly gpu?: (s: Schedule, ax: Kernel['axes']) => void;
  /** Choices that its schedule leaves open, for `quern tune`. */
  readonly tuning?: Tunable<Kernel['axes'], unknown>;
  /** Arguments to try it with; tensors that it writes are in them too. */
  readonly sample?: () => Record<string, InterpretArg>;
}

/** Loads a JavaScript or TypeScript module that exports a kernel. @throws UsageError that says what is missing */
export async function loadKernelModule(file: string): Promise<KernelModule> {
  const path = resolve(file);
  if (!existsSync(path)) throw new UsageError(`there is no file ${file}`);
  const module = (extname(path) === '.ts' ? await importTypeScript(path) : await import(pathToFileURL(path).href)) as Partial<KernelModule>;
  if (typeof module.algorithm !== 'object' || !('ir' in module.algorithm)) throw new UsageError(`${file} exports no kernel: write export const algorithm = kernel(…)`);
  return module as KernelModule;
}

/** Node 20 cannot load TypeScript: the file is translated beside itself, so that its imports still resolve, and removed again. */
async function importTypeScript(path: string): Promise<unknown> {
  let esbuild: typeof import('esbuild');
  try {
    esbuild = await import('esbuild');
  } catch {
    throw new UsageError(`${path} is TypeScript: install esbuild (npm i -D esbuild), or pass the JavaScript that tsc makes of it`);
  }
  process.setSourceMapsEnabled(true);
  const built = await esbuild.build({ entryPoints: [path], bundle: true, absWorkingDir: dirname(path), packages: 'external', platform: 'node', format: 'esm', write: false, sourcemap: 'inline', logLevel: 'silent' });
  const draft = join(dirname(path), `.quern-${process.pid}-${randomBytes(4).toString('hex')}.mjs`);
  writeFileSync(draft, built.outputFiles[0]!.text);
  try {
    return await import(pathToFileURL(draft).href);
  } finally {
    rmSync(draft, { force: true });
  }
}
