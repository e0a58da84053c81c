import type { KernelIR } from '../../ir/index.ts';
import type { Target } from '../../targets/index.ts';
import { CUDA } from './cuda/index.ts';
import { emitFamily } from './family/index.ts';
import type { EmitGpuOptions, GpuModule } from './module.ts';
import { OPENCL } from './opencl/index.ts';
import { emitWgsl } from './wgsl/index.ts';

/**
 * Prints a kernel that was lowered for a GPU, with the plan to run it.
 * @throws DslError KD-L-LACKS, KD-L-SHARED: what the target cannot do, with the author's line and a fix
 * @throws EmitError where the kernel is not lowered for this target
 * @example emitGpu(lower(k, target('cuda-sm90a')), target('cuda-sm90a')).source
 */
export function emitGpu(k: KernelIR, target: Target, o: EmitGpuOptions = {}): GpuModule {
  switch (target.gpu?.language) {
    case 'cuda': return emitFamily(k, target, CUDA, o);
    case 'opencl': return emitFamily(k, target, OPENCL, o);
    case 'wgsl': return emitWgsl(k, target, o);
    default: throw new Error(`${target.isa} is no GPU that kernels are emitted for`);
  }
}
