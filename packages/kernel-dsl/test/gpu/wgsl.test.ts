import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { emitGpu, printedLines } from '../../src/emit/gpu/index.ts';
import { assume, axes, cos, exp, kernel, print, sin, tensor } from '../../src/lang/index.ts';
import type { Axis } from '../../src/lang/index.ts';
import { gridMap, gridRows } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';
import { fill } from '../emit/harness.ts';
import type { TensorValue } from '../emit/harness.ts';
import { corpusCases, workgroupCases } from './cases.ts';
import { CHROMIUM, WEBGPU, runWebGpu, sameOnWebGpu } from './webgpu.ts';

const t = target('wgsl');

describe.skipIf(!WEBGPU)('WGSL gives what the interpreter gives', () => {
  it('for workgroups', () => { sameOnWebGpu(workgroupCases(t), t); });
  // exp and division are not exact in WGSL.
  it('for the corpus of schedules (half of it, unless QUERN_FULL)', () => { const all = corpusCases(t); sameOnWebGpu(spread(all, Math.ceil(all.length / 2)), t, { ulp: 4 }); });
  it.skipIf(process.env['QUERN_GPU_ALL'] === undefined)('for the corpus, with scalar accesses and every access checked', () => { sameOnWebGpu(corpusCases(t).filter((c) => c.k.name.endsWith('_0')), t, { bounds: true, aligned: false, ulp: 4 }); });
  it('with a flat grid, spread over two directions', () => { sameOnWebGpu(workgroupCases(t), t, { flatGrid: true }); });
});

describe.skipIf(!CHROMIUM)('WGSL in Chromium', () => {
  it('gives what the interpreter gives, for workgroups', () => { sameOnWebGpu(workgroupCases(t), t, { where: 'chromium' }); }, 120_000);
  it.skipIf(process.env['QUERN_GPU_ALL'] === undefined)('for the corpus of schedules', () => { sameOnWebGpu(corpusCases(t), t, { ulp: 4, where: 'chromium' }); }, 120_000);
  it('tells what is wrong with a module, with its line', () => {
    const [first] = workgroupCases(t), m = emitGpu(first!.k, t);
    expect(() => runWebGpu([{ m: { ...m, source: m.source.replace('fn ', 'fun ') }, k: first!.k, args: first!.runs[0]! }], 'chromium')).toThrow(/WebGPU: .*\n.*fun /);
  }, 120_000);
});

/** y = x + 1 over rows of bytes or halves, one lane an element. */
const plusOne = <D extends 'u8' | 'i16'>(d: D) => kernel(`plus_${d}`, { x: tensor(d, 'M', 'N'), y: tensor(d, 'M', 'N').inout() }, ({ x, y, M, N }) => {
  const ax = axes({ i: M, j: N });
  for (const i of ax.i.bind('block.x')) for (const j of ax.j) y.at(i, j).set(x.at(i, j).add(y.at(i, j)));
  return ax;
});
const bytes = (d: 'u8' | 'i16', n: number, seed: number): TensorValue['data'] => array(d, fill(d, n, seed));

describe.skipIf(!WEBGPU)('rows of whole vectors', () => {
  const twice = kernel('twice', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M', 'N').out() }, ({ x, y, M, N }) => { const ax = axes({ i: M, j: N }); for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(i, j).mul(2)); return ax; });
  const run = (M: number, N: number, pitch = N) => ({ x: { data: array('f32', fill('f32', M * pitch, 1)), shape: [M, N], strides: [pitch, 1] }, y: { data: array('f32', fill('f32', M * pitch, 2)), shape: [M, N], strides: [pitch, 1] } });
  it.each([
    ['found', (s: Schedule, { i, j }: { i: Axis; j: Axis }) => { gridMap(s, [i, j], { vector: 4 }); }],
    ['dealt out', (s: Schedule, { i, j }: { i: Axis; j: Axis }) => { gridRows(s, [i], [j], { lanes: 8, vector: 4 }); }],
  ] as const)('%s: a tensor is one of vectors, and says that its rows must be so; calls with others take another text', (_, f) => {
    const k = lower(schedule(twice, t, f).ir, t), m = emitGpu(k, t), single = emitGpu(k, t, { aligned: false });
    expect(m.source).toContain('var<storage, read_write> y: array<vec4<f32>>;');
    expect(m.alignment.find((a) => a.param === 'y')).toMatchObject({ elements: 4, whole: true });
    expect(single.source).toContain('var<storage, read_write> y: array<f32>;');
    sameOnWebGpu([{ k, runs: [run(3, 8), run(2, 132), run(2, 36, 40)] }], t);
    sameOnWebGpu([{ k, runs: [run(3, 7), run(2, 133), run(2, 35, 36)] }], t, { aligned: false });
  });
  it('stay numbers where a row ends elsewhere', () => {
    const shifted = kernel('shifted', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'M', 'P').out() }, ({ x, y, M, N, P }) => { const ax = axes({ i: M, j: N }); assume(N.le(P), 'rows of x fit'); for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(i, j)); return ax; });
    const m = emitGpu(lower(schedule(shifted, t, (s, { i, j }) => { gridMap(s, [i, j], { vector: 4 }); }).ir, t), t);
    expect(m.source).toContain('var<storage, read_write> y: array<f32>;');
    expect(m.alignment.some((a) => a.whole)).toBe(false);
  });
});

describe.skipIf(!WEBGPU)('elements of less than a word', () => {
  it.each(['u8', 'i16'] as const)('%s: rows of odd length next to each other, and what lies between them stays', (d) => {
    const k = lower(plusOne(d).ir, t), m = emitGpu(k, t);
    expect(m.source).toContain('y_pack');
    expect(m.source).not.toContain('atomic');
    // Rows of 5 in memory of 7, and backwards: the bytes between are canaries.
    const runs = [[3, 5, 7], [4, 3, 3], [1, 1, 1], [9, 65, 67]].map(([M, N, pitch]) => ({
      x: { data: bytes(d, M! * pitch!, 1), shape: [M!, N!], strides: [pitch!, 1] }, y: { data: bytes(d, M! * pitch!, 2), shape: [M!, N!], strides: [pitch!, 1] },
    }));
    sameOnWebGpu([{ k, runs }], t);
  });
  it('fills words where a lane owns them', () => {
    const rows = kernel('rows', { x: tensor('u8', 'M', 32), y: tensor('u8', 'M', 32).inout() }, ({ x, y, M }) => { const ax = axes({ i: M, j: 32 }); for (const i of ax.i.bind('block.x')) for (const j of ax.j) y.at(i, j).set(x.at(i, j).add(y.at(i, j))); return ax; });
    const k = lower(schedule(rows, t, (s, { j }) => { const [, v] = s.split(j, 16, { tail: 'peel' }); s.vectorize(v); }).ir, t), m = emitGpu(k, t);
    expect(m.plan.map((x) => x.kind)).toEqual(['launch']);
    expect(m.source).toContain('var<storage, read_write> y: array<vec4<u32>>;');
    expect(emitGpu(k, t, { aligned: false }).source).toContain('y_pack');
    sameOnWebGpu([{ k, runs: [{ x: { data: bytes('u8', 96, 1), shape: [3, 32] }, y: { data: bytes('u8', 96, 2), shape: [3, 32] } }] }], t);
  });
});

describe('what WGSL lacks', () => {
  it('64-bit data and arithmetic are refused with the line', () => {
    const wide = kernel('wide', { x: tensor('f64', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).addAssign(1); return ax; });
    expect(() => lower(wide.ir, t)).toThrow(/KD-L-LACKS wgsl has no f64: the parameter x is f64[^]*wgsl\.test\.ts/);
    const big = kernel('big', { x: tensor('f32', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(i.mul(2 ** 33).div(7).mod(100).to('f32')); return ax; });
    expect(() => emitGpu(lower(big.ir, t), t)).toThrow(/KD-L-LACKS wgsl has no 64-bit integers: .*[^]*wgsl\.test\.ts/);
  });
  it('constants that a decimal would put beyond the largest float are bits', () => {
    const most = kernel('most', { x: tensor('f32', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(x.at(i).max(-3.4028234663852886e38)); return ax; });
    expect(emitGpu(lower(most.ir, t), t).source).toContain('bitcast<f32>(0xff7fffffu)');
    if (WEBGPU) sameOnWebGpu([{ k: lower(most.ir, t), runs: [{ x: { data: Float32Array.of(-1, 2), shape: [2] } }] }], t);
  });
  it('sin and cos, whose formulas take f64, are texts of its own; the rest are formulas', () => {
    const text = (fn: typeof sin): string => emitGpu(lower(kernel('waves', { x: tensor('f32', 'N').inout() }, ({ x, N }) => { const ax = axes({ i: N }); for (const i of ax.i) x.at(i).set(fn(x.at(i))); return ax; }).ir, t), t).source;
    expect(text(sin)).toContain('fn sin_core_f32(');
    expect(text(cos)).toContain('fn sin_core_f32(');
    expect(text(exp)).not.toMatch(/fn (sin|exp)_|[^_]exp\(/);
  });
});

describe.skipIf(!WEBGPU)('print and checked accesses', () => {
  it('leave records that give the lines of the interpreter', () => {
    const values = Float32Array.of(0.1, -0, NaN, -Infinity, 16777216, 1e22, -1.5), shows = kernel('shows', { x: tensor('f32', 7), h: tensor('f16', 1), b: tensor('u8', 1), c: tensor('i8', 1), y: tensor('u32', 1).inout() }, ({ x, h, b, c, y }) => {
      const ax = axes({ i: 7 });
      for (const i of ax.i) print('100% "x" {i} \\ ??/', i, '=', x.at(i), x.at(i).gt(0), x.at(i).lt(1));
      y.at(0).addAssign(1);
      print('end', h.at(0), b.at(0), c.at(0), y.at(0));
      print();
      return ax;
    }), k = lower(shows.ir, t, { print: true }), m = emitGpu(k, t), lines: string[] = [];
    const args = () => ({ x: { data: values, shape: [7] }, h: { data: Uint16Array.of(0x3e00), shape: [1] }, b: { data: Uint8Array.of(200), shape: [1] }, c: { data: Int8Array.of(-3), shape: [1] }, y: { data: Uint32Array.of(0xfffffffe), shape: [1] } });
    interpret(k, args(), { print: (line) => lines.push(line) });
    const [left] = runWebGpu([{ m, k, args: args() }]);
    expect(printedLines(m, left!.printed)).toEqual({ lines, lost: 0 });
    expect(lines.slice(-2)).toEqual(['end 1.5 200 -3 4294967295', '']);
    expect(m.prints!.map((p) => p.dtypes.length)).toEqual([4, 4, 0]);
  });
  it('count the lines that found no room', () => {
    const shows = kernel('shows', { y: tensor('i32', 'N').out() }, ({ y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) { print('i', i, i.add(1)); y.at(i).set(1); } return ax; }), k = lower(shows.ir, t, { print: true }), m = emitGpu(k, t);
    const [left] = runWebGpu([{ m, k, args: { y: { data: new Int32Array(2000), shape: [2000] } } }]), room = Math.floor((left!.printed.length - 2) / 3);
    expect(printedLines(m, left!.printed)).toEqual({ lines: Array.from({ length: room }, (_, i) => `i ${i} ${i + 1}`), lost: 2000 - room });
    expect(printedLines(m, new Uint32Array(8))).toEqual({ lines: [], lost: 0 });
    expect(room).toBeLessThan(2000);
  });
  it('leave alone what is outside, and record the first', () => {
    const shift = kernel('shift', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i.add(2)).set(x.at(i)); return ax; });
    const k = lower(shift.ir, t), m = emitGpu(k, t, { bounds: true }), y = new Float32Array(5), [left] = runWebGpu([{ m, k, args: { x: { data: Float32Array.of(1, 2, 3, 4, 5), shape: [5] }, y: { data: y, shape: [5] } } }]);
    expect(m.sites[left!.faults[0]! - 1]).toMatchObject({ kind: 'bounds', name: 'y', access: 'written', dim: 0, index: 'i + 2' });
    expect([...left!.faults.slice(2, 6)]).toEqual([5, 0, 5, 0]);
    expect([...y]).toEqual([0, 0, 1, 2, 3]);
  });
});
