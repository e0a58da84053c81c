import { DslError } from '../errors/index.ts';
import { DTYPES } from '../ir/index.ts';
import type { DType } from '../ir/index.ts';
import { here } from './here.ts';

/** What somebody gave in the place of something else, for a message. */
export function describe(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (typeof x === 'function') return x.constructor.name === 'AsyncFunction' ? 'an async function' : x.constructor.name === 'GeneratorFunction' ? 'a generator' : 'a function';
  if (typeof x === 'string') return `'${x}'`;
  if (typeof x === 'object') return x instanceof Promise ? 'a promise' : Array.isArray(x) ? 'an array' : 'an object';
  return String(x);
}

/** Refuses what is no dtype: types say so already, but JavaScript calls this too. */
export function needDType(dtype: DType, what: string): void {
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPES, dtype)) throw new DslError('KD-DTYPE-NAME', { what, given: describe(dtype) }, { loc: here() });
}

/** Refuses what is no function, or one that does not run at once. */
export function needFunction(f: unknown, what: string): void {
  if (typeof f !== 'function' || f.constructor.name !== 'Function') throw new DslError('KD-CALLBACK', { what, given: describe(f) }, { loc: here() });
}

/** Refuses a missing text. */
export function needText(text: unknown, what: string): void {
  if (typeof text !== 'string' || text.trim() === '') throw new DslError('KD-TEXT', { what }, { loc: here() });
}
