// Builds one package's dist/ from its src/: each file to JavaScript with a source map (esbuild) and to declarations (TypeScript).
// Run from a package's folder. Types are checked elsewhere (`npm run typecheck` of the package); this only translates.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { transform } from 'esbuild';

// To import CommonJS, Node reads all of it for its exports first, which takes a second for a file of this size.
const ts = createRequire(import.meta.url)('typescript');

const packageDir = process.cwd();
const src = join(packageDir, 'src');
const dist = join(packageDir, 'dist');

/** Relative `.ts` specifiers become `.js`: the only rewriting that a file needs, since nothing is bundled. */
function withJsSpecifiers(code, fileName) {
  const found = ts.preProcessFile(code, true, true).importedFiles;
  let out = '';
  let from = 0;
  // `pos` is where the specifier starts, after its quote.
  for (const { fileName: specifier, pos, end } of found.sort((a, b) => a.pos - b.pos)) {
    if (!/^\.{1,2}\//.test(specifier) || !specifier.endsWith('.ts')) continue;
    const at = code.indexOf(specifier, pos);
    if (at < 0 || at > end) throw new Error(`${fileName}: cannot find the import of '${specifier}' again`);
    out += `${code.slice(from, at)}${specifier.slice(0, -3)}.js`;
    from = at + specifier.length;
  }
  return out + code.slice(from);
}

async function sources(dir) {
  const files = [];
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) files.push(...(await sources(path)));
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')) files.push(path);
  }
  return files.sort();
}

const { config, error } = ts.readConfigFile(resolve(packageDir, '../../tsconfig.base.json'), ts.sys.readFile);
if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, packageDir);

const problems = [];
await rm(dist, { recursive: true, force: true });
for (const file of await sources(src)) {
  const code = await readFile(file, 'utf8');
  const out = join(dist, relative(src, file)).slice(0, -3);
  const map = relative(dirname(out), file).split('\\').join('/');
  const name = `${out.slice(out.lastIndexOf('/') + 1)}.js`;
  await mkdir(dirname(out), { recursive: true });

  const js = await transform(withJsSpecifiers(code, file), {
    loader: 'ts', format: 'esm', target: 'node20.19', sourcemap: 'external', sourcefile: map, sourcesContent: true,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  }).catch((cause) => ({ failed: cause }));
  if (js.failed) {
    problems.push(`${relative(packageDir, file)}: ${js.failed.message}`);
    continue;
  }
  await writeFile(`${out}.js`, `${js.code}//# sourceMappingURL=${name}.map\n`);
  await writeFile(`${out}.js.map`, js.map);

  const declared = ts.transpileDeclaration(code, { fileName: file, compilerOptions: { ...options, noEmit: false }, reportDiagnostics: true });
  for (const { file: at, start, messageText } of declared.diagnostics ?? []) {
    const line = at && start !== undefined ? at.getLineAndCharacterOfPosition(start).line + 1 : 1;
    problems.push(`${relative(packageDir, file)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  }
  await writeFile(`${out}.d.ts`, withJsSpecifiers(declared.outputText, file));
}

if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}
