import type { Target } from '@quern/kernel-dsl';
import type { GpuInfo } from '../driver/index.ts';
import { DeviceUnavailableError } from '../errors/index.ts';

/** The architecture for which a compiler makes machine code: that of the device itself, with all of its instructions where they belong to it alone. */
const architecture = ([major, minor]: readonly [number, number]): string => `sm_${major}${minor}${major >= 9 ? 'a' : ''}`;

/**
 * What a GPU is to the kernel language: the instructions and limits that kernels may count on there.
 * @throws DeviceUnavailableError for NVIDIA devices before compute capability 7.5
 */
export async function gpuTarget(info: GpuInfo): Promise<Target> {
  const dsl = await import('@quern/kernel-dsl');
  if (info.kind === 'cuda') {
    const [major, minor] = info.version, level = 10 * major + minor;
    if (level < 75) throw new DeviceUnavailableError(`cuda:${info.index}`, [{ candidate: info.name, verdict: 'rejected', code: 'too-old', detail: `compute capability ${major}.${minor}; kernels need 7.5` }]);
    // What is special to 9.0 is not in later architectures.
    const base = dsl.target(level === 90 ? 'cuda-sm90a' : level >= 80 ? 'cuda-sm80' : 'cuda-sm75');
    return { ...base, cflags: base.cflags.map((f) => (f.startsWith('--gpu-architecture=') ? `--gpu-architecture=${architecture(info.version)}` : f)) };
  }
  const has = (f: string): boolean => info.features.includes(f), limits = { lanes: info.limits.lanes, sharedBytes: info.limits.sharedBytes };
  if (info.kind === 'opencl') {
    const all = ['f64', 'i64', 'f16', 'dot4', 'atomic64', 'print', 'rounded_divide', 'images'] as const;
    return dsl.openclTarget([...all.filter(has), ...(has('nvidia') ? (['ptx'] as const) : [])], limits);
  }
  return dsl.wgslTarget([...(['f16', 'dot4'] as const).filter(has), 'print'], limits);
}
