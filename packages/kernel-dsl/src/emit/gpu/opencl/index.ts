/** OpenCL C 1.2 for GPUs and CPUs of any maker. */
export { OPENCL } from './dialect.ts';
