// `npm run bench -- [NAME ...] [-- OPTIONS]`: runs benchmarks/NAME.bench.mjs, all of them when none is named, one after the other.
// One that ends with status 2 says that this machine lacks what it measures: an error only where it was named.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './setup.mjs';

const dir = join(root, 'benchmarks');
const ending = '.bench.mjs';
const known = existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length)).sort() : [];
const args = process.argv.slice(2);
const dashes = args.indexOf('--');
const names = dashes < 0 ? args : args.slice(0, dashes);
const options = dashes < 0 ? [] : args.slice(dashes + 1);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0 || known.length === 0) {
  process.stderr.write(`${unknown.length > 0 ? `No benchmark is called ${unknown.join(' or ')}. ` : ''}There are: ${known.join(', ') || 'none yet'}\n`);
  process.exit(2);
}

await build();
// One process each: a benchmark must not inherit the heap or the threads of the one before.
for (const name of names.length > 0 ? names : known) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(dir, name + ending), ...options], { cwd: root, stdio: 'inherit' });
  if (status === 2) process.exitCode ??= names.length > 0 ? 2 : undefined;
  else if (status !== 0) process.exitCode = 1;
}
