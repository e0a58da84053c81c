import { ArgumentError, ProviderLoadError } from '@quern/runtime';
import type { Backend } from './backend.ts';
import { interpreterBackend } from './interpreter.ts';
import { nativeBackend } from './native.ts';

/** Which backend a plan runs on: `auto` takes compiled kernels where they load and says so once where they do not. */
export interface BackendChoice {
  readonly backend?: 'auto' | 'native' | 'interpreter' | undefined;
  /** An instruction set that the kernels exist for, such as `x86-64-v3`; default: the best of this CPU. */
  readonly isa?: string | undefined;
}

const known = new Map<string, Backend>();
let warned = false;

/** @throws ProviderLoadError when compiled kernels are asked for and cannot be had */
export function chooseBackend({ backend = 'auto', isa }: BackendChoice): Backend {
  if (backend !== 'auto' && backend !== 'native' && backend !== 'interpreter') throw new ArgumentError(`backend must be 'auto', 'native' or 'interpreter', got '${String(backend)}'`);
  const key = `${backend} ${isa ?? ''}`;
  let b = known.get(key);
  if (!b) {
    b = backend === 'interpreter' ? interpreterBackend(isa) : backend === 'native' || isa !== undefined ? nativeBackend(isa) : automatic();
    known.set(key, b);
  }
  return b;
}

function automatic(): Backend {
  try {
    return nativeBackend();
  } catch (error) {
    if (!(error instanceof ProviderLoadError)) throw error;
    if (!warned) process.emitWarning(`@quern/fft runs in its interpreter, hundreds of times slower than compiled kernels: ${error.message}`, { code: 'QUERN_FFT_INTERPRETER' });
    warned = true;
    return interpreterBackend();
  }
}
