/** The list of the wider tests: what a clean machine installs it must have, what nobody installs for it may be missing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { document, root } from './snippets.ts';

type Need = ({ tool: string } | { library: string }) & ({ apt: string } | { from: string });
interface Step { name: string; command: string[]; needs?: Need[] }
type Lacking = (needs: readonly Need[], isThere: (need: Need) => boolean, strict: boolean) => { outcome: string; note: string } | undefined;

const { steps } = (await import(join(root, 'tools/test-all-steps.mjs'))) as { steps: Step[] };
const { lacking, machine } = (await import(join(root, 'tools/test-all-needs.mjs'))) as { lacking: Lacking; machine: () => (need: Need) => boolean };
const installed = /^packages=\((.*)\)$/m.exec(document('.ci/run'))![1]!.split(' ');
const needs = steps.flatMap((s) => s.needs ?? []);
const none = (): boolean => false;

describe('the wider tests', () => {
  it('run files that exist', () => {
    const files = steps.flatMap((s) => s.command.filter((word) => /\.(mjs|ts)$/.test(word)));
    expect(files.length).toBeGreaterThanOrEqual(steps.length);
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
  });

  it('need packages that .ci/run installs, or say where else the thing comes from', () => {
    for (const need of needs) {
      if ('apt' in need) expect(installed).toContain(need.apt);
      else expect(need.from).not.toBe('');
    }
  });

  it('fail without what .ci/run installs, once it says that it did; and are only not run elsewhere', () => {
    const provided = steps.filter((s) => s.needs?.some((need) => 'apt' in need));
    expect(provided.length).toBeGreaterThan(5);
    for (const s of provided) {
      expect(lacking(s.needs!, none, true)?.outcome, s.name).toBe('failed');
      expect(lacking(s.needs!, none, false)?.outcome, s.name).toBe('not run');
      expect(lacking(s.needs!, () => true, true), s.name).toBeUndefined();
    }
  });

  it('are not run without what nobody installs, such as nvcc, wherever that is', () => {
    const cuda = steps.filter((s) => s.needs?.some((need) => 'tool' in need && need.tool === 'nvcc'));
    expect(cuda).toHaveLength(1);
    expect(cuda[0]!.command).toContain('tools/test/gpu-kernels.test.ts');
    for (const strict of [true, false]) expect(lacking(cuda[0]!.needs!, none, strict)).toEqual({ outcome: 'not run', note: "needs nvcc, which comes with NVIDIA's CUDA toolkit" });
  });

  it('fail when both kinds are missing, and name both', () => {
    const both: Need[] = [{ tool: 'nvcc', from: 'a toolkit' }, { library: 'libx.so.1', apt: 'libx1' }];
    expect(lacking(both, none, true)).toEqual({ outcome: 'failed', note: 'needs nvcc, which comes with a toolkit, libx.so.1: apt-get install libx1' });
    expect(lacking(both, (need) => 'library' in need, true)?.outcome).toBe('not run');
  });

  it('look for programs in PATH and for libraries where the loader does', () => {
    const isThere = machine();
    expect(isThere({ tool: 'sh', from: 'any system' })).toBe(true);
    expect(isThere({ tool: 'quern-no-such-tool', from: 'nowhere' })).toBe(false);
    expect(isThere({ library: 'libquern_no_such.so.1', from: 'nowhere' })).toBe(false);
  });
});
