import type { Device, DeviceInfo } from '../device/index.ts';
import type { Reason } from '../errors/index.ts';
import type { DoctorReport } from './report.ts';

function reason(r: Reason): string {
  return `${r.candidate}: ${r.verdict === 'chosen' ? '' : `${r.verdict}: `}${r.detail}${r.fix === undefined ? '' : ` (${r.fix})`}`;
}

function size(bytes: number): string {
  if (bytes === 0) return 'unknown';
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MB` : `${bytes / 1024} KB`;
}

const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** What its driver tells of a GPU. */
function gpuFacts({ kind, version: [major, minor], units, limits, software }: NonNullable<DeviceInfo['gpu']>): readonly string[] {
  return [
    kind === 'cuda' ? `compute capability ${major}.${minor}` : kind === 'opencl' ? `OpenCL ${major}.${minor}` : 'WebGPU',
    ...(software ? ['on the CPU'] : []), ...(units > 0 ? [many(units, kind === 'cuda' ? 'multiprocessor' : 'compute unit')] : []),
    ...(limits.memoryBytes > 0 ? [`${(limits.memoryBytes / 2 ** 30).toFixed(1)} GB`] : []),
  ];
}

function deviceLine(d: DeviceInfo): string {
  const facts = d.gpu ? gpuFacts(d.gpu) : [d.backend, ...d.features.slice(0, 1), many(d.threads, 'thread')];
  return `${d.id}  ${[d.name, ...facts].join(', ')}`;
}

function pickLine(picked: Device | string): string {
  if (typeof picked === 'string') return picked;
  const why = picked.pick.reasons.find((r) => r.verdict === 'chosen')?.detail ?? '';
  return `${picked.info.id} (${why}${picked.pick.fellBack ? '; a fall-back' : ''})`;
}

/** The devices as lines of text: those there are, the one picked and why, and why the others are not there. */
export function formatDevices(report: Pick<DoctorReport, 'devices' | 'unavailable' | 'picked'>): string {
  return [
    ...report.devices.map(deviceLine),
    `picked: ${pickLine(report.picked)}`,
    ...(typeof report.picked === 'string' ? [] : report.picked.pick.fellBack ? report.picked.pick.reasons.filter((r) => r.verdict !== 'chosen').map((r) => `  ${reason(r)}`) : []),
    'not available:',
    ...report.unavailable.map((r) => `  ${reason(r)}`),
  ].join('\n');
}

/** The whole report as plain text. */
export function formatDoctor(report: DoctorReport): string {
  const { node, addon, cpu, threads, cache } = report;
  const rows: [string, string][] = [
    ['node', `${node.version}, Node-API ${node.napi}, ${node.platform}`],
    ['addon', addon.loaded ? `${addon.path} (${addon.tier}, kernel ABI ${addon.abi})` : 'not loaded'],
  ];
  if (!addon.loaded) rows.push(...addon.reasons.map((r): [string, string] => ['', reason(r)]));
  if (cpu !== undefined) {
    rows.push(['cpu', `${cpu.brand || cpu.arch}`], ['instruction sets', `${cpu.isas.join(', ')}${cpu.isaCap === undefined ? '' : ` (QUERN_ISA=${cpu.isaCap}${cpu.isaCapKnown ? '' : ', unknown'})`}`],
      ['caches', `L1d ${size(cpu.caches.l1d)}, L2 ${size(cpu.caches.l2)}, L3 ${size(cpu.caches.l3)}`]);
  }
  if (threads !== undefined) rows.push(['threads', `${threads.used} of ${threads.cpus} CPUs${threads.cap === 0 ? '' : ` (QUERN_NUM_THREADS=${threads.cap})`}`]);
  rows.push(['compiler', report.compilers.map(reason).join('; ')]);
  if (report.gpu !== undefined) rows.push(['GPU compiler', report.gpu.identity ?? 'none']);
  rows.push(['kernel cache', cache.problem ?? `${cache.path} (${cache.source})`]);
  for (const [name, value] of Object.entries(report.environment)) rows.push([name, value]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const text = rows.map(([name, value]) => `${name.padEnd(width)}  ${value.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`);
  const fixes = report.fixes.length === 0 ? ['Nothing to fix.'] : ['To fix:', ...report.fixes.map((f) => `  - ${f}`)];
  return [...text, '', formatDevices(report), '', ...fixes].join('\n');
}
