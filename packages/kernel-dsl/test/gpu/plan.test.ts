import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import { emitGpu, evaluate } from '../../src/emit/gpu/index.ts';
import type { GpuModule, GpuStep } from '../../src/emit/gpu/index.ts';
import { printExpr } from '../../src/ir/index.ts';
import { assume, axes, barrier, kernel, print, shared, subgroupAdd, tensor, when } from '../../src/lang/index.ts';
import type { Kernel } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { fill } from '../emit/harness.ts';
import type { TensorValue } from '../emit/harness.ts';
import { array } from '../run/helpers.ts';
import { beside, handedOn, rounds } from './kernels.ts';
import { compileCuda, NVCC, OPENCL, runOpenCl, sameOnOpenCl } from './harness.ts';

const t = target('opencl'), cuda = target('cuda-sm80');
const f32 = (shape: readonly number[], seed: number): TensorValue => ({ data: array('f32', fill('f32', shape.reduce((a, b) => a * b, 1), seed)), shape });
const i32 = (values: readonly number[]): TensorValue => ({ data: Int32Array.from(values), shape: [values.length] });
const kinds = (m: GpuModule): unknown => {
  const go = (s: GpuStep): unknown => (s.kind === 'launch' ? s.launch.entry : s.kind === 'if' ? { if: s.then.map(go), else: s.else.map(go) } : s.kind === 'let' ? `let ${s.v.name}` : { [s.kind]: s.body.map(go) });
  return m.plan.map(go);
};
const emitted = (k: Kernel): GpuModule => emitGpu(lower(k.ir, t), t);

/** A test that runs programs of OpenCL; skipped, with the reason, where there is none. */
const onOpenCl = (name: string, f: () => void): void => it.skipIf(!OPENCL)(OPENCL ? name : `${name} (there is no OpenCL here)`, f);

describe('a plan', () => {
  onOpenCl('hands memory and registers from launch to launch', () => {
    const m = emitted(handedOn);
    expect(kinds(m)).toEqual(['handed_on_kernel_1', 'handed_on_kernel_2', 'handed_on_kernel_3', 'handed_on_kernel_4']);
    expect(m.workspace.map((w) => `${w.name}: ${w.dtype} x ${printExpr(w.elements)}`)).toEqual(['doubled: f32 x 64', 'total: f32 x 1']);
    sameOnOpenCl([{ k: lower(handedOn.ir, t), runs: [{ x: f32([64], 1), y: f32([64], 2) }] }], t);
  });
  onOpenCl('lets a host go through rounds and conditions', () => {
    expect(kinds(emitted(rounds))).toEqual([{ for: ['rounds_kernel_1', { if: ['rounds_kernel_2'], else: [] }] }]);
    sameOnOpenCl([{ k: lower(rounds.ir, t), runs: [[3, 4], [8, 3], [1, 0]].map(([n, r]) => ({ x: i32(Array.from({ length: n! }, (_, i) => i)), often: { data: new Uint8Array(r!), shape: [r!] } })) }], t);
  });
  onOpenCl('runs what stands beside lanes once for the workgroup, with barriers between', () => {
    const m = emitted(beside);
    expect(m.source.match(/barrier\(/g)!.length).toBeGreaterThanOrEqual(3);
    expect(m.source).toContain('if (t == 0)');
    sameOnOpenCl([{ k: lower(beside.ir, t), runs: [{ x: f32([3, 32], 1), y: f32([3, 32], 2), sums: f32([3], 3) }] }], t);
  });
  onOpenCl('runs three directions of workgroups, or one that stands for them', () => {
    const grid = kernel('grid', { x: tensor('i32', 'A', 'B', 'C').inout() }, ({ x, A, B, C }) => {
      const ax = axes({ a: A, b: B, c: C });
      for (const a of ax.a.bind('block.z')) for (const b of ax.b.bind('block.y')) for (const c of ax.c.bind('block.x')) x.at(a, b, c).addAssign(a.mul(100).add(b.mul(10)).add(c).to('i32'));
      return ax;
    });
    const run = { x: { data: new Int32Array(60), shape: [3, 4, 5] } }, k = lower(grid.ir, t);
    for (const flatGrid of [false, true]) sameOnOpenCl([{ k, runs: [run] }], t, { flatGrid });
    expect(emitGpu(k, t, { flatGrid: true }).source).toContain('const int a = (int)get_group_id(0) / C / B;');
    expect(emitGpu(k, t).source).toContain('const int a = (int)get_group_id(2);');
  });
  onOpenCl('checks assumptions about elements on the device, and tells the others', () => {
    const k = kernel('table', { at: tensor('i32', 'N'), x: tensor('f32', 'M'), y: tensor('f32', 'N').out() }, ({ at, x, y, N, M }) => {
      const ax = axes({ n: N, i: N });
      assume(N.lt(100), 'fewer than 100');
      for (const n of ax.n) assume(at.at(n).ge(0).and(at.at(n).lt(M.to('i32'))), 'entries are indices of x');
      for (const i of ax.i.bind('block.x')) y.at(i).set(x.at(at.at(i)));
      return ax;
    }), low = lower(k.ir, t), m = emitGpu(low, t);
    expect(kinds(m)).toEqual([{ check: ['table_kernel_1'] }, 'table_kernel_2']);
    expect(m.assumptions.map((a) => a.text)).toEqual(['fewer than 100']);
    expect([99, 100].map((N) => evaluate(m.assumptions[0]!.cond, { sizes: { N }, strides: {}, scalars: {} }))).toEqual([1, 0]);
    const run = (values: readonly number[]): Uint32Array => runOpenCl([{ m, k: low, args: { at: i32(values), x: f32([4], 1), y: f32([values.length], 2) } }])[0]!;
    expect(run([0, 3, 1])[0]).toBe(0);
    // The launch after it is not safe then: the test stops at what the check says.
    expect(m.sites[run([0, 1, 2, -1].map((v) => (v < 0 ? 3 : v)))[0]!]).toMatchObject({ kind: 'assume', text: 'entries are indices of x' });
  });
});

describe('checked accesses', () => {
  onOpenCl('leave alone what is outside, and record the first', () => {
    const k = kernel('shift', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i.add(2)).set(x.at(i));
      return ax;
    }), low = lower(k.ir, t), y = f32([5], 2), before = y.data.slice();
    const m = emitGpu(low, t, { bounds: true }), [faults] = runOpenCl([{ m, k: low, args: { x: f32([5], 1), y } }]);
    expect(m.sites[faults![0]! - 1]).toMatchObject({ kind: 'bounds', name: 'y', access: 'written', dim: 0, index: 'i + 2' });
    expect([faults![2], faults![3], faults![4], faults![5]]).toEqual([5, 0, 5, 0]);
    expect([...y.data.slice(0, 2)]).toEqual([...before.slice(0, 2)]);
    expect([...y.data.slice(2)]).toEqual([...f32([5], 1).data.slice(0, 3)]);
    expect(m.sites[faults![0]! - 1]!.loc?.file).toMatch(/plan\.test\.ts$/);
    const [none] = runOpenCl([{ m: emitGpu(low, t, { bounds: true, indexBits: 64 }), k: low, args: { x: f32([0], 1), y: f32([0], 2) } }]);
    expect([...none!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('index arithmetic', () => {
  const k = lower(schedule(kernel('flat', { x: tensor('f32', 'M', 'N').inout() }, ({ x, M, N }) => {
    const ax = axes({ i: M, j: N });
    for (const i of ax.i) for (const j of ax.j) x.at(i, j).addAssign(i.mul(N).add(j).mod(1000).to('f32'));
    return ax;
  }), t, (s, { i, j }) => { const f = s.fuse(i, j), [b, l] = s.split(f, 64, { tail: 'mask' }); s.bind({ 'block.x': b, 'lane.x': l }); }).ir, t);
  it('is 32 bits wide where what it demands holds', () => {
    const m = emitGpu(k, t), at = (M: number, N: number): boolean => m.below.every((e) => Math.abs(evaluate(e, { sizes: { M, N }, strides: { x: [N, 1] }, scalars: {} })) < 2 ** 31);
    expect(m.source).not.toContain('i64');
    // Of N - 1, N and N + 2 the last one says all.
    const three = kernel('three', { x: tensor('f32', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(i.add(3).min(N).add(i.max(2)).to('f32')); return ax; });
    expect(emitted(three).below.map(printExpr)).toEqual(['N + (max(N - 1, 2))', 'N + 2']);
    expect(at(1000, 1000)).toBe(true);
    expect(at(46340, 46340)).toBe(true);
    expect(at(50000, 50000)).toBe(false);
    expect(at(2 ** 31, 1)).toBe(false);
  });
  it('demands what a product of positions may become', () => {
    const product = kernel('product', { x: tensor('f32', 'M', 'N').inout() }, ({ x, M, N }) => { const ax = axes({ i: M, j: N }); for (const i of ax.i.bind('block.y')) for (const j of ax.j.bind('block.x')) x.at(i, j).set(i.mul(j).to('f32')); return ax; });
    const m = emitted(product), at = (M: number, N: number): boolean => m.below.every((e) => Math.abs(evaluate(e, { sizes: { M, N }, strides: { x: [N, 1] }, scalars: {} })) < 2 ** 31);
    expect(m.source).toContain('(float)(i * j)');
    expect([at(46341, 46341), at(46342, 46342), at(2 ** 20, 2 ** 10), at(2 ** 21, 2 ** 11)]).toEqual([true, false, true, false]);
  });
  onOpenCl('is 64 bits wide on demand, or where a value cannot fit', () => {
    expect(emitGpu(k, t, { indexBits: 64 }).below).toEqual([]);
    expect(emitGpu(k, t, { indexBits: 64 }).source).toContain('const i64 ');
    const big = kernel('big', { x: tensor('f32', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(i.mul(2 ** 33).div(7).mod(100).to('f32')); return ax; }), low = lower(big.ir, t);
    expect(emitGpu(low, t).source).toContain('(i64)i * 8589934592 / 7 % 100');
    sameOnOpenCl([{ k: low, runs: [{ x: f32([9], 1) }] }], t);
  });
  onOpenCl('of i64 data keeps its 64 bits', () => {
    const data = kernel('data', { x: tensor('i64', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(x.at(i).add(i.mul(3)).max(N)); return ax; });
    const values = new BigInt64Array([2n ** 40n, -5n, 1n, -(2n ** 50n)]);
    sameOnOpenCl([{ k: lower(data.ir, t), runs: [{ x: { data: values, shape: [4] } }] }], t);
  });
});

describe('what only some targets have', () => {
  const some = kernel('some', { x: tensor('f32', 64), y: tensor('f32', 64).out() }, ({ x, y }) => {
    const ax = axes({ b: 1, t: 64 });
    for (const b of ax.b.bind('block.x')) for (const l of ax.t.bind('lane.x')) { const v = x.at(l.add(b)); when(l.lt(32), () => { y.at(l).set(subgroupAdd(v)); }, () => { y.at(l).set(v); }); }
    return ax;
  });
  it('exchanges in a branch need subgroups', () => {
    expect(emitGpu(lower(some.ir, cuda), cuda).source).toContain('subgroup_add_f32_32(');
    let e: unknown;
    try { emitted(some); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(DslError);
    expect((e as DslError).message).toMatch(/^KD-L-LACKS opencl has no subgroups of its own: subgroup_add\(.*\) is reached by some subgroups of a workgroup and not by others\n {2}--> .*plan\.test\.ts/);
    expect((e as DslError).fix).toMatch(/run the kernel on a target with subgroups/);
  });
  it('much shared memory is asked for at launch', () => {
    const large = kernel('large', { x: tensor('f32', 'B').inout() }, ({ x, B }) => {
      const ax = axes({ b: B, t: 32 });
      for (const b of ax.b.bind('block.x')) {
        const first = shared('f32', 'first', 32), tile = shared('f32', 'tile', 120, 128);
        for (const l of ax.t.bind('lane.x')) { first.at(l).set(x.at(b)); tile.at(l, 3).set(first.at(l)); barrier(); when(l.eq(0), () => x.at(b).set(tile.at(31, 3).add(1))); }
      }
      return ax;
    }), m = emitGpu(lower(large.ir, cuda), cuda), launch = m.plan[0]!;
    expect(launch.kind === 'launch' && [launch.launch.sharedBytes, launch.launch.dynamicSharedBytes]).toEqual([61568, 61568]);
    expect(m.source).toContain('float *const tile = (float *)(shared_memory + 128);');
    if (NVCC) compileCuda([m]);
    expect(() => lower(large.ir, t)).toThrow(/KD-L-SHARED a workgroup uses 61568 bytes of shared memory \(first 128, tile 61440\), opencl has 32768/);
  });
});

describe('print', () => {
  const shows = kernel('shows', { x: tensor('f32', 4), n: tensor('i64', 4), y: tensor('i8', 1).out() }, ({ x, n, y }) => {
    const ax = axes({ i: 4 });
    for (const i of ax.i) print('100% "x" {i} \\ ??/', i, '=', x.at(i), x.at(i).gt(0), n.at(i), x.at(i).lt(1));
    y.at(0).set(-3);
    print('end', y.at(0), y.at(0).bits('u8'));
    return ax;
  });
  const args = () => ({ x: { data: Float32Array.of(0.1, -0, NaN, 1e-45), shape: [4] }, n: { data: BigInt64Array.of(1n, -(2n ** 40n), 0n, 7n), shape: [4] }, y: { data: new Int8Array(1), shape: [1] } });
  onOpenCl('writes the lines of the interpreter where it is kept', () => {
    const lines: string[] = [], printed: string[] = [], k = lower(shows.ir, t, { print: true });
    interpret(shows.ir, args(), { print: (line) => lines.push(line) });
    runOpenCl([{ m: emitGpu(k, t), k, args: args() }], printed);
    expect(printed[0]!.split('\n').slice(0, -1)).toEqual(lines);
    expect(emitted(shows).source).not.toContain('printf');
    if (NVCC) expect(compileCuda([emitGpu(lower(shows.ir, cuda, { print: true }), cuda)])).toContain('vprintf');
  });
});
