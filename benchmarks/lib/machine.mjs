// What a measurement must say about the machine it was made on, without naming the machine.
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, loadavg, platform } from 'node:os';

/** One field of /proc/cpuinfo, for the first processor. */
function field(name) {
  try {
    return new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim();
  } catch {
    return undefined;
  }
}

/** Brand, family and model of the processor, how many cores this process may use, and what it runs on. */
export function machine() {
  const widest = /\bavx512f\b/.test(field('flags') ?? '') ? 'AVX-512' : /\bavx2\b/.test(field('flags') ?? '') ? 'AVX2' : undefined;
  return {
    cpu: field('model name') ?? arch(), family: Number(field('cpu family') ?? 0), model: Number(field('model') ?? 0), cores: availableParallelism(),
    vectors: widest, arch: arch(), os: platform(), node: process.version,
  };
}

/** A name for files: `amd-epyc-family25-model17-2-cores`. */
export function machineSlug(m = machine()) {
  const words = [m.cpu.replace(/\(R\)|\(TM\)|CPU|Processor|@.*$/gi, ' '), m.family ? `family${m.family} model${m.model}` : '', `${m.cores} cores`];
  return words.join(' ').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

/** The load averages of the last 1, 5 and 15 minutes: how much others used the machine. */
export const load = () => loadavg().map((x) => Number(x.toFixed(2)));

export const least = (times) => Math.min(...times);
export const median = (times) => times.slice().sort((a, b) => a - b)[times.length >> 1];
