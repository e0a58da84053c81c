import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ISAS, TARGETS } from '../../src/targets/index.ts';
import { targetsPage } from './table.ts';

it('docs/targets.md says what each target has', async () => {
  await expect(targetsPage()).toMatchFileSnapshot(fileURLToPath(new URL('../../../../docs/targets.md', import.meta.url)));
});

it('the names of CPU targets are in the order of the targets', () => expect(TARGETS.map((t) => t.isa)).toEqual(ISAS));
