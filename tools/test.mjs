// `npm test`: installs, builds, checks the types, runs every test, and ends with one plain line such as `1234 passed, 0 failed`.
// Arguments go to vitest: npm test -- packages/fft -t "radix".
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { memory, root } from './setup.mjs';
import { summaryFile } from './summary-reporter.mjs';

await build();

process.stderr.write('Checking the types ...\n');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
// All of the monorepo as one program: every file is checked once, however many packages import it.
const types = spawnSync(process.execPath, [tsc, '-p', root], { cwd: root, stdio: 'inherit' }).status ?? 1;

rmSync(summaryFile, { force: true });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const run = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });

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
