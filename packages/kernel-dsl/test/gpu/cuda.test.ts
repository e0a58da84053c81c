import { describe, expect, it } from 'vitest';
import { FULL, spread } from '../../../../tools/test/spread.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import type { EmitGpuOptions } from '../../src/emit/gpu/index.ts';
import { target } from '../../src/targets/index.ts';
import { corpusCases, workgroupCases } from './cases.ts';
import { NVCC, compileCuda } from './harness.ts';

const compiles = (isa: string, o: EmitGpuOptions = {}): string => {
  const t = target(isa);
  return compileCuda([...workgroupCases(t), ...corpusCases(t)].map(({ k }) => emitGpu(k, t, o)));
};

describe.skipIf(!NVCC)(NVCC ? 'nvcc compiles emitted CUDA without a warning' : 'nvcc is not on PATH: no CUDA was compiled', () => {
  it.each(spread(['cuda-sm75', 'cuda-sm80', 'cuda-sm90a'], 1, 2))('%s', (isa) => {
    const ptx = compiles(isa);
    expect(ptx).toContain(`.target sm_${isa.slice(7)}`);
    // Wide accesses are instructions; shared memory and barriers are those of the machine.
    for (const text of ['ld.global.nc.v4', 'st.global.v4', 'bar.sync', 'shfl.sync', 'fma.rn.f32']) expect(ptx).toContain(text);
  });
  it('with scalar accesses, every one checked (with QUERN_FULL, with 64-bit indices and a flat grid too)', () => {
    if (FULL) compiles('cuda-sm80', { indexBits: 64, flatGrid: true });
    expect(compiles('cuda-sm80', { aligned: false, bounds: true })).not.toContain('st.global.v4');
  });
});
