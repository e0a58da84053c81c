// `npm test`: installs, builds, checks the types, runs every test, and ends with one plain line such as `1234 passed, 0 failed`.
// Arguments go to vitest: npm test -- packages/fft -t "radix".
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { memory, root, setup } from './setup.mjs';
import { summaryFile } from './summary-reporter.mjs';

/**
 * Checks the types of all of the monorepo as one program: every file is checked once, however many packages import it.
 * By TypeScript 7, which takes a fifth of the time; `npm run test:all` has TypeScript 6 say the same.
 */
function checkTypes() {
  const tsc = spawn(process.execPath, [join(root, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', root], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [tsc.stdout, tsc.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
  return new Promise((done) => tsc.on('error', ({ message }) => done({ status: 1, said: `${message}\n` })).on('close', (status) => done({ status: status ?? 1, said })));
}

setup();
// Types need no build.
const checked = checkTypes();
await build();
const { status: types, said } = await checked;
process.stderr.write(types === 0 ? 'The types are right.\n' : said);

rmSync(summaryFile, { force: true });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
// Packages as they were built just now: see vitest.config.ts.
const run = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env: { ...process.env, QUERN_BUILT: '1' } });

const counts = existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : { passed: 0, failed: 1, skipped: [] };
let { passed, failed } = counts;
if (types === 0) passed += 1;
else failed += 1;
if (run.status !== 0 && counts.failed === 0) failed += 1;
for (const name of counts.skipped) process.stdout.write(`skipped: ${name}\n`);
if (types !== 0) process.stdout.write('failed: the type check (its messages are above the tests)\n');
writeFileSync(join(memory, 'npm-test-summary.json'), JSON.stringify({ passed, failed }));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
