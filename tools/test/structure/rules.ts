/** The rules that keep the monorepo in shape. Each takes the repository and returns its complaints, none when all is well. */
import { posix } from 'node:path';
import { resolveImport, type Package, type Repo } from './repo.ts';

/** A rule: complaints, each naming the file and the fix. */
export type Rule = (repo: Repo) => string[];

/** Which packages each package may import. kernel-dsl stands alone; nothing but the umbrella imports llm. */
export const allowedPackages: Readonly<Record<string, readonly string[]>> = {
  'kernel-dsl': [],
  runtime: ['kernel-dsl'],
  conformance: ['kernel-dsl', 'runtime'],
  blas: ['kernel-dsl', 'runtime'],
  fft: ['kernel-dsl', 'runtime'],
  dnn: ['kernel-dsl', 'runtime', 'blas'],
  llm: ['runtime', 'dnn', 'blas'],
  quern: ['kernel-dsl', 'runtime', 'blas', 'fft', 'dnn', 'llm'],
};

const maxLines = 400;

/** The package that `@quern/x` or `@quern/x/sub` or `quern` names. */
function workspaceOf(specifier: string): string | undefined {
  if (specifier === 'quern' || specifier.startsWith('quern/')) return 'quern';
  return /^@quern\/([^/]+)/.exec(specifier)?.[1];
}

/** The first cycle found in a graph, as a path that ends where it began. */
export function findCycle(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The top-level folder of `src/` that a file lies in; '' for a file directly in `src/`. */
const roomOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

/** Every relative import of a package, resolved. */
function relativeImports({ sources }: Package): { from: string; to: string }[] {
  return sources.flatMap(({ path, imports }) => imports
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => ({ from: path, to: resolveImport(path, specifier) })));
}

function graphOf(pkg: Package, key: (path: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of relativeImports(pkg)) {
    const [a, b] = [key(from), key(to)];
    if (key === roomOf && (a === b || a === '' || b === '')) continue;
    graph.set(a, (graph.get(a) ?? new Set()).add(b));
  }
  return graph;
}

/** Files of a package never import each other in a circle, types included. */
export const noFileCycles: Rule = ({ packages }) => packages.flatMap((pkg) => {
  const cycle = findCycle(graphOf(pkg, (path) => path));
  return cycle ? [`${pkg.dir}: files import each other in a circle: ${cycle.join(' -> ')}`] : [];
});

/** Rooms (the folders of `src/`) never import each other in a circle, whichever files do it. */
export const noRoomCycles: Rule = ({ packages }) => packages.flatMap((pkg) => {
  const cycle = findCycle(graphOf(pkg, roomOf));
  return cycle ? [`${pkg.dir}: rooms import each other in a circle: ${cycle.join(' -> ')}`] : [];
});

/** What lies in another folder is imported through that folder's index.ts; only files of the folders around it are free. */
export const roomsThroughIndex: Rule = ({ packages }) => packages.flatMap((pkg) => relativeImports(pkg).flatMap(({ from, to }) => {
  const [home, target] = [posix.dirname(from), posix.dirname(to)];
  const around = target === home || target === '.' || home.startsWith(`${target}/`);
  return around || posix.basename(to) === 'index.ts' ? [] : [`${pkg.dir}/src/${from}: import ${target}/index.ts instead of ${to}`];
}));

/** A relative import stays in `src/` and ends in `.ts`: it is what Node's own TypeScript support and the build expect. */
export const importsOfSources: Rule = ({ packages }) => packages.flatMap((pkg) => relativeImports(pkg).flatMap(({ from, to }) => {
  if (to.startsWith('..')) return [`${pkg.dir}/src/${from}: '${to}' lies outside src/; import a package by its name`];
  return to.endsWith('.ts') ? [] : [`${pkg.dir}/src/${from}: write the import of '${to}' with its .ts ending`];
}));

/** Packages import only the packages below them, by name, and declare them as dependencies. */
export const packageDependencies: Rule = ({ packages }) => packages.flatMap(({ dir, manifest, sources }) => {
  const allowed = allowedPackages[dir];
  if (!allowed) return [`${dir}: unknown package; give it a line in allowedPackages`];
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const problems = declared.flatMap((name) => {
    const target = workspaceOf(name);
    return target && !allowed.includes(target) ? [`${dir}/package.json: must not depend on ${name}`] : [];
  });
  for (const { path, imports } of sources) {
    for (const specifier of imports) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      const target = workspaceOf(specifier);
      const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
      if (target && !allowed.includes(target)) problems.push(`${dir}/src/${path}: ${dir} must not import ${specifier}`);
      else if (!declared.includes(name)) problems.push(`${dir}/src/${path}: imports ${specifier}, which package.json does not list under dependencies`);
    }
  }
  return problems;
});

/** Every folder of `src/` has an index.ts, and every index.ts opens with a comment that says what the room is. */
export const roomHeaders: Rule = ({ packages }) => packages.flatMap(({ dir, sources }) => {
  const paths = new Set(sources.map((source) => source.path));
  const folders = new Set(sources.map((source) => posix.dirname(source.path)));
  const missing = [...folders].map((folder) => posix.join(folder, 'index.ts')).filter((index) => !paths.has(index));
  const bare = sources.filter(({ path, text }) => posix.basename(path) === 'index.ts' && !/^(\/\*\*? ?\S[^]{15,}?\*\/|\/\/ \S.{15,})/.test(text.replace(/^\/\*\*\n \* /, '/** ')));
  return [
    ...missing.map((path) => `${dir}/src/${path}: a folder of sources needs an index.ts, its only door`),
    ...bare.map(({ path }) => `${dir}/src/${path}: must start with a comment, one sentence, that says what lives here`),
  ];
});

/** No source file outgrows one screenful of concept. */
export const fileLength: Rule = ({ packages }) => packages.flatMap(({ dir, sources }) => sources.flatMap(({ path, text }) => {
  const lines = text.split('\n').length - 1;
  return lines > maxLines ? [`${dir}/src/${path}: ${lines} lines; split it at ${maxLines} or fewer`] : [];
}));

/** A binding.gyp at a package's root makes npm compile it at every install; ours lie in native/. */
export const noRootGyp: Rule = ({ packages }) => packages.flatMap(({ dir, topLevel }) => (
  topLevel.includes('binding.gyp') ? [`${dir}/binding.gyp: move it to native/, or npm compiles it at every install`] : []));

/** Installing a Quern package runs nothing. */
export const noInstallScripts: Rule = ({ packages }) => packages.flatMap(({ dir, manifest }) => (
  ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'].filter((name) => manifest.scripts?.[name] !== undefined)
    .map((name) => `${dir}/package.json: remove the script '${name}': a Quern package runs nothing when it is installed`)));

/** The lockfile says which packages, never from where: it must serve every registry and mirror. */
export const noLockfileAddresses: Rule = ({ lockfile }) => {
  const { packages } = JSON.parse(lockfile) as { packages: Record<string, { resolved?: string }> };
  return Object.entries(packages).flatMap(([name, { resolved }]) => (
    resolved?.includes(':') ? [`package-lock.json: ${name} has the address ${resolved}; .npmrc keeps addresses out, so install again with it`] : []));
};
