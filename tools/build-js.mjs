// Builds one package's dist/ from its src/: each file to JavaScript with a source map (esbuild) and to declarations (TypeScript 7, as a program of its own beside).
// Run from a package's folder. Types are checked elsewhere (`npm test`, `npm run typecheck` of the package); this only translates.
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { init, parse } from 'es-module-lexer';
import { transform } from 'esbuild';

const packageDir = process.cwd(), root = resolve(packageDir, '../..'), src = join(packageDir, 'src'), dist = join(packageDir, 'dist');

/** Relative `.ts` specifiers become `.js`: the only rewriting that a file needs, since nothing is bundled. */
function withJsSpecifiers(code) {
  let out = '', from = 0;
  for (const { n, e } of parse(code)[0]) {
    if (n === undefined || !/^\.{1,2}\/.*\.ts$/.test(n)) continue;
    // `e` is the end of the specifier; of one that import() takes, its quote is still to come.
    const end = code[e - 1] === "'" || code[e - 1] === '"' ? e - 1 : e;
    out += `${code.slice(from, end - 3)}.js`;
    from = end;
  }
  return out + code.slice(from);
}
/** The same for declarations, which no lexer of JavaScript reads: imports and exports begin lines, other modules' types are import('…'). */
const declarationsWithJs = (text) => text.replace(/^((?:import|export)\b[^'"]*['"]\.{1,2}\/[^'"]*)\.ts(?=['"])/gm, '$1.js').replace(/(\bimport\(['"]\.{1,2}\/[^'"]*)\.ts(?=['"]\))/g, '$1.js');

async function filesIn(dir, ends) {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.filter((e) => e.isFile() && ends.test(e.name)).map((e) => join(e.parentPath ?? e.path, e.name)).sort();
}

const problems = [];
/** Writes dist's declarations. No type of another module is needed for them (`isolatedDeclarations`); what such a type would be needed for is an error. */
async function declarations() {
  const config = join(dist, 'declarations.tsconfig.json');
  await writeFile(config, JSON.stringify({
    extends: join(root, 'tsconfig.base.json'), include: [src],
    compilerOptions: { noEmit: false, emitDeclarationOnly: true, noCheck: true, rewriteRelativeImportExtensions: false, rootDir: src, outDir: dist, typeRoots: [join(root, 'node_modules/@types')] },
  }));
  const tsc = spawn(process.execPath, [join(root, 'node_modules/typescript-7/bin/tsc'), '-p', config, '--pretty', 'false'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [tsc.stdout, tsc.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
  const status = await new Promise((done, failed) => tsc.on('error', failed).on('close', done));
  await rm(config);
  if (status !== 0) { problems.push(said.trim()); return; }
  for (const file of await filesIn(dist, /\.d\.ts$/)) {
    const text = await readFile(file, 'utf8'), js = declarationsWithJs(text);
    if (js !== text) await writeFile(file, js);
  }
}

async function javascript() {
  await init;
  for (const file of await filesIn(src, /(?<!\.d)\.ts$/)) {
    const code = await readFile(file, 'utf8'), out = join(dist, relative(src, file)).slice(0, -3), map = relative(dirname(out), file).split('\\').join('/'), name = `${out.slice(out.lastIndexOf('/') + 1)}.js`;
    const js = await transform(code, {
      loader: 'ts', format: 'esm', target: 'node20.19', sourcemap: 'external', sourcefile: map, sourcesContent: true,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    }).catch((cause) => ({ failed: cause }));
    if (js.failed) {
      problems.push(`${relative(packageDir, file)}: ${js.failed.message}`);
      continue;
    }
    await mkdir(dirname(out), { recursive: true });
    await writeFile(`${out}.js`, `${withJsSpecifiers(js.code)}//# sourceMappingURL=${name}.map\n`);
    await writeFile(`${out}.js.map`, js.map);
  }
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await Promise.all([declarations(), javascript()]);
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}
