// `npm run test:all`: the wider tests of test-all-steps.mjs. Arguments choose steps by a part of their names.
// A step whose needs are missing is named and not run; with QUERN_REQUIRE_ALL=1 that is a failure, if it is one that .ci/run installs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { memory, root } from './setup.mjs';
import { lacking, machine } from './test-all-needs.mjs';
import { steps } from './test-all-steps.mjs';

await build();

const wanted = process.argv.slice(2);
const chosen = steps.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (chosen.length === 0) {
  process.stderr.write(`No step matches. The steps are:\n${steps.map(({ name }) => `  ${name}`).join('\n')}\n`);
  process.exit(2);
}

const strict = process.env.QUERN_REQUIRE_ALL === '1', isThere = machine();
const results = [];
for (const { name, command, needs = [], env = {}, minutes = 10 } of chosen) {
  const lack = lacking(needs, isThere, strict);
  if (lack) {
    results.push({ name, ...lack });
    continue;
  }
  process.stdout.write(`\n== ${name}\n`);
  const started = Date.now();
  const program = command[0] === 'node' ? process.execPath : command[0];
  const { status, error } = spawnSync(program, command.slice(1), { cwd: root, stdio: 'inherit', env: { ...process.env, ...env }, timeout: minutes * 60_000, killSignal: 'SIGKILL' });
  const seconds = `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const why = error?.code === 'ETIMEDOUT' ? `, stopped after ${minutes} minutes` : error ? `, ${error.message}` : status !== 0 ? `, status ${status}` : '';
  results.push({ name, outcome: status === 0 ? 'passed' : 'failed', note: seconds + why });
}

process.stdout.write('\n');
for (const { name, outcome, note } of results) process.stdout.write(`${outcome.padEnd(8)} ${name} (${note})\n`);
const count = (outcome) => results.filter((result) => result.outcome === outcome).length;
mkdirSync(memory, { recursive: true });
writeFileSync(join(memory, 'test-all-summary.json'), JSON.stringify({ passed: count('passed'), failed: count('failed'), notRun: count('not run') }));
if (count('not run') > 0) process.stdout.write(`${count('not run')} steps were not run: this machine lacks what they need\n`);
process.stdout.write(`${count('passed')} passed, ${count('failed')} failed\n`);
process.exitCode = count('failed') === 0 ? 0 : 1;
