/** CUDA C++ for NVIDIA GPUs. */
export { CUDA } from './dialect.ts';
