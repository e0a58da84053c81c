/**
 * What modules that tests share leave to be done when the tests of a file have ended. Files of one package may run in one process, where such a
 * module is loaded once: an `afterAll` of its own would belong to the first of them.
 */
import { afterAll } from 'vitest';

const KEY = Symbol.for('quern after a file of tests');
const waiting = (): (() => void)[] => ((globalThis as { [KEY]?: (() => void)[] })[KEY] ??= []);

/** Runs a function once, after the tests of the file that is running. */
export const afterFile = (f: () => void): void => { waiting().push(f); };

/** For the setup of every file. */
export const endFile = (): void => { afterAll(() => { for (const f of waiting().splice(0)) f(); }); };
