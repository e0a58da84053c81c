/** The monorepo as data, for the structure rules: manifests, source files and what each file imports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The fields of a package.json that the rules read. */
export interface Manifest {
  readonly name: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Optional ones are loaded by a guarded import(). */
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One TypeScript file under a package's `src/`. */
export interface SourceFile {
  /** Path from the package's `src/`, with forward slashes: `emit/c.ts`. */
  readonly path: string;
  readonly text: string;
  /** Import specifiers as written, of `import`, `export from` and `import()`. */
  readonly imports: readonly string[];
}

/** One workspace. */
export interface Package {
  /** The folder's name under `packages/`. */
  readonly dir: string;
  readonly manifest: Manifest;
  readonly sources: readonly SourceFile[];
  /** The names that lie directly in the package's folder. */
  readonly topLevel: readonly string[];
}

/** All that the rules look at. */
export interface Repo {
  readonly packages: readonly Package[];
  readonly lockfile: string;
}

/** The checkout's root folder. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

function tsFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return tsFiles(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** The file `path` with the given text, its imports found. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, imports: ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName) };
}

/** The path, from `src/`, that a relative import of `from` names. */
export function resolveImport(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

/** Reads the checkout. */
export function readRepo(): Repo {
  const packages = readdirSync(join(root, 'packages')).sort().map((dir): Package => {
    const at = join(root, 'packages', dir);
    const src = join(at, 'src');
    return {
      dir,
      manifest: JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as Manifest,
      sources: tsFiles(src).map((path) => sourceFile(relative(src, path).replaceAll('\\', '/'), readFileSync(path, 'utf8'))),
      topLevel: readdirSync(at),
    };
  });
  return { packages, lockfile: readFileSync(join(root, 'package-lock.json'), 'utf8') };
}
