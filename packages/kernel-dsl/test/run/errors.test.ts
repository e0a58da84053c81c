import { describe, expect, it } from 'vitest';
import { add, binary, cast, compare, constant, load, mul, newVar, select, size, unary } from '../../src/ir/index.ts';
import type { Expr, LoopKind, Stmt } from '../../src/ir/index.ts';
import { axes, kernel, tensor as tensorParam } from '../../src/lang/index.ts';
import { interpret } from '../../src/run/index.ts';
import { accum, alloc, bindTo, kernelOf, loop, memory, param, runError, scalarParam, store, tensor } from './helpers.ts';

const f = (x: number): Expr => constant(x, 'f32');
const A = param('A', 'f32', ['M', 'K']), y = param('y', 'f32', ['M'], 'out');
const args = (): { A: ReturnType<typeof tensor>; y: ReturnType<typeof tensor> } => ({ A: tensor(new Float32Array(12), 3, 4), y: tensor(new Float32Array(3), 3) });

describe('out of bounds', () => {
  const at = { file: 'author.ts', line: 12, col: 5 };
  const k = kernelOf([A, y], [loop('i', 'M', (i) => [loop('k', 'K', (k) => [store(y, [i], load(A, [add(i, constant(1)), k], { loc: at }))])])]);
  it('names the buffer, the index, the shape, the loops and the place', () => {
    const e = runError(k, args(), 'KD-RUN-OOB');
    expect(e.message).toContain("load of A[i + 1, k]: index [3, 0] is outside of A's shape [3, 4] (i = 2, k = 0)");
    expect(e.message).toContain('author.ts:12:5');
    expect(e).toMatchObject({ buffer: 'A', index: [3, 0], loc: at });
  });
  it('checks each dimension on its own, though the place is inside the data', () => {
    const wide = kernelOf([A, y], [store(y, [constant(0)], load(A, [constant(0), constant(4)]))]);
    expect(runError(wide, args(), 'KD-RUN-OOB').index).toEqual([0, 4]);
    const negative = kernelOf([A, y], [store(y, [constant(0)], load(A, [constant(1), constant(-1)]))]);
    expect(runError(negative, args(), 'KD-RUN-OOB').index).toEqual([1, -1]);
  });
  it.each([1, 2, 3, 4])('checks writes in %i dimensions, at both ends of each', (rank) => {
    const shape = [2, 3, 2, 2].slice(0, rank), names = ['I', 'J', 'K', 'L'].slice(0, rank);
    const T = param('T', 'f32', names, 'out'), P = memory('P', 'f32', shape, 'pack');
    for (let d = 0; d < rank; d++) {
      for (const bad of [-1, shape[d]!]) {
        const index = shape.map((_, e) => constant(e === d ? bad : 1));
        const data = new Float32Array(100);
        const e = runError(kernelOf([T], [store(T, index, f(1))]), { T: { data, shape, offset: 20 } }, 'KD-RUN-OOB');
        expect(e.index).toEqual(index.map((x) => x.value));
        expect(data.every((x) => x === 0)).toBe(true);
        runError(kernelOf([T], [alloc(P), store(P, index, f(1))]), { T: { data, shape } }, 'KD-RUN-OOB');
      }
    }
    interpret(kernelOf([T], [store(T, shape.map((n) => constant(n - 1)), f(1))]), { T: { data: new Float32Array(24), shape } });
  });
  it('takes the place of the enclosing statement where a node has none', () => {
    const inner: Stmt = { kind: 'for', v: newVar('i'), extent: size('M'), loop: 'seq', loc: at, step: 'split(i, 4)', body: store(y, [constant(7)], f(0)) };
    const e = runError(kernelOf([A, y], [inner]), args(), 'KD-RUN-OOB');
    expect(e).toMatchObject({ loc: at, step: 'split(i, 4)' });
    expect(e.message).toContain('in split(i, 4)');
    const whole = { ...kernelOf([A, y], [store(y, [constant(7)], f(0))]), loc: at };
    expect(runError(whole, args(), 'KD-RUN-OOB').loc).toEqual(at);
  });
  it("points at the author's line", () => {
    const shift = kernel('shift', { x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').out() }, (p) => {
      const ax = axes({ i: p.N });
      for (const i of ax.i) p.y.at(i).set(p.x.at(i.add(1)));
      return ax;
    });
    const e = runError(shift.ir, { x: tensor(new Float32Array(3), 3), y: tensor(new Float32Array(3), 3) }, 'KD-RUN-OOB');
    expect(e.message).toContain("load of x[i + 1]: index [3] is outside of x's shape [3] (i = 2)");
    expect(e.loc?.file).toMatch(/run.errors\.test\.ts$/);
    expect(e.loc?.line).toBe(shift.ir.loc!.line + 2);
  });
  it('refuses a tensor that does not lie in its data', () => {
    const e = runError(k, { ...args(), A: { data: new Float32Array(11), shape: [3, 4] } }, 'KD-RUN-OOB');
    expect(e.message).toContain('reaches positions 0 to 11, but its Float32Array (4 bytes each) has 11 elements');
    runError(k, { ...args(), A: { data: new Float32Array(12), shape: [3, 4], offset: 1 } }, 'KD-RUN-OOB');
    runError(k, { ...args(), A: { data: new Float32Array(12), shape: [3, 4], strides: [-4, 1], offset: 7 } }, 'KD-RUN-OOB');
  });
});

describe('uninitialised', () => {
  it.each(['reg', 'pack', 'local', 'shared'] as const)('%s memory may not be read', (space) => {
    const t = memory('t', 'f32', [2, 3], space);
    const k = kernelOf([A, y], [alloc(t), store(t, [constant(1), constant(2)], f(1)), store(y, [constant(0)], load(t, [constant(1), constant(2)])), store(y, [constant(0)], load(t, [constant(1), constant(1)]))]);
    const e = runError(k, args(), 'KD-RUN-UNINIT');
    expect(e.message).toContain(`load of t[1, 1] reads ${space} t of shape [2, 3] at [1, 1] before anything is written there`);
    expect(e.index).toEqual([1, 1]);
  });
  it('memory is undefined again each time its alloc runs', () => {
    const acc = memory('acc', 'f32', []);
    const k = kernelOf([A, y], [loop('i', 'M', (i) => [alloc(acc), { kind: 'if', cond: compare('eq', i, constant(0)), then: store(acc, [], f(0)) }, accum('add', acc, [], f(1)), store(y, [i], load(acc, []))])]);
    expect(runError(k, args(), 'KD-RUN-UNINIT').message).toContain('i = 1');
  });
  it('an out parameter may not be read or updated before it is written; inout may', () => {
    for (const s of [store(y, [constant(1)], load(y, [constant(0)])), accum('add', y, [constant(0)], f(1))]) {
      expect(runError(kernelOf([A, y], [store(y, [constant(2)], f(1)), s]), args(), 'KD-RUN-UNINIT').message).toContain('the out parameter y');
    }
    const z = param('y', 'f32', ['M'], 'inout'), out = new Float32Array([1, 2, 3]);
    interpret(kernelOf([z], [accum('mul', z, [constant(2)], f(4))]), { y: tensor(out, 3) });
    expect([...out]).toEqual([1, 2, 12]);
  });
  it('bytes of a wider read count one by one', () => {
    const b = memory('b', 'u8', [4], 'local'), byte = (i: number): Stmt => store(b, [constant(i)], constant(1, 'u8'));
    const k = (n: number): ReturnType<typeof kernelOf> => kernelOf([A, y], [alloc(b), ...Array.from({ length: n }, (_, i) => byte(i)), store(y, [constant(0)], cast(load(b, [constant(0)], { as: 'u32' }), 'f32'))]);
    expect(runError(k(3), args(), 'KD-RUN-UNINIT').index).toEqual([3]);
    interpret(k(4), args());
  });
});

describe('races', () => {
  const x = param('x', 'f32', ['N'], 'inout');
  const run = (body: (i: Expr) => readonly Stmt[], seed = 1, kind: LoopKind = 'parallel', before: readonly Stmt[] = []): (() => void) => {
    const k = kernelOf([x], [...before, loop('i', 8, body, kind)]);
    return () => interpret(k, { x: tensor(new Float32Array(16), 16) }, { seed });
  };
  it.each([1, 2, 3, 4, 5])('between a write and a read are found in every order (seed %i)', (seed) => {
    expect(run((i) => [store(x, [i], load(x, [binary('mod', add(i, constant(1)), constant(8))]))], seed)).toThrow(/KD-RUN-RACE x\[\d\] is (written|read) by iteration i = \d and (written|read) by iteration i = \d of the parallel loop i/);
  });
  it('between two writes are found', () => {
    expect(run((i) => [store(x, [binary('div', i, constant(2))], f(1))])).toThrow(/written by iteration i = (\d) and written by iteration i = (?!\1)\d/);
    expect(run((i) => [store(x, [i], f(1))])).not.toThrow();
  });
  it('between iterations that update one cell are found, in block loops too', () => {
    expect(run(() => [accum('add', x, [constant(0)], f(1))], 1, 'block.x')).toThrow(/KD-RUN-RACE x\[0\]/);
    expect(run((i) => [accum('add', x, [i], f(1))])).not.toThrow();
  });
  it('are found when the writer is one of several readers', () => {
    // All read x[8]; iteration 3 writes it as well. Whoever comes when, two different iterations touch it.
    for (let seed = 1; seed < 12; seed++) {
      expect(run((i) => [store(x, [i], load(x, [constant(8)])), { kind: 'if', cond: compare('eq', i, constant(3)), then: store(x, [constant(8)], f(1)) }], seed)).toThrow(/x\[8\]/);
    }
  });
  it('are found in memory from outside of the loop, while memory from inside is its own', () => {
    const t = memory('t', 'f32', [], 'local'), use = (i: Expr): Stmt[] => [store(t, [], f(1)), store(x, [i], load(t, []))];
    expect(run(use, 1, 'parallel', [alloc(t)])).toThrow(/KD-RUN-RACE t/);
    expect(run((i) => [alloc(t), ...use(i)])).not.toThrow();
  });
  it('are none between two runs of the loop, or of a sequential loop', () => {
    const k = kernelOf([x], [loop('r', 4, (r) => [loop('i', 8, (i) => [store(x, [binary('mod', add(i, r), constant(8))], f(1)), store(x, [add(constant(8), binary('mod', add(i, r), constant(8)))], load(x, [binary('mod', add(i, r), constant(8))]))], 'parallel')])]);
    interpret(k, { x: tensor(new Float32Array(16), 16) });
    expect(run(() => [accum('add', x, [constant(0)], f(1))], 1, 'seq')).not.toThrow();
    expect(run(() => [accum('add', x, [constant(0)], f(1))], 1, 'vector')).not.toThrow();
  });
  it('are found by the outer loop of two where the inner one has none', () => {
    const k = kernelOf([x], [loop('o', 2, () => [loop('i', 8, (i) => [store(x, [i], f(1))], 'parallel')], 'parallel')]);
    expect(runError(k, { x: tensor(new Float32Array(16), 16) }, 'KD-RUN-RACE').message).toContain('parallel loop o');
  });
  it('tell the index in strided and reversed tensors', () => {
    const m = param('m', 'f32', ['M', 'N'], 'inout', true);
    const k = kernelOf([m], [loop('i', 8, () => [store(m, [constant(1), constant(2)], f(1))], 'parallel')]);
    expect(runError(k, { m: { data: new Float32Array(40), shape: [3, 4], strides: [-10, 2], offset: 25 } }, 'KD-RUN-RACE').index).toEqual([1, 2]);
  });
});

describe('arguments', () => {
  const B = param('B', 'f32', ['K', 'N']), s = scalarParam('s', 'i32');
  const k = kernelOf([A, B, y, s], [store(y, [constant(0)], f(1))]);
  const good = { ...args(), B: tensor(new Float32Array(20), 4, 5), s: 3 };
  it('that fit are taken', () => { interpret(k, good); });
  it('must agree in their sizes', () => {
    const e = runError(k, { ...good, B: tensor(new Float32Array(20), 5, 4) }, 'KD-RUN-SIZE');
    expect(e.message).toContain('dimension 0 of B is 5, but K is 4 from dimension 1 of A');
    runError(k, { ...good, B: tensor(new Float32Array(20), 20) }, 'KD-RUN-SIZE');
  });
  it('must have the dimensions that constants and arithmetic ask for', () => {
    const q = param('q', 'u8', ['K', 34]), half = { ...param('h', 'f32', ['N']), shape: [mul(size('K'), constant(2))] };
    const kq = kernelOf([q, half, y], [store(y, [constant(0)], f(1))]);
    const ok = { q: tensor(new Uint8Array(68), 2, 34), h: tensor(new Float32Array(4), 4), y: tensor(new Float32Array(1), 1) };
    interpret(kq, ok);
    expect(runError(kq, { ...ok, q: tensor(new Uint8Array(68), 2, 18) }, 'KD-RUN-SIZE').message).toContain('dimension 1 of q is 18, but 34 is 34');
    expect(runError(kq, { ...ok, h: tensor(new Float32Array(5), 5) }, 'KD-RUN-SIZE').message).toContain('dimension 0 of h is 5, but K * 2 is 4');
  });
  it('may name a size that no dimension tells', () => {
    const h = { ...param('h', 'f32', ['N'], 'out'), shape: [mul(size('N'), constant(2))] }, kh = kernelOf([h], [store(h, [size('N')], f(1))]), data = new Float32Array(4);
    expect(runError(kh, { h: tensor(data, 4) }, 'KD-RUN-SIZE').message).toContain('nothing tells the size N');
    interpret(kh, { h: tensor(data, 4), N: 2 });
    expect([...data]).toEqual([0, 0, 1, 0]);
    runError(kh, { h: tensor(data, 4), N: 3 }, 'KD-RUN-SIZE');
    runError(kh, { h: tensor(data, 4), N: -1 }, 'KD-RUN-ARG');
    runError(k, { ...good, K: 5 }, 'KD-RUN-SIZE');
  });
  it('must be there, and no others', () => {
    const { s: _, ...missing } = good;
    expect(runError(k, missing, 'KD-RUN-ARG').message).toContain('parameter s is missing');
    expect(runError(k, { ...good, z: 1 }, 'KD-RUN-ARG').message).toContain('there is no parameter z');
    const inherited = Object.assign(Object.create({ s: 3 }) as object, missing) as typeof missing;
    runError(k, inherited, 'KD-RUN-ARG');
  });
  it('must have the right type', () => {
    expect(runError(k, { ...good, A: tensor(new Float64Array(12), 3, 4) }, 'KD-RUN-ARG').message).toContain('A is f32, which lives in a Float32Array, but got Float64Array');
    runError(k, { ...good, A: 3 }, 'KD-RUN-ARG');
    runError(k, { ...good, s: good.B }, 'KD-RUN-ARG');
    for (const bad of [1.5, NaN, 2 ** 31, Infinity]) runError(k, { ...good, s: bad }, 'KD-RUN-ARG');
    runError(k, { ...good, A: tensor(new Float32Array(12), -3, 4) }, 'KD-RUN-ARG');
    runError(k, { ...good, A: { data: new Float32Array(12), shape: [3, 4], strides: [4] } }, 'KD-RUN-ARG');
    runError(k, { ...good, A: { data: new Float32Array(12), shape: [3, 4], offset: -1 } }, 'KD-RUN-ARG');
    expect(runError(k, { ...good, A: { data: new Float32Array(24), shape: [3, 4], strides: [8, 2] } }, 'KD-RUN-ARG').message).toContain('the innermost stride of A is 2');
  });
  it('that are written share no memory', () => {
    const z = param('z', 'f32', ['M'], 'out', true), kz = kernelOf([y, z, A], [store(z, [constant(0)], f(1))]);
    const d = new Float32Array(40), view = (shape: number[], offset: number, strides?: number[]): { data: Float32Array; shape: number[]; offset: number; strides?: number[] } => ({ data: d, shape, offset, ...(strides && { strides }) });
    expect(runError(kz, { y: view([3], 0), z: view([3], 2), A: view([3, 4], 10) }, 'KD-RUN-ALIAS').message).toMatch(/shares memory with/);
    runError(kz, { y: view([3], 0), z: view([3], 21), A: view([3, 4], 10) }, 'KD-RUN-ALIAS');
    expect(runError(kz, { y: view([3], 0), z: view([3], 30, [0]), A: view([3, 4], 10) }, 'KD-RUN-ALIAS').message).toContain('two of its elements share one place');
    interpret(kz, { y: view([3], 0), z: view([3], 30, [2]), A: view([3, 4], 10) });
    const column = view([3], 14, [8]); // beside the four columns of A, whose rows are 8 apart: the ranges cross, no element is shared
    interpret(kz, { y: view([3], 0), z: column, A: view([3, 4], 10, [8, 1]) });
    runError(kz, { y: view([3], 0), z: view([3], 13, [8]), A: view([3, 4], 10, [8, 1]) }, 'KD-RUN-ALIAS');
  });
  it('are checked before anything is written', () => {
    const out = new Float32Array(3), ka = kernelOf([y, s], [store(y, [constant(0)], f(1)), { kind: 'assume', cond: compare('gt', { kind: 'scalar', dtype: 'i32', lanes: 1, name: 's' }, constant(0, 'i32')), text: 's is positive' }]);
    expect(runError(ka, { y: tensor(out, 3), s: 0 }, 'KD-RUN-ASSUME').message).toContain('k assumes s is positive, which does not hold');
    expect(out[0]).toBe(0);
    interpret(ka, { y: tensor(out, 3), s: 1 });
    expect(out[0]).toBe(1);
  });
  it('scalars are rounded to their dtype', () => {
    const kf = kernelOf([y, scalarParam('a', 'f32')], [store(y, [constant(0)], { kind: 'scalar', dtype: 'f32', lanes: 1, name: 'a' })]), out = new Float32Array(3);
    interpret(kf, { y: tensor(out, 3), a: 0.1 });
    expect(out[0]).toBe(Math.fround(0.1));
  });
});

describe('the rest', () => {
  it('an in parameter is never written', () => { expect(runError(kernelOf([A, y], [store(A, [constant(0), constant(0)], f(1))]), args(), 'KD-RUN-READONLY').buffer).toBe('A'); });
  it('an assumption on what memory holds is checked in its place', () => {
    const k = kernelOf([A, y], [{ kind: 'assume', cond: compare('gt', load(A, [constant(0), constant(0)]), f(0)), text: 'A starts positive' }]);
    runError(k, args(), 'KD-RUN-ASSUME');
    interpret(k, { ...args(), A: tensor(new Float32Array(12).fill(1), 3, 4) });
  });
  it('a step limit stops a run before its loop starts', () => {
    const k = kernelOf([A, y], [loop('i', 10, () => [loop('j', 5, () => [store(y, [constant(0)], f(1))])])]);
    interpret(k, args(), { maxSteps: 60 });
    expect(runError(k, args(), 'KD-RUN-STEPS', { maxSteps: 59 }).message).toContain('loop j');
    const endless = kernelOf([A, y], [loop('i', constant(2 ** 52), () => [])]);
    runError(endless, args(), 'KD-RUN-STEPS', { maxSteps: 1e6 });
  });
  it('index arithmetic stays within 2^53, and affine shortcuts do not hide it', () => {
    const big = constant(2 ** 52), over = (e: (i: Expr) => Expr): void => { expect(runError(kernelOf([A, y], [loop('i', 'M', (i) => [store(y, [e(i)], f(1))])]), args(), 'KD-RUN-RANGE').message).toContain('beyond 2^53'); };
    over((i) => add(mul(add(i, constant(2)), big), constant(3)));
    const last = (v: Expr): Expr => compare('eq', v, constant(2)); // there the difference is 0, of two terms that are both 2^53
    const two = kernelOf([A, y], [loop('i', 3, (i) => [loop('j', 3, (j) => [{ kind: 'if', cond: binary('and', last(i), last(j)), then: store(y, [binary('sub', mul(i, big), mul(j, big))], f(1)) }])])]);
    expect(runError(two, args(), 'KD-RUN-RANGE').message).toContain('i = 2, j = 2');
    over((i) => binary('shl', add(i, constant(1)), constant(60)));
    over((i) => unary('neg', binary('shl', add(i, constant(1)), constant(60))));
    const l = param('l', 'i64', [1]), kl = kernelOf([l, y], [store(y, [load(l, [constant(0)])], f(1))]);
    runError(kl, { l: tensor(new BigInt64Array([2n ** 60n]), 1), y: tensor(new Float32Array(3), 3) }, 'KD-RUN-RANGE');
  });
  it('integer division by zero and shifts out of range are refused', () => {
    const n = param('n', 'i32', [2]), r = param('r', 'i32', [1], 'out'), at = (i: number): Expr => load(n, [constant(i)]);
    const run = (fn: 'div' | 'mod' | 'shl' | 'shr', b: number, id: 'KD-RUN-DIV' | 'KD-RUN-SHIFT'): void => { runError(kernelOf([n, r], [store(r, [constant(0)], binary(fn, at(0), at(1)))]), { n: tensor(new Int32Array([5, b]), 2), r: tensor(new Int32Array(1), 1) }, id); };
    run('div', 0, 'KD-RUN-DIV');
    run('mod', 0, 'KD-RUN-DIV');
    run('shl', 32, 'KD-RUN-SHIFT');
    run('shr', -1, 'KD-RUN-SHIFT');
  });

  const t = newVar('t', 'f32'), h = param('h', 'f16', [1]), m = memory('m', 'f32', [4]), stray = newVar('stray');
  const vector = load(A, [constant(0), constant(0)], { lanes: 3 });
  const MALFORMED: readonly [string, Stmt, RegExp][] = [
    ['a variable that nothing binds', store(y, [stray], f(1)), /stray is used where nothing binds it/],
    ['memory that nothing allocates', store(m, [constant(0)], f(1)), /m is used outside of its alloc/],
    ['a value of another dtype', store(y, [constant(0)], constant(1, 'f64')), /a f64 is written to y, which holds f32/],
    ['the wrong number of indices', store(y, [constant(0), constant(0)], f(1)), /y has 1 dimensions/],
    ['a float index', store(y, [f(0)], f(1)), /an index is f32/],
    ['arithmetic on a storage type', store(y, [constant(0)], cast(binary('add', load(h, [constant(0)]), load(h, [constant(0)])), 'f32')), /add is not defined for f16/],
    ['a comparison of a storage float', store(y, [constant(0)], cast(compare('lt', load(h, [constant(0)]), load(h, [constant(0)])), 'f32')), /lt is not defined for f16/],
    ['mixed dtypes', store(y, [constant(0)], binary('add', load(y, [constant(0)]), constant(1, 'i32'))), /add of f32 and i32/],
    ['a float remainder', store(y, [constant(0)], binary('mod', f(1), f(2))), /mod is not defined for f32/],
    ['a fractional function of integers', store(y, [constant(0)], cast(unary('sqrt', constant(4, 'i32')), 'f32')), /sqrt is not defined for i32/],
    ['a condition that is no bool', { kind: 'if', cond: constant(1, 'i32'), then: { kind: 'block', body: [] } }, /the condition 1 is i32/],
    ['a select by a number', store(y, [constant(0)], { ...select(compare('lt', load(y, [constant(0)]), f(1)), f(1), f(2)), cond: f(1) } as Expr), /select by f32/],
    ['a let of another dtype', bindTo(t, constant(1, 'i32')), /t is f32 x 1, its value i32 x 1/],
    ['a scalar where a vector is needed', store(y, [constant(0)], { kind: 'binary', fn: 'add', dtype: 'f32', lanes: 3, a: vector, b: f(1) }), /has 1 lanes, not 3/],
    ['a vector where a scalar is needed', { kind: 'if', cond: { kind: 'cmp', fn: 'lt', dtype: 'bool', lanes: 3, a: vector, b: vector }, then: { kind: 'block', body: [] } }, /3 lanes where a scalar is needed/],
    ['a reduce of three lanes', store(y, [constant(0)], { kind: 'reduce', fn: 'add', dtype: 'f32', lanes: 1, x: vector }), /no power of two/],
    ['bytes of what is not u8', store(y, [constant(0)], load(A, [constant(0), constant(0)], { as: 'f32' })), /only u8 can be read as f32/],
    ['bits of another width', store(y, [constant(0)], { kind: 'bitcast', dtype: 'f32', lanes: 1, x: constant(1, 'i64') }), /not as many bits/],
    ['an update of a storage type', { kind: 'accum', fn: 'add', buf: { ...h, access: 'inout' }, index: [constant(0)], value: load(h, [constant(0)]) }, /add is not defined for f16/],
    ['a parallel loop inside of lanes', loop('l', 2, () => [loop('p', 2, () => [store(y, [constant(0)], f(1))], 'parallel')], 'lane.x'), /the parallel loop p lies inside of lanes/],
    ['an exchange of lanes without lanes', bindTo(t, { kind: 'subgroup', fn: 'add', dtype: 'f32', lanes: 1, x: f(1) }), /subgroup_add outside of a workgroup's lanes/],
    ['an unknown size', loop('l', size('Q'), () => []), /there is no size Q/],
    ['an unknown scalar', store(y, [constant(0)], { kind: 'scalar', dtype: 'f32', lanes: 1, name: 'q' }), /there is no scalar q/],
  ];
  it.each(MALFORMED)('a malformed kernel is told: %s', (_, s, text) => {
    expect(runError(kernelOf([A, y, h], [s]), { ...args(), h: tensor(new Uint16Array(1), 1) }, 'KD-RUN-IR').message).toMatch(text);
  });
  it('a loop over f32 is malformed', () => {
    runError(kernelOf([A, y], [{ kind: 'for', v: newVar('i', 'f32'), extent: constant(3), loop: 'seq', body: { kind: 'block', body: [] } }]), args(), 'KD-RUN-IR');
  });
  it('memory of a negative size is refused', () => {
    const n = memory('n', 'f32', [], 'local'), negative = { ...n, shape: [binary('sub', size('M'), constant(5))] };
    expect(runError(kernelOf([A, y], [alloc(negative)]), args(), 'KD-RUN-SIZE').message).toContain('local n gets the shape [-2]');
  });
});
