import { describe, expect, it } from 'vitest';
import { CATALOGUE, DslError } from '../../src/errors/index.ts';
import type { ErrorId } from '../../src/errors/index.ts';
import { vfmadd_f32x8 } from '../../src/instructions/index.ts';
import { add, binary, cast, compare, constant, load, mul, newVar } from '../../src/ir/index.ts';
import type { Stmt } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { openclTarget } from '../../src/targets/index.ts';
import { accum, alloc, buffer, kernel, letStmt, loop, machine, N, store, v } from './helpers.ts';

const four = constant(4), zero = constant(0, 'f32'), loc = { file: 'mine.ts', line: 12, col: 3 };
const x = buffer('x', [N]), y = buffer('y', [N]), id = buffer('id', [N], { dtype: 'i32' });
const i = v('i'), j = v('j');
const vector = (...body: Stmt[]): Stmt => ({ ...loop(i, four, 'vector', body), loc, step: 'vectorize(i)' });
const regs = (shape: readonly ReturnType<typeof constant>[]): ReturnType<typeof buffer> => buffer('acc', shape, { space: 'reg' });
const r4 = regs([four]), rN = buffer('acc', [N], { space: 'reg' });

const CASES: readonly [ErrorId, readonly Stmt[], RegExp][] = [
  ['KD-L-UNROLL', [{ ...loop(i, N, 'unroll', [store(x, [i], zero)]), loc }], /unrolled loop i has the extent N/],
  ['KD-L-VECTOR-EXTENT', [{ ...loop(i, N, 'vector', [store(x, [i], zero)]), loc }], /vector loop i has the extent N/],
  ['KD-L-VECTOR-NEST', [vector(loop(j, four, 'vector', [store(x, [add(i, j)], zero)]))], /a vector loop \(j\) lies inside of the vector loop i/],
  ['KD-L-VECTOR-NEST', [vector(loop(j, N, 'parallel', [store(x, [add(i, j)], zero)]))], /a parallel loop \(j\) lies inside/],
  ['KD-L-VECTOR-IF', [vector({ kind: 'if', cond: compare('lt', i, N), then: store(x, [i], zero) })], /the condition i < N differs/],
  ['KD-L-VECTOR-LOOP', [vector(loop(j, add(i, N), 'seq', [store(x, [i], zero)]))], /the extent i \+ N of j differs/],
  ['KD-L-VECTOR-SAME', [vector(store(x, [constant(0)], load(y, [i])))], /every lane of the vector loop i writes x\[0\]/],
  ['KD-L-VECTOR-REDUCE', [vector(accum(x, [constant(0)], load(y, [i])))], /accumulates into x\[0\]/],
  ['KD-L-VECTOR-SCATTER', [vector(accum(x, [cast(load(id, [i]), 'i64')], load(y, [i])))], /accumulate into one element: x\[i64\(id\[i\]\)\]/],
  ['KD-L-VECTOR-WHILE', [vector({ kind: 'while', v: j, max: N, cond: compare('lt', load(x, [i]), zero), body: store(x, [i], zero) })], /x\[i\] < 0f32 differs from lane to lane/],
  ['KD-L-VECTOR-ATOMIC', [vector({ kind: 'atomic', fn: 'add', buf: x, index: [constant(0)], value: load(y, [i]) })], /update x\[0\] atomically/],
  ['KD-L-VECTOR-PRINT', [vector({ kind: 'print', text: '{}', values: [load(x, [i])] })], /a print lies inside of the vector loop i/],
  ['KD-L-DIVERGED', [loop(i, four, 'lane.x', [{ kind: 'if', cond: compare('lt', i, N), then: { kind: 'barrier', scope: 'workgroup', loc } }])], /the workgroup barrier is not reached by all lanes alike: i < N may differ/],
  ['KD-L-LANES', [{ ...loop(i, N, 'lane.x', [store(x, [i], zero), { kind: 'barrier', scope: 'workgroup' }]), loc }], /a workgroup of N lanes: that is not a constant/],
  ['KD-L-LANES', [{ ...loop(i, four, 'lane.x', [letStmt(newVar('s', 'f32'), { kind: 'subgroup', fn: 'add', dtype: 'f32', lanes: 1, x: load(y, [i]) })]), loc }], /a workgroup of 4 lanes: they exchange values, but are no multiple of the subgroup's 32/],
  ['KD-L-REG-INDEX', [{ ...alloc(r4), loc }, loop(i, four, 'seq', [{ ...store(r4, [i], zero), loc }])], /register acc is indexed by i/],
  ['KD-L-REG-RANGE', [{ ...alloc(r4), loc }, store(r4, [four], zero)], /register acc\[4\] is indexed at \[4\]/],
  ['KD-L-REG-SLICE', [{ ...alloc(r4), loc }, vector(store(r4, [i], zero)), store(x, [constant(0)], load(r4, [constant(1)]))], /both as a vector of 4 from \[0\] and as element \[1\]/],
  ['KD-L-INSTR', [{ kind: 'instr', def: { ...vfmadd_f32x8, meaning: vfmadd_f32x8.meaning, needs: [] }, args: [], body: loop(i, four, 'seq', [store(x, [i], zero)]), loc }], /loops of the instruction vfmadd_f32x8 are no longer what it computes: i runs to 4/],
  ['KD-L-REG-SHAPE', [{ ...alloc(rN), loc }, store(rN, [constant(0)], zero)], /has the shape \[N\]/],
];

const d64 = buffer('d', [N], { dtype: 'f64' }), i64 = buffer('w', [N], { dtype: 'i64' }), big = buffer('tile', [constant(64), constant(65)], { space: 'shared' });
const block = (...body: Stmt[]): Stmt => ({ ...loop(j, N, 'block.x', body), loc });
/** On an OpenCL device with nothing beyond the language, 128 lanes and 16 KiB. */
const GPU_CASES: readonly [ErrorId, readonly Stmt[], RegExp][] = [
  ['KD-L-HOST', [{ ...loop(i, cast(load(id, [constant(0)]), 'i64'), 'seq', [loop(j, N, 'block.x', [store(x, [j], zero)])]), loc }], /the loop i around workgroups is told by i64\(id\[0\]\)/],
  ['KD-L-HOST', [{ kind: 'if', cond: compare('lt', load(x, [constant(0)]), zero), then: loop(j, N, 'block.x', [store(x, [j], zero)]), loc }], /a condition around workgroups is told by x\[0\] < 0f32/],
  ['KD-L-HOST', [{ kind: 'while', v: v('w'), max: four, cond: compare('lt', load(x, [constant(0)]), zero), body: loop(j, N, 'block.x', [store(x, [j], zero)]), loc }], /a loopWhile around workgroups/],
  ['KD-L-GRID', [loop(i, N, 'block.y', [{ ...loop(j, add(i, four), 'block.x', [store(x, [j], zero)]), loc }])], /block\.x loop j: its extent i \+ 4 is not known at launch/],
  ['KD-L-GRID', [block({ ...loop(i, four, 'block.x', [store(x, [i], zero)]), loc })], /another loop of the nest has that place/],
  ['KD-L-GRID', [loop(i, N, 'block.y', [loop(j, four, 'block.x', [store(x, [j], zero)]), { ...store(x, [i], zero), loc }])], /block\.x loop j: the store beside it would be made by each of its workgroups/],
  ['KD-L-LANES', [block({ ...loop(i, constant(256), 'lane.x', [store(x, [i], zero)]), loc })], /a workgroup of 256 lanes: opencl has at most 128 along lane\.x/],
  ['KD-L-LANES', [block({ ...loop(i, four, 'lane.y', [loop(v('q'), constant(64), 'lane.x', [store(x, [i], zero)])]), loc })], /a workgroup of 256 lanes: opencl has at most 128/],
  ['KD-L-LANES', [block({ ...loop(i, four, 'lane.x', [store(x, [i], zero), { kind: 'barrier', scope: 'workgroup' }]), loc }, loop(v('q'), constant(8), 'lane.x', [store(y, [i], zero)]))], /a workgroup of 4 lanes: they meet, but another nest of the workgroup has 8/],
  ['KD-L-SHARED', [block({ ...alloc(big), loc }, loop(i, four, 'lane.x', [store(big, [i, i], zero)]))], /uses 16640 bytes of shared memory \(tile 16640\), opencl has 16384/],
  ['KD-L-LACKS', [{ ...store(d64, [i], constant(0, 'f64')), loc }], /opencl has no f64: the parameter d is f64/],
  ['KD-L-LACKS', [{ ...store(i64, [i], constant(0)), loc }], /opencl has no 64-bit integers as data: the parameter w is i64/],
  ['KD-L-LACKS', [{ ...store(x, [i], cast(binary('mul', cast(load(y, [i]), 'f64'), constant(3, 'f64')), 'f32')), loc }], /opencl has no f64: f64\(y\[i\]\)|opencl has no f64: f32/],
  ['KD-L-LACKS', [{ kind: 'print', text: 'x', values: [], loc }], /opencl has no print: "x" is printed/],
];

describe('what a GPU cannot run', () => {
  it.each(GPU_CASES)('%s %#', (id_, body, text) => {
    const uses = (b: ReturnType<typeof buffer>): boolean => JSON.stringify(body).includes(`"name":"${b.name}"`);
    let e: unknown;
    try { lower(kernel([x, y, id, ...[d64, i64].filter(uses).map((b) => ({ ...b, loc }))], body), openclTarget([], { lanes: 128, sharedBytes: 16384 }), { print: true }); } catch (thrown) { e = thrown; }
    expect(e).toBeInstanceOf(DslError);
    const d = e as DslError;
    expect(d.id).toBe(id_);
    expect(d.message).toMatch(text);
    expect(d.loc, 'the author\'s line').toEqual(loc);
    expect(d.fix).not.toMatch(/\{\w+\}/);
  });
});

describe('what cannot be lowered', () => {
  it.each(CASES)('%s', (id_, body, text) => {
    let e: unknown;
    try { lower(kernel([x, y, id], body), machine(16), { print: true }); } catch (thrown) { e = thrown; }
    expect(e).toBeInstanceOf(DslError);
    const d = e as DslError;
    expect(d.id).toBe(id_);
    expect(d.message).toMatch(text);
    expect(d.loc, 'the author\'s line').toEqual(loc);
    expect(d.fix).not.toMatch(/\{\w+\}/);
    if (id_.startsWith('KD-L-VECTOR') && id_ !== 'KD-L-VECTOR-EXTENT') expect(d.step).toBe('vectorize(i)');
  });

  it('every lowering error of the catalogue is tested', () => {
    const tested = new Set([...[...CASES, ...GPU_CASES].map(([c]) => c), 'KD-L-TEAM']); // of teams: test/gpu/teams.test.ts
    expect(Object.keys(CATALOGUE).filter((c) => c.startsWith('KD-L-') && !tested.has(c as ErrorId))).toEqual([]);
  });

  it('accepts the neighbours of what it refuses', () => {
    const t = newVar('t', 'f32');
    const ok: readonly Stmt[] = [vector(
      { kind: 'if', cond: compare('lt', constant(0), N), then: store(x, [i], zero) },
      loop(j, N, 'seq', [letStmt(t, load(y, [j])), accum(x, [mul(i, constant(2))], binary('mul', t, t))]),
      store(x, [cast(load(id, [i]), 'i64')], load(y, [i])),
      store(y, [constant(0)], zero),
      { kind: 'while', v: v('w'), max: four, cond: compare('lt', load(y, [N]), zero), body: store(x, [i], zero) },
    )];
    expect(() => lower(kernel([x, y, id], ok), machine(16))).not.toThrow();
  });
});
