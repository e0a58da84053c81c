// Prints one plain line, such as `1234 passed, 0 failed`: the counts of the last `npm test` and the last `npm run test:all` together.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memory } from './setup.mjs';

const read = (name) => (existsSync(join(memory, name)) ? JSON.parse(readFileSync(join(memory, name), 'utf8')) : { passed: 0, failed: 1 });
const runs = [read('npm-test-summary.json'), read('test-all-summary.json')];
const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
