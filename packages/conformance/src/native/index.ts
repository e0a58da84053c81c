/** Compiled kernels with every operand between guard pages: a touch outside is caught and told instead of killing the process. */
export { buildGuarded } from './build.ts';
export type { Guarded, Trespass } from './build.ts';
