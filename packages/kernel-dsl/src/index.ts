/** The Quern kernel language: write a kernel once in TypeScript, schedule it, and emit C, OpenCL, CUDA and WGSL. */
export * from './lang/index.ts';
export * from './errors/index.ts';
