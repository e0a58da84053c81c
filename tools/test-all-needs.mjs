// What a step of the wider tests needs, looked for on this machine; and what it means when it is not there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {{ tool: string } | { library: string }} Thing */
/** @typedef {Thing & ({ apt: string } | { from: string })} Need */

/** Whether this machine has it: a program in PATH, a library that the loader knows. @returns {(need: Thing) => boolean} */
export function machine() {
  const libraries = spawnSync('ldconfig', ['-p'], { encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` } }).stdout ?? '';
  const inPath = (tool) => (process.env.PATH ?? '').split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, tool)));
  return (need) => ('tool' in need ? inPath(need.tool) : libraries.includes(need.library));
}

/**
 * What to say of a step whose needs are not all met; nothing when they are. `strict` (QUERN_REQUIRE_ALL=1) is the word of .ci/run that it
 * installed its packages: then a need with `apt` that is missing is a failure. One with `from` no clean machine has, so it never is.
 * @param {readonly Need[]} needs @param {(need: Thing) => boolean} isThere @param {boolean} strict
 * @returns {{ outcome: 'failed' | 'not run', note: string } | undefined}
 */
export function lacking(needs, isThere, strict) {
  const missing = needs.filter((need) => !isThere(need)), packages = missing.filter((need) => 'apt' in need).map((need) => need.apt);
  if (missing.length === 0) return undefined;
  const names = missing.map((need) => ('tool' in need ? need.tool : need.library) + ('from' in need ? `, which comes with ${need.from}` : ''));
  const fix = packages.length > 0 ? `: apt-get install ${packages.join(' ')}` : '';
  return { outcome: strict && packages.length > 0 ? 'failed' : 'not run', note: `needs ${names.join(', ')}${fix}` };
}
