import { existsSync, readFileSync } from 'node:fs';
import { findLibrary, formatReasons, type KernelLibrary, type KernelMeta, nativeStatus, type Reason } from '@quern/runtime';

/** The native library with the descriptions of its kernels, or none, with a reason for each place looked at. */
export interface Native {
  readonly library: KernelLibrary | undefined;
  readonly metas: ReadonlyMap<string, KernelMeta>;
  readonly reasons: readonly Reason[];
}

interface Manifest { readonly hash: string; readonly kernels: readonly (KernelMeta & { readonly isa: string })[] }

const root = new URL('../../', import.meta.url);
let found: Native | undefined;

function search(): Native {
  const none = (reasons: readonly Reason[]): Native => ({ library: undefined, metas: new Map(), reasons });
  const addon = nativeStatus();
  if (addon.addon === undefined) return none(addon.reasons);
  const file = new URL('native/gen/manifest.json', root);
  if (!existsSync(file)) {
    return none([{ candidate: file.pathname, verdict: 'unavailable', code: 'not-found', detail: 'the description of the generated kernels is missing', fix: 'build them: `npm run build`' }]);
  }
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const { library, reasons } = findLibrary({ name: 'quern_blas', root, hash: manifest.hash });
  return { library, reasons, metas: new Map(manifest.kernels.map((k) => [k.name, k])) };
}

/** Looks once. */
export function nativeLibrary(): Native {
  return (found ??= search());
}

let warned = false;

/** Says once that the interpreter stands in for native code. */
export function warnInterpreter(reasons: readonly Reason[]): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`@quern/blas has no native kernels here and runs on the interpreter, which is thousands of times slower:\n${formatReasons(reasons)}`, { code: 'QUERN_BLAS_INTERPRETER' });
}
