/** A kernel as one web page: the author's source, the program after each step and the emitted code, linked line to line. */
export { kernelPage } from './page.ts';
export type { KernelPage, Stage } from './page.ts';
