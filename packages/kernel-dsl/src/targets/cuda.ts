import type { Instruction } from '../ir/index.ts';
import type { Target } from './target.ts';

/**
 * Flags of every CUDA target, for NVRTC and nvcc alike; part of the meaning of emitted code.
 * - `--fmad=false`: a product and a sum round twice, as the interpreter does; only the Fma node fuses.
 * - `--prec-div=true --prec-sqrt=true --ftz=false`: division and square root round correctly, subnormal numbers stay.
 */
const FLAGS: readonly string[] = ['--std=c++17', '--fmad=false', '--prec-div=true', '--prec-sqrt=true', '--ftz=false'];

/** An NVIDIA GPU with the instructions of one architecture, such as `sm_80`. */
export const cudaTarget = (arch: string, o: { readonly features: readonly string[]; readonly instructions: readonly Instruction[]; readonly sharedBytes: number }): Target => ({
  isa: `cuda-${arch.replace('_', '')}`, arch: undefined, vecBytes: 16, fma: true, vectorRegisters: 255,
  features: ['f64', 'i64', 'f16', 'subgroups', 'dot4', 'print', 'atomic64', ...o.features], adds: [], instructions: o.instructions,
  cflags: [`--gpu-architecture=${arch}`, ...FLAGS],
  gpu: { language: 'cuda', workgroup: { lanes: 1024, each: [1024, 1024, 64] }, grid: [2 ** 31 - 1, 65535, 65535], sharedBytes: o.sharedBytes, subgroup: 32, registers: 255, approximate: ['exp2', 'max', 'min'] },
});
