import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { targetsPage } from './table.ts';

it('docs/targets.md says what each target has', async () => {
  await expect(targetsPage()).toMatchFileSnapshot(fileURLToPath(new URL('../../../../docs/targets.md', import.meta.url)));
});
