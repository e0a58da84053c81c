import { ISAS, cacheDir, findCompiler } from '../compile/index.ts';
import { type Device, device, type DeviceInfo, listDevices } from '../device/index.ts';
import type { Reason } from '../errors/index.ts';
import { cpuInfo, type CpuInfo, poolInfo } from '../machine/index.ts';
import { ABI, nativeStatus, platformTag } from '../native/index.ts';

/** What Quern finds on this machine: data for `quern doctor` and for bug reports. */
export interface DoctorReport {
  readonly node: { readonly version: string; readonly napi: string; readonly platform: string };
  readonly addon: { readonly loaded: boolean; readonly path: string | undefined; readonly tier: string | undefined; readonly abi: number; readonly reasons: readonly Reason[] };
  /** Undefined without the addon. */
  readonly cpu: CpuInfo | undefined;
  readonly threads: { readonly used: number; readonly cpus: number; readonly cap: number } | undefined;
  readonly compilers: readonly Reason[];
  readonly cache: { readonly path: string | undefined; readonly source: string | undefined; readonly problem: string | undefined };
  readonly devices: readonly DeviceInfo[];
  readonly unavailable: readonly Reason[];
  /** What `device()` gives, or the text of its error. */
  readonly picked: Device | string;
  /** Of a GPU that is picked: what compiles its kernels and its driver, or why nothing does. */
  readonly gpu: { readonly id: string; readonly identity: string | undefined; readonly problem: string | undefined } | undefined;
  /** Variables of ours that are set. */
  readonly environment: Readonly<Record<string, string>>;
  /** What to do, most important first; empty when all is well. */
  readonly fixes: readonly string[];
}

function cache(): DoctorReport['cache'] {
  try {
    const { path, source } = cacheDir();
    return { path, source, problem: undefined };
  } catch (error) {
    return { path: undefined, source: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((e): e is [string, string] => (e[0].startsWith('QUERN_') || e[0] === 'CC') && e[1] !== undefined));
}

/** Whether QUERN_NUM_THREADS is set to something that is no number of threads. */
function badThreads(): string | undefined {
  const text = process.env['QUERN_NUM_THREADS'];
  return text && !/^\s*\+?0*[1-9]\d*$/.test(text) ? text : undefined;
}

/** Compiler and driver of the GPU that is picked, or why it cannot compile: NVIDIA's compiler comes apart from its driver. */
function gpuOf(picked: Device | string): DoctorReport['gpu'] {
  if (typeof picked === 'string' || picked.driver === undefined) return undefined;
  try {
    return { id: picked.info.id, identity: picked.driver.identity, problem: undefined };
  } catch (error) {
    return { id: picked.info.id, identity: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** What to do about a report. */
export function fixes(report: Omit<DoctorReport, 'fixes'>): string[] {
  const list: string[] = [];
  if (!report.addon.loaded) {
    list.push(...report.addon.reasons.flatMap((r) => (r.fix === undefined ? [] : [`${r.candidate}: ${r.fix}`])), 'compile the addon with `npm run build` (needs a C compiler)');
  }
  if (report.cpu?.isaCap !== undefined && !report.cpu.isaCapKnown) {
    list.push(`QUERN_ISA='${report.cpu.isaCap}' names no instruction set and is ignored: use one of ${ISAS.join(', ')}`);
  }
  const threads = badThreads();
  if (threads !== undefined) list.push(`QUERN_NUM_THREADS='${threads}' is no positive number and is ignored`);
  if (!report.compilers.some((r) => r.verdict === 'chosen')) list.push('to compile kernels of your own, install gcc or clang (Debian: apt-get install gcc), or set CC');
  if (report.cache.problem !== undefined) list.push('set QUERN_CACHE_DIR to a folder that can be written');
  if (typeof report.picked === 'string') list.push(report.environment['QUERN_DEVICE'] ? 'correct or unset QUERN_DEVICE' : `no device can be opened: ${report.picked}`);
  if (report.gpu?.problem !== undefined) list.push(`no kernel can be compiled for ${report.gpu.id}: ${report.gpu.problem}`);
  return list;
}

/** Looks at the machine. Never throws; what is wrong is in the report, with `fixes`. */
export async function doctorReport(): Promise<DoctorReport> {
  const { addon, path, tier, reasons } = nativeStatus();
  const { devices, unavailable } = await listDevices();
  const pool = addon === undefined ? undefined : poolInfo();
  const picked = await device().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const report = {
    node: { version: process.versions.node, napi: process.versions['napi'] ?? '0', platform: platformTag() },
    addon: { loaded: addon !== undefined, path, tier, abi: ABI, reasons },
    cpu: addon === undefined ? undefined : cpuInfo(),
    threads: pool && { used: pool.limit, cpus: pool.cpus, cap: pool.cap },
    compilers: findCompiler().reasons,
    cache: cache(),
    devices, unavailable,
    picked, gpu: gpuOf(picked),
    environment: environment(),
  };
  return { ...report, fixes: fixes(report) };
}
