import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ProviderLoadError, type Reason } from '../errors/index.ts';
import type { NativeAddon } from './addon.ts';

/** The kernel ABI that this package's TypeScript side speaks; QUERN_ABI of quern.h. */
export const ABI = 1;

/** Where native code came from: `env` (a variable names the file), `build` (compiled in this checkout), `prebuilt` (shipped in the package). */
export type NativeTier = 'env' | 'build' | 'prebuilt';

/** What loading the addon came to. */
export interface NativeStatus {
  readonly addon: NativeAddon | undefined;
  /** The file in use. */
  readonly path: string | undefined;
  readonly tier: NativeTier | undefined;
  /** One entry for each place looked at, in order. */
  readonly reasons: readonly Reason[];
}

/** `linux-x64`, `linux-x64-musl`, `darwin-arm64`: the name under which a build for this system is shipped. */
export function platformTag(): string {
  return `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
}

/** Which dynamic loader Node's own file asks for, near its start. (`process.report` knows too, but takes as long as loading everything else.) */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const head = Buffer.alloc(4096), fd = openSync(process.execPath, 'r');
  try {
    return head.subarray(0, readSync(fd, head)).includes('/ld-musl-');
  } finally {
    closeSync(fd);
  }
}

const packageRoot = new URL('../../', import.meta.url);

function candidates(): { path: string; tier: NativeTier }[] {
  const list: { path: string; tier: NativeTier }[] = [];
  const override = process.env['QUERN_RUNTIME_ADDON'];
  if (override) list.push({ path: override, tier: 'env' });
  list.push({ path: fileURLToPath(new URL('native/build/Release/quern_runtime.node', packageRoot)), tier: 'build' });
  list.push({ path: fileURLToPath(new URL(`prebuilds/${platformTag()}.node`, packageRoot)), tier: 'prebuilt' });
  return list;
}

/** What a dynamic loader's text means for a person. */
function explain(text: string): string | undefined {
  if (/GLIBC_|GLIBCXX_|version `/.test(text)) return 'this system has an older C library than the build needs: compile it here with `npm run build`';
  if (/wrong ELF class|invalid ELF header|mach-o|not a valid Win32/.test(text)) return 'the file is for another system or is damaged: compile it here with `npm run build`';
  if (/Module did not self-register/.test(text)) return 'the file is no addon of Quern';
  return undefined;
}

function tryLoad(path: string, tier: NativeTier): { addon?: NativeAddon; reason: Reason } {
  const reject = (verdict: 'rejected' | 'unavailable', code: string, detail: string, fix?: string): { reason: Reason } =>
    ({ reason: { candidate: path, verdict, code, detail, ...(fix === undefined ? {} : { fix }) } });
  if (!existsSync(path)) {
    return reject('unavailable', 'not-found', tier === 'env' ? 'QUERN_RUNTIME_ADDON names a file that does not exist' : 'no such file',
      tier === 'env' ? 'correct or unset QUERN_RUNTIME_ADDON' : undefined);
  }
  try {
    const addon = createRequire(import.meta.url)(path) as NativeAddon;
    if (addon.abi !== ABI) return reject('rejected', 'abi', `it has kernel ABI ${String(addon.abi)}, this package needs ${ABI}`, 'rebuild it: `npm run build`');
    return { addon, reason: { candidate: path, verdict: 'chosen', code: tier, detail: 'loaded' } };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return reject('rejected', 'load', text, explain(text));
  }
}

function load(): NativeStatus {
  const reasons: Reason[] = [];
  const napi = Number(process.versions['napi'] ?? 0);
  if (!(napi >= 8)) {
    reasons.push({ candidate: 'Node-API', verdict: 'rejected', code: 'napi', detail: `this runtime has Node-API ${napi}, the addon needs 8`, fix: 'use Node 20.19 or newer' });
    return { addon: undefined, path: undefined, tier: undefined, reasons };
  }
  for (const { path, tier } of candidates()) {
    // An addon is a module of a worker thread too, so its path must be absolute there as here.
    const { addon, reason } = tryLoad(path, tier);
    reasons.push(reason);
    if (addon !== undefined) return { addon, path, tier, reasons };
  }
  return { addon: undefined, path: undefined, tier: undefined, reasons };
}

let status: NativeStatus | undefined;

/** Loads the addon at the first call and tells how that went; never throws. */
export function nativeStatus(): NativeStatus {
  status ??= load();
  return status;
}

/** The addon, or undefined where there is none for this system. */
export function tryNative(): NativeAddon | undefined {
  return nativeStatus().addon;
}

/**
 * The addon.
 *
 * @throws ProviderLoadError when no candidate loads; it lists each with its reason.
 */
export function native(): NativeAddon {
  const { addon, reasons } = nativeStatus();
  if (addon !== undefined) return addon;
  throw new ProviderLoadError('the native addon of @quern/runtime could not be loaded', reasons, {
    fix: 'compile it with `npm run build` (needs a C compiler), or set QUERN_RUNTIME_ADDON to a built quern_runtime.node',
  });
}
