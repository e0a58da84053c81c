import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built addon of this checkout, or the one that a wider test names. */
export const addonPath: string = process.env['QUERN_RUNTIME_ADDON'] || fileURLToPath(new URL('../../native/build/Release/quern_runtime.node', import.meta.url));

/** Runs JavaScript in a Node of its own, with `addon` the addon; gives what it printed, its errors and how it ended. */
export function node(script: string, env: Readonly<Record<string, string>> = {}): { stdout: string; stderr: string; status: number | null; signal: NodeJS.Signals | null } {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['-e', `const addon = require(${JSON.stringify(addonPath)});\n${script}`], {
    encoding: 'utf8', timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return { stdout, stderr, status, signal };
}
