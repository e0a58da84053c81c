/** The monorepo's shape: the rules hold, and each rule is shown to bite on a small repository that breaks it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRepo, root, sourceFile, type Manifest, type Package, type Repo } from './structure/repo.ts';
import * as rules from './structure/rules.ts';

const header = '/** A room made for a test. */\n';

/** A repository of one package, `runtime` unless told, with the given sources. */
function repoOf(sources: Record<string, string>, rest: Partial<Package> & { lockfile?: string } = {}): Repo {
  const { lockfile = '{"packages":{}}', ...pkg } = rest;
  const manifest: Manifest = { name: '@quern/runtime', dependencies: { '@quern/kernel-dsl': '^0.1.0' } };
  const files = Object.entries({ 'index.ts': header, ...sources }).map(([path, text]) => sourceFile(path, text));
  return { packages: [{ dir: 'runtime', manifest, topLevel: ['src', 'package.json'], sources: files, ...pkg }], lockfile };
}

const broken: readonly { name: string; rule: rules.Rule; repo: Repo; says: RegExp }[] = [
  {
    name: 'no file cycles', rule: rules.noFileCycles, says: /a\.ts -> .*b\.ts -> .*a\.ts/,
    repo: repoOf({ 'a.ts': "import './b.ts';", 'b.ts': "import type { A } from './a.ts';" }),
  },
  {
    name: 'no room cycles', rule: rules.noRoomCycles, says: /a -> b -> a/,
    repo: repoOf({ 'a/x.ts': "export * from '../b/index.ts';", 'a/index.ts': header, 'b/index.ts': header, 'b/y.ts': "await import('../a/index.ts');" }),
  },
  {
    name: 'rooms through index.ts', rule: rules.roomsThroughIndex, says: /a\/x\.ts: import b\/index\.ts instead of b\/y\.ts/,
    repo: repoOf({ 'a/x.ts': "import '../b/y.ts';", 'b/y.ts': '' }),
  },
  {
    name: 'a subroom too is entered through its index.ts', rule: rules.roomsThroughIndex, says: /import a\/deep\/index\.ts/,
    repo: repoOf({ 'a/x.ts': "import './deep/y.ts';" }),
  },
  { name: 'imports stay in src', rule: rules.importsOfSources, says: /outside src/, repo: repoOf({ 'a.ts': "import '../../blas/src/index.ts';" }) },
  { name: 'imports end in .ts', rule: rules.importsOfSources, says: /\.ts ending/, repo: repoOf({ 'a.ts': "import './b.js';" }) },
  { name: 'package order: imports', rule: rules.packageDependencies, says: /runtime must not import @quern\/blas/, repo: repoOf({ 'a.ts': "import '@quern/blas';" }) },
  {
    name: 'package order: manifests', rule: rules.packageDependencies, says: /must not depend on @quern\/llm/,
    repo: repoOf({}, { manifest: { name: '@quern/runtime', dependencies: { '@quern/llm': '1' } } }),
  },
  {
    name: 'imports are declared', rule: rules.packageDependencies, says: /does not list/,
    repo: repoOf({ 'a.ts': "import 'mathjs';" }),
  },
  { name: 'a room has an index.ts', rule: rules.roomHeaders, says: /a\/index\.ts: a folder of sources needs/, repo: repoOf({ 'a/x.ts': '' }) },
  { name: 'an index.ts has a header', rule: rules.roomHeaders, says: /a\/index\.ts: must start/, repo: repoOf({ 'a/index.ts': "export * from './x.ts';" }) },
  { name: 'file length', rule: rules.fileLength, says: /401 lines/, repo: repoOf({ 'a.ts': '\n'.repeat(401) }) },
  { name: 'no root binding.gyp', rule: rules.noRootGyp, says: /native\//, repo: repoOf({}, { topLevel: ['binding.gyp'] }) },
  {
    name: 'no install scripts', rule: rules.noInstallScripts, says: /postinstall/,
    repo: repoOf({}, { manifest: { name: 'x', scripts: { postinstall: 'node x.js' } } }),
  },
  {
    name: 'no lockfile addresses', rule: rules.noLockfileAddresses, says: /has the address/,
    repo: repoOf({}, { lockfile: '{"packages":{"node_modules/x":{"resolved":"https://example.test/x.tgz"}}}' }),
  },
];

describe('structure rules', () => {
  const repo = readRepo();
  const sound = repoOf({ 'a/index.ts': `${header}export * from './x.ts';`, 'a/x.ts': "import '@quern/kernel-dsl';\nimport 'node:fs';\nimport '../b/index.ts';", 'b/index.ts': header });

  test('the repository is read', () => {
    expect(repo.packages.map((pkg) => pkg.dir)).toEqual(['blas', 'conformance', 'dnn', 'fft', 'kernel-dsl', 'llm', 'quern', 'runtime']);
    for (const pkg of repo.packages) expect(pkg.sources.length).toBeGreaterThan(0);
  });

  test.each(broken)('bites: $name', ({ rule, repo: bad, says }) => {
    const complaints = rule(bad);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(says);
    expect(rule(sound)).toEqual([]);
  });

  const all = Object.entries(rules).filter((entry): entry is [string, rules.Rule] => typeof entry[1] === 'function' && entry[0] !== 'findCycle');

  test('every rule is shown to bite', () => {
    expect(new Set(broken.map(({ rule }) => rule))).toEqual(new Set(all.map(([, rule]) => rule)));
  });

  test.each(all)('the repository keeps %s', (_name, rule) => {
    expect(rule(repo)).toEqual([]);
  });
});

describe('nx', () => {
  const compiled = ['build', 'build:js', 'build:native', 'docs', 'generate', 'test', 'typecheck'];
  const plain = ['build', 'build:js', 'docs', 'test', 'typecheck'];
  const expected: Record<string, string[]> = {
    '@quern/blas': compiled, '@quern/dnn': compiled, '@quern/fft': compiled,
    '@quern/runtime': ['build', 'build:js', 'build:native', 'docs', 'test', 'typecheck'],
    '@quern/conformance': plain, '@quern/kernel-dsl': plain, '@quern/llm': plain, quern: plain,
  };

  interface Target { readonly executor: string; readonly dependsOn?: string[]; readonly outputs?: string[] }
  interface Graph { readonly graph: { readonly nodes: Record<string, { readonly data: { readonly targets: Record<string, Target> } }> } }

  function graph(): Graph['graph']['nodes'] {
    const dir = mkdtempSync(join(tmpdir(), 'quern-graph-'));
    try {
      const file = join(dir, 'graph.json');
      execFileSync(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'graph', `--file=${file}`], { cwd: root, stdio: 'pipe' });
      return (JSON.parse(readFileSync(file, 'utf8')) as Graph).graph.nodes;
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  // `nx run-many -t build` ends with 0 when no project has the target, so that a lost target would pass for a build.
  test('has exactly the projects and targets that the build counts on', () => {
    const nodes = graph();
    const found = Object.fromEntries(Object.entries(nodes).map(([name, { data }]) => (
      [name, Object.keys(data.targets).filter((target) => target !== 'nx-release-publish').sort()])));
    expect(found).toEqual(expected);
    for (const { data } of Object.values(nodes)) {
      expect(data.targets['build']?.executor).toBe('nx:noop');
      expect(data.targets['build']?.dependsOn).toEqual(['^build', 'build:js', 'build:native']);
    }
    expect(nodes['@quern/blas']?.data.targets['build:native']?.dependsOn).toEqual(['generate']);
  });
});
