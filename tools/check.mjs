// `npm run check`: whether each package could be published as it is: exports, types, sizes, and a lockfile that installs.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './setup.mjs';

await build();

let failed = 0;

/** Runs a program of node_modules/.bin, or npm; silent unless it fails. */
function check(what, program, args, cwd = root) {
  const path = program === 'npm' ? 'npm' : join(root, 'node_modules', '.bin', program);
  const { status, stdout, stderr, error } = spawnSync(path, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } });
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${what}\n`);
  if (status === 0) return;
  failed += 1;
  process.stdout.write(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`);
}

for (const name of readdirSync(join(root, 'packages')).sort()) {
  const dir = join(root, 'packages', name);
  check(`${name}: publint`, 'publint', ['--strict'], dir);
  check(`${name}: types resolve`, 'attw', ['--pack', '.', '--profile', 'esm-only', '--no-color', '--no-emoji'], dir);
}
check('sizes', 'size-limit', []);
check('the lockfile installs', 'npm', ['ci', '--dry-run', '--ignore-scripts', '--no-audit', '--no-fund']);
process.exitCode = failed === 0 ? 0 : 1;
