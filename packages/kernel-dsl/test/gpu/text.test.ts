import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { openclTarget, target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { saxpy } from '../schedule/corpus.ts';
import { sums } from './kernels.ts';

const scheduled = (t: Target) => lower(schedule(saxpy, t, (s, { i }) => {
  const [o, v] = s.split(i, 4, { tail: 'peel' }), [b, l] = s.split(o, 64, { tail: 'mask' });
  s.vectorize(v);
  s.bind({ 'block.x': b, 'lane.x': l });
}).ir, t);

describe('emitted text is meant to be read', () => {
  it('in CUDA', () => {
    const t = target('cuda-sm80'), m = emitGpu(scheduled(t), t), kernel = m.source.slice(m.source.indexOf('extern "C"'));
    expect(kernel.split('\n').slice(0, 9).map((l) => l.replace(/ {3}\/\/ .*/, ''))).toEqual([
      'extern "C" __global__ void __launch_bounds__(64) saxpy_kernel_1(',
      '    const float *__restrict__ x, float *__restrict__ y, int N) {',
      '  const int ioo = (int)blockIdx.x;',
      '  const int ioi = threadIdx.x;',
      '  if (ioo * 64 + ioi < N / 4) {',
      '    const f32x4 x4 = *(const f32x4 *)&x[ioo * 256 + ioi * 4], y4 = *(f32x4 *)&y[ioo * 256 + ioi * 4];',
      '    *(f32x4 *)&y[ioo * 256 + ioi * 4] = join_f32x4(fmaf(x4.lane[0], 2.0f, y4.lane[0]), fmaf(x4.lane[1], 2.0f, y4.lane[1]), fmaf(x4.lane[2], 2.0f, y4.lane[2]), fmaf(x4.lane[3], 2.0f, y4.lane[3]));',
      '  }',
      '}',
    ]);
    expect(m.lines.map((l) => l.text).join('\n')).toBe(m.source.trimEnd());
    // Every line that computes knows the author's.
    expect(m.lines.find((l) => l.text.includes('join_f32x4(fmaf'))!.locs[0]!.file).toMatch(/corpus\.ts$/);
  });
  it('with what is missing written out, and only then', () => {
    const t = target('opencl'), plain = emitGpu(lower(sums.ir, t), t).source, half = openclTarget(['f16']);
    expect(plain).not.toMatch(/typedef|static inline|fp64|fp16/);
    expect(emitGpu(scheduled(t), t).source).toMatch(/^#pragma OPENCL FP_CONTRACT OFF\ntypedef float4 f32x4;\n\nstatic inline f32x4 join_f32x4\(float x0, float x1, float x2, float x3\) \{\n {2}return \(f32x4\)\(x0, x1, x2, x3\);\n\}\n/);
    expect(half.gpu!.subgroup).toBeUndefined();
    expect(openclTarget(['subgroups']).gpu!.subgroup).toBe(32);
  });
});
