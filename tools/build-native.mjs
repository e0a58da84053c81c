// Compiles one package's native/binding.gyp with node-gyp into native/build/Release/. Run from a package's folder.
// Quiet unless it fails; says what to install when a tool is missing; needs no network for Node's headers.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';
import { memory } from './setup.mjs';

const native = join(process.cwd(), 'native');
const name = basename(process.cwd());
const gyp = join(native, 'binding.gyp');
const gen = join(native, 'gen');

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function inPath(...names) {
  const dirs = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  return names.some((tool) => dirs.some((dir) => endings.some((ending) => {
    try {
      accessSync(join(dir, tool + ending), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  })));
}

/** What node-gyp would stumble over, each with its Debian package. */
function missingTools() {
  if (process.platform === 'win32') return [];
  const missing = [];
  if (!process.env.CC && !inPath('cc', 'gcc', 'clang')) missing.push(['a C compiler (cc, gcc or clang)', 'gcc']);
  if (!inPath('make', 'gmake')) missing.push(['make', 'make']);
  if (!inPath('python3', 'python') && !process.env.npm_config_python) missing.push(['Python 3 (node-gyp uses it)', 'python3']);
  return missing;
}

/** Node's headers: beside this Node when they came with it, else the Node-API ones from npm, laid out as node-gyp wants them. */
function nodeDir() {
  const prefix = dirname(dirname(process.execPath));
  const include = join('include', 'node');
  if (existsSync(join(prefix, include, 'node_api.h')) && existsSync(join(prefix, include, 'common.gypi'))) return prefix;
  const made = join(memory, 'node-headers');
  const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');
  mkdirSync(join(made, include), { recursive: true });
  cpSync(headers, join(made, include), { recursive: true });
  // The least that node-gyp reads from a header folder. It has no config.gypi: node-gyp then takes process.config.
  writeFileSync(join(made, include, 'common.gypi'), `{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': { 'Debug': { 'cflags': ['-g', '-O0'] }, 'Release': { 'cflags': ['-O3'] } },
    'conditions': [
      ['OS != "win"', { 'cflags': ['-fPIC', '-pthread', '-Wall'], 'ldflags': ['-pthread'] }],
      ['OS == "mac"', { 'xcode_settings': { 'OTHER_LDFLAGS': ['-undefined dynamic_lookup'] } }]
    ]
  }
}
`);
  return made;
}

if (!existsSync(gyp)) {
  if (existsSync(gen) && readdirSync(gen).length > 0) fail(`${name}: native/gen holds generated code but there is no native/binding.gyp to compile it.`);
  process.stdout.write(`${name}: no native code to compile yet\n`);
  process.exit(0);
}

const missing = missingTools();
if (missing.length > 0) {
  fail(`${name}: cannot compile the native code: this machine lacks ${missing.map(([what]) => what).join(', ')}.\n`
    + `Fix: install it. On Debian and Ubuntu: apt-get install ${missing.map(([, pkg]) => pkg).join(' ')}`);
}

// gyp would link with the C++ compiler. All our native code is C: it needs no g++ on the machine and no libstdc++ at run time.
const cc = process.env.CC ?? ['cc', 'gcc', 'clang'].find((tool) => inPath(tool)) ?? 'cc';
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
// A rebuild, not a build: a cache may have put an older output back under make's feet, and time stamps would lie.
const result = spawnSync(process.execPath, [nodeGyp, 'rebuild', `--directory=${native}`, `--nodedir=${nodeDir()}`, '--jobs=max', '--loglevel=error', '--silent'], {
  encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, CC: cc, LINK: process.env.LINK ?? cc },
});
if (result.error || result.status !== 0) {
  rmSync(join(native, 'build', 'Release'), { recursive: true, force: true });
  // node-gyp ends with lines about itself; the compiler's and gyp's own complaints stand above them.
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.split('\n').filter((line) => !/^gyp (ERR! (stack|System|command|cwd|node|\$npm|not ok)|info)/.test(line));
  fail(`${said.join('\n')}\n${name}: compiling native/binding.gyp failed (${result.error?.message ?? `status ${result.status}`}). The compiler's message is above.`);
}
const outputs = readdirSync(join(native, 'build', 'Release')).filter((file) => /.\.(node|so|dylib|dll)$/.test(file));
if (outputs.length === 0) {
  fail(`${name}: native/binding.gyp compiled but left no .node or .so in native/build/Release. Note that gyp takes a leading 'lib' off a target_name.`);
}
if (/warning:/.test(result.stderr)) process.stderr.write(result.stderr);
