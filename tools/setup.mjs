// Installs the dependencies when they are missing or belong to another lockfile or Node. No dependencies of its own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the tools keep what they remember between runs; it goes away with node_modules. */
export const memory = join(root, 'node_modules', '.cache', 'quern');

const [major, minor] = process.versions.node.split('.').map(Number);

function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}

/** Makes node_modules match the lockfile; returns at once when it already does. */
export function setup() {
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Quern needs Node 20.19 or newer; this is Node ${process.versions.node}. Install a newer Node and try again.`);
  }
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.version} ${process.platform} ${process.arch}`)
    .digest('hex');
  const stamp = join(memory, 'installed');
  try {
    if (readFileSync(stamp, 'utf8') === wanted) return;
  } catch {
    // No stamp: nothing is installed yet.
  }
  const started = Date.now();
  process.stderr.write('Installing dependencies (once; about half a minute) ...\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // Scripts stay off: nothing that we depend on needs one.
  const result = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root, encoding: 'utf8', shell: process.platform === 'win32', maxBuffer: 1 << 26,
  });
  if (result.error) fail(`Could not run npm (${result.error.message}). Install npm, which comes with Node, and try again.`);
  if (result.status !== 0) {
    fail(`${result.stdout}${result.stderr}\nInstalling failed: 'npm ci' ended with status ${result.status}. Its message is above.\n`
      + 'Most often the package registry could not be reached: check the network or proxy, then run the same command again.');
  }
  mkdirSync(memory, { recursive: true });
  writeFileSync(stamp, wanted);
  process.stderr.write(`Installed in ${((Date.now() - started) / 1000).toFixed(0)} s.\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) setup();
