// Builds every package through nx, and skips nx (1.5 s) when a look at file sizes and times says that nothing changed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { memory, root, setup } from './setup.mjs';

const stamp = join(memory, 'built');
const lock = join(memory, 'building');

function list(path, keep, found) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) {
    found.push(`${path} ${stat.size} ${stat.mtimeMs}`);
    return;
  }
  for (const name of readdirSync(path).sort()) if (keep(name)) list(join(path, name), keep, found);
}

/** A hash of the size and time of all that a build reads and of all that it wrote: an output that is gone counts as a change. */
function state() {
  const found = [process.version];
  const all = () => true;
  for (const name of ['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json']) list(join(root, name), all, found);
  list(join(root, 'tools'), (name) => /^(build.*|generate)\.mjs$/.test(name), found);
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    const dir = join(root, 'packages', name);
    for (const part of ['package.json', 'tsconfig.json', 'src', 'abi', 'include', 'dist', 'lib', 'bin']) list(join(dir, part), all, found);
    list(join(dir, 'native'), (entry) => entry !== 'build', found);
    list(join(dir, 'native', 'build', 'Release'), (entry) => /\.(node|so|dylib|dll)$/.test(entry), found);
  }
  return createHash('sha256').update(found.join('\n')).digest('hex');
}

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Waits while another process builds in this checkout; a lock whose process is gone is taken over. */
async function takeLock() {
  mkdirSync(memory, { recursive: true });
  for (let told = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = Number(read(lock));
    try {
      if (holder > 0) process.kill(holder, 0);
    } catch {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) process.stderr.write(`Waiting for another build in this checkout (process ${holder}) ...\n`);
    told = true;
    await new Promise((done) => setTimeout(done, 300));
  }
}

/** What the failed tasks printed, out of all that nx and npm say around it; everything, when no task is to blame. */
function failures(log) {
  const [tasks, ending = ''] = log.split(/^Failed tasks:$/m);
  const failed = [...ending.matchAll(/^- (\S+)$/gm)].map((match) => match[1]);
  const blocks = tasks.split(/^(?=> nx run )/m).filter((block) => {
    const [, name, target] = /^> nx run (\S+?):"?([\w:]+)"?/.exec(block) ?? [];
    return failed.includes(`${name}:${target}`);
  });
  if (blocks.length === 0) return log;
  const noise = /^(npm (warn|error) |> \S+@\d|> node )|^\s*$/;
  return blocks.map((block) => block.split(/^ NX /m)[0].split('\n').filter((line) => !noise.test(line)).join('\n')).join('\n');
}

/**
 * Runs targets of all packages through nx, one line for each task that did work; a failed task's output is shown.
 * @returns nx's exit status
 */
export async function nx(targets) {
  const started = Date.now();
  const bin = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const args = [bin, 'run-many', '-t', ...targets, '--output-style=static'];
  const child = spawn(process.execPath, args, {
    cwd: root, stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NX_TUI: 'false', npm_config_loglevel: 'error', FORCE_COLOR: '0', NO_COLOR: '1' },
  });
  let log = '';
  let rest = '';
  const take = (chunk) => {
    log += chunk;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // nx prints this heading when a task has ended; one that came from the cache says so.
      const task = /^> nx run (\S+?):"?([\w:]+)"?\s*(\[.*cache.*\])?/.exec(line);
      if (!task || task[3] || line.includes('cache]')) continue;
      process.stderr.write(`  ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${task[1]} ${task[2]}\n`);
    }
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const status = await new Promise((done, failed) => child.on('error', failed).on('close', done));
  if (status !== 0) process.stderr.write(`${failures(log)}\n`);
  return status ?? 1;
}

/** Installs and builds what is not up to date; ends the process with a message when that fails. */
export async function build() {
  setup();
  if (read(stamp) === state()) return;
  await takeLock();
  try {
    if (read(stamp) === state()) return;
    process.stderr.write('Building (the first time about a minute; after that only what changed) ...\n');
    const started = Date.now();
    const status = await nx(['build']);
    if (status !== 0) {
      process.stderr.write('\nThe build failed; the messages are above.\n');
      process.exitCode = 1;
    } else {
      writeFileSync(stamp, state());
      process.stderr.write(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
    }
  } finally {
    rmSync(lock, { force: true });
  }
  if (process.exitCode === 1) process.exit(1);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await build();
