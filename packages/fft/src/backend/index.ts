/** What runs the kernels of a plan: compiled code, or the interpreter where there is none. */
export { chooseBackend } from './choose.ts';
export type { BackendChoice } from './choose.ts';
export type { Arrays, Backend, Own, Prepared, Reals, Scratch } from './backend.ts';
