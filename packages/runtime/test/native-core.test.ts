/** The C core's own tests, compiled and run; `npm run test:all` repeats them under sanitizers and with clang. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nativeDir } from './support/sample.ts';

test('pool, memory, libraries and plans in C', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(nativeDir, 'test/run.mjs'), 'plain'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('passed\npassed\n');
  expect(status).toBe(0);
});
