import { expect } from 'vitest';
import { DslError } from '../../src/errors/index.ts';

/** The message of the DslError that f throws. @throws Error where it throws none */
export function why(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    expect(e).toBeInstanceOf(DslError);
    return (e as DslError).message;
  }
  throw new Error('nothing was refused');
}
