/** The README's examples run as they stand and give what their comments say. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Device, DeviceList, LaunchTime, Tensor } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';
import { withEnv } from './support/thrown.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const readme = readFileSync(here('../README.md'), 'utf8');

test('from the first line to the last', async () => {
  const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```/gm)].map((m) => m[1] ?? '');
  expect(blocks).toHaveLength(3);
  const imports = new Set<string>();
  const body = blocks.join('\n').replaceAll(/^import \{(.*)\} from '(.*)';.*$/gm, (_, names: string, from: string) => {
    const path = from === '@quern/runtime' ? here('../src/index.ts') : from === './saxpy.ts' ? here('../../../examples/saxpy.ts') : from;
    for (const name of names.split(',')) imports.add(`import { ${name.trim()} } from ${JSON.stringify(path)};`);
    return '';
  });
  const file = join(temporaryDir(), 'readme.ts');
  writeFileSync(file, `${[...imports].join('\n')}\nexport const before = [];\n${body.replace('y.read();', 'before.push(...y.read());').replace('await sum.readAsync();', 'export const there = await sum.readAsync();')}\nexport const trace = step.trace();\nexport const after = y;\nexport { devices, picked };\n`);
  await withEnv({ QUERN_CACHE_DIR: temporaryDir() }, async () => {
    const { before, trace, after, there, devices, picked } = await import(/* @vite-ignore */ file) as { before: number[]; trace: LaunchTime[]; after: Tensor; there: Float32Array; picked: Device } & Pick<DeviceList, 'devices'>;
    expect(before).toEqual([2, 4, 6, 8]);
    expect(trace.map((t) => t.label)).toEqual(['first', 'saxpy']);
    // Twice a x on all four, once on three, once with ones on three.
    expect([...after.read()]).toEqual([8, 14, 20, 16]);
    expect([...there]).toEqual([2, 4, 6, 8]);
    expect(picked.info.kind).toBe(['cuda', 'opencl', 'cpu'].find((kind) => devices.some((d) => d.kind === kind)));
  });
});

/** Every text of the sources that match, with its path below the package. */
const sources = (folder: string, ending: RegExp): string[] => readdirSync(here(folder), { recursive: true, encoding: 'utf8' }).filter((f) => ending.test(f)).map((f) => readFileSync(here(`${folder}/${f}`), 'utf8'));

test('names every variable that is read, and no other', () => {
  const read = [...sources('../src', /\.ts$/), ...sources('../native/core', /\.c$/)].flatMap((text) => [...text.matchAll(/process\.env\['(\w+)'\]|getenv\("(\w+)"\)|"(QUERN_\w+_LIBRARY)"/g)].map((m) => m[1] ?? m[2] ?? m[3]!));
  const rows = readme.split('\n').filter((line) => /^\| `[A-Z]/.test(line)), named = rows.flatMap((line) => [...line.matchAll(/`([A-Z_]{2,})`/g)].map((m) => m[1]!));
  // Each package has a library of its own: one stands for all.
  expect([...new Set(named)].filter((v) => v !== 'QUERN_BLAS_LIBRARY').sort()).toEqual([...new Set(read)].sort());
});

test('lists the rooms in the order in which they build on each other', () => {
  const listed = [...(/one folder is one room: ([^;]*);/.exec(readme)?.[1] ?? '').matchAll(/`(\w+)`/g)].map((m) => m[1]!);
  expect([...listed].sort()).toEqual(readdirSync(here('../src'), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort());
  listed.forEach((room, at) => {
    const below = new Set(sources(`../src/${room}`, /\.ts$/).flatMap((text) => [...text.matchAll(/from '\.\.\/(\w+)\//g)].map((m) => m[1]!)));
    for (const other of below) expect(listed.indexOf(other), `${room} builds on ${other}`).toBeLessThan(at);
  });
});
