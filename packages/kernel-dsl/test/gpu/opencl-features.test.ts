import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { axes, barrier, kernel, subgroupAdd, subgroupShuffle, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { openclTarget, target } from '../../src/targets/index.ts';
import type { OpenClFeature } from '../../src/targets/index.ts';
import { has, temporary } from '../emit/harness.ts';
import { dotCases, halfCases, intCases } from '../emit/ops-cases.ts';
import { NVCC } from './harness.ts';
import { exchanges } from './kernels.ts';

/** Exchanges of a full warp, of numbers of 64 and 8 bits. */
const warps = kernel('warps', { x: tensor('f64', 64).inout(), y: tensor('i8', 64).inout(), z: tensor('i64', 64).inout() }, ({ x, y, z }) => {
  const ax = axes({ b: 1, t: 64 });
  for (const b of ax.b.bind('block.x')) for (const t of ax.t.bind('lane.x')) {
    x.at(t).set(subgroupAdd(x.at(t.add(b))));
    barrier('subgroup');
    y.at(t).set(subgroupShuffle(y.at(t), t.mod(7)));
    z.at(t).set(subgroupShuffle(z.at(t), t.mod(5)));
  }
  return ax;
});
const texts = (...features: OpenClFeature[]): string[] => {
  const t = openclTarget(['f64', 'i64', ...features]);
  return [lower(exchanges.ir, t), lower(warps.ir, t), ...[...dotCases(t), ...halfCases(t).slice(0, 1)].map((c) => lower(c.k, t))].map((k) => emitGpu(k, t).source);
};
/** Compiles OpenCL C with clang; the output file. */
function clang(text: string, target: string, args: readonly string[]): string {
  const path = join(temporary(), `cl-${target}-${Math.abs([...text].reduce((h, c) => (Math.imul(h, 31) + c.charCodeAt(0)) | 0, 7))}.cl`), out = `${path}.s`;
  writeFileSync(path, text);
  execFileSync('clang', ['-x', 'cl', '-target', target, '-Xclang', '-finclude-default-header', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function', ...args, '-S', '-O1', path, '-o', out], { stdio: ['ignore', 'pipe', 'pipe'] });
  return out;
}

describe('tensors read as images', () => {
  const k = kernel('mixed', { x: tensor('f32', 'N'), d: tensor('f64', 'N'), n: tensor('i4', 'N'), b: tensor('u8', 'N', 4), y: tensor('f32', 'N').inout() }, ({ x, d, n, b, y, N }) => {
    const ax = axes({ i: N, j: N, m: N });
    for (const i of ax.i) y.at(i).set(y.at(i).add(d.at(i).to('f32')).add(n.at(i).to('f32')).add(b.as('f32', i, 0)));
    for (const j of ax.j) y.at(j).set(y.at(j).add(x.at(j)));
    for (const m of ax.m) y.at(m).set(y.at(m).mul(x.at(m)));
    return ax;
  });
  const image = (isa: 'opencl' | 'cuda-sm80', name: string, axis: 'i' | 'j') => (): unknown => schedule(k, target(isa), (s, ax) => { s.stage(name, ax[axis], 'image'); });
  it.each([
    [image('cuda-sm80', 'x', 'j'), /KD-S-IMAGE stage\(x, image\): cuda-sm80 has no images/], [image('opencl', 'x', 'j'), /it is read outside of j too/], [image('opencl', 'y', 'i'), /it is no tensor that is only read/],
    [image('opencl', 'd', 'i'), /no texel holds f64/], [image('opencl', 'n', 'i'), /no texel holds i4/], [image('opencl', 'b', 'i'), /its bytes are read as numbers of another type/], [image('opencl', 'x', 'i'), /KD-S-STAGE-WHERE/],
  ])('%#: are refused where they cannot be', (f, why) => { expect(f).toThrow(why); });
});

const CLANG = has('clang');
describe.skipIf(!CLANG)(CLANG ? 'what only some OpenCL devices have' : 'clang is not here: no text for devices with subgroups or PTX was compiled', () => {
  it('reads eight 16-bit numbers by vload8 where the device is NVIDIA\'s', () => {
    const text = (...features: OpenClFeature[]): string => { const t = openclTarget(['f64', 'i64', ...features]); return emitGpu(lower(intCases(t, 'i16').at(-1)!.k, t), t).source; };
    expect(text('ptx')).toMatch(/x8 = vload8\(0, &x\[/);
    expect(text('ptx')).not.toContain('const i16x8 *)');
    expect(text()).not.toContain('vload8');
    clang(text('ptx'), 'spir64', ['-cl-std=CL1.2', '-emit-llvm']);
  });
  it('compiles with the functions of subgroups', () => {
    const all = texts('subgroups', 'f16');
    expect(all.join('\n')).toMatch(/sub_group_shuffle_xor\(x, \(uint\)lane\)[^]*convert_half_rte/);
    for (const x of all) clang(x, 'spir64', ['-cl-std=CL2.0', '-Xclang', '-cl-ext=+all', '-emit-llvm']);
  });
  it.skipIf(!NVCC)(NVCC ? 'compiles with the instructions of NVIDIA, and they assemble' : 'needs ptxas for the instructions of NVIDIA', () => {
    const all = texts('ptx');
    for (const x of ['shfl.sync.bfly.b32', 'vote.sync.ballot.b32', 'bar.warp.sync', 'dp4a.u32.s32', 'cvt.rn.f16.f32']) expect(all.join('\n')).toContain(x);
    for (const x of all) {
      // What the driver would link.
      const ids = ['get_group_id', 'get_local_id'].map((f) => `size_t __attribute__((overloadable, const)) ${f}(uint d) { return d; }\n`).join('') + 'uint __attribute__((overloadable, const)) clz(uint x) { return (uint)__builtin_clz(x); }\n';
      const ptx = clang(x + ids, 'nvptx64-nvidia-nvcl', ['-cl-std=CL1.2', '-Xclang', '-target-feature', '-Xclang', '+ptx70', '-Xclang', '-target-cpu', '-Xclang', 'sm_75', '-nogpulib']);
      execFileSync('ptxas', ['-c', '-arch=sm_75', ptx, '-o', `${ptx}.o`], { stdio: ['ignore', 'pipe', 'pipe'] });
    }
  });
});
