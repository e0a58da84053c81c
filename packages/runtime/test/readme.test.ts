/** The README's examples run as they stand and give what their comments say. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LaunchTime, Tensor } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';
import { withEnv } from './support/thrown.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('from the first line to the last', async () => {
  const blocks = [...readFileSync(here('../README.md'), 'utf8').matchAll(/^```ts\n([^]*?)^```/gm)].map((m) => m[1] ?? '');
  expect(blocks).toHaveLength(2);
  const imports = new Set<string>();
  const body = blocks.join('\n').replaceAll(/^import \{(.*)\} from '(.*)';.*$/gm, (_, names: string, from: string) => {
    const path = from === '@quern/runtime' ? here('../src/index.ts') : from === './saxpy.ts' ? here('../../../examples/saxpy.ts') : from;
    for (const name of names.split(',')) imports.add(`import { ${name.trim()} } from ${JSON.stringify(path)};`);
    return '';
  });
  const file = join(temporaryDir(), 'readme.ts');
  writeFileSync(file, `${[...imports].join('\n')}\nexport const before = [];\n${body.replace('y.read();', 'before.push(...y.read());')}\nexport const trace = step.trace();\nexport const after = y;\n`);
  await withEnv({ QUERN_CACHE_DIR: temporaryDir() }, async () => {
    const { before, trace, after } = await import(/* @vite-ignore */ file) as { before: number[]; trace: LaunchTime[]; after: Tensor };
    expect(before).toEqual([2, 4, 6, 8]);
    expect(trace.map((t) => t.label)).toEqual(['first', 'saxpy']);
    // Twice a x on all four, once on three, once with ones on three.
    expect([...after.read()]).toEqual([8, 14, 20, 16]);
  });
});
