import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@quern/runtime';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url)), folder = mkdtempSync(join(root, 'test/readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('the code of README.md runs and gives what its comments say', async () => {
  const [, code] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))!, path = join(folder, 'example.ts');
  writeFileSync(path, `${code}\nexport { y, z, K };\n`);
  const { y, z, K } = (await import(path)) as Record<'y' | 'z' | 'K', Tensor>;
  expect(y.shape).toEqual([1, 4]);
  expect([...z.read() as Float32Array]).toEqual([...y.read() as Float32Array].slice(0, 2));
  expect(K.shape).toEqual([16, 1, 4]);
});
