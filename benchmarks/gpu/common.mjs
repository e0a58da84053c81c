// What the benchmarks for GPUs share: their command line, the peer, random numbers, and the file of results.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPeer } from './peer.mjs';

/** The value of an option of the command line. */
export const argument = (name) => { const i = process.argv.indexOf(name); return i < 0 ? undefined : process.argv[i + 1]; };

/** Says in one line why nothing is measured, and ends with status 2. */
export function refuse(benchmark, why) {
  process.stderr.write(`${benchmark}: ${why}\n`);
  process.exit(2);
}

/** The peer, and what it says of its device. */
export async function openPeer(benchmark, needed) {
  const peer = startPeer(), info = await peer.ask({ op: 'device' });
  if (info.error !== undefined) refuse(benchmark, `${needed}; here, ${info.error}`);
  return { peer, info };
}

/** Numbers in 0 to 1, the same for the same seed (Marsaglia, "Xorshift RNGs", 2003). */
export function randomFrom(seed) {
  let x = seed;
  return () => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return (x >>> 0) / 4294967296; };
}

/** Keeps a device at work for half a second, since the clocks of one that was idle are low: `work` resolves to nanoseconds. */
export async function warmUp(work) { for (let ns = 0; ns < 5e8;) ns += Math.max(1e5, await work()); }

export const median = (x) => x.slice().sort((a, b) => a - b)[x.length >> 1];

/** Writes benchmarks/results/<date>-<gpu>-<kind>.json; returns the status to end with: 1 when a row failed. */
export function writeResults({ benchmark, gpu, info, turns, rows, out, kind, problem }) {
  const failed = rows.filter((r) => r.error !== undefined).length, date = new Date().toISOString().slice(0, 10), slug = gpu.info.name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  const file = out ?? join(dirname(fileURLToPath(import.meta.url)), '../results', `${date}-${slug}-${kind}.json`);
  mkdirSync(dirname(file), { recursive: true });
  const head = { benchmark, date, gpu: { name: gpu.info.name, driver: gpu.driver.identity }, peer: info, turns, failed, problem };
  writeFileSync(file, `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${rows.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
  return failed === 0 ? 0 : 1;
}
