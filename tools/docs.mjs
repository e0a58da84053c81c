// Writes the API reference with typedoc: of all packages into docs/api, or, run in a package's folder, of that package alone.
// Anything undocumented and any link that leads nowhere is an error.
import { spawnSync } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
const here = process.cwd();
const alone = basename(dirname(here)) === 'packages';
const args = alone
  ? ['--options', join(root, 'typedoc.package.json'), '--entryPoints', 'src/index.ts', '--tsconfig', 'tsconfig.json', '--out', join(root, 'docs', 'api', basename(here))]
  : ['--options', join(root, 'typedoc.json')];
const { status } = spawnSync(process.execPath, [typedoc, ...args], { cwd: alone ? here : root, stdio: 'inherit' });
process.exitCode = status ?? 1;
