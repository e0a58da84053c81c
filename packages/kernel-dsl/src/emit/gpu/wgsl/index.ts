/** WGSL for WebGPU: 32-bit numbers, memory in words, no pointers into buffers. */
export { emitWgsl } from './emit.ts';
