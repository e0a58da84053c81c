import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import type { ErrorId } from '../../src/errors/index.ts';
import { assume, atomicAdd, atomicOr, axes, barrier, constant, exp, fma, kernel, loopWhile, named, popcount, print, reg, scalar, select, shared, subgroupAdd, subgroupAny, subgroupLane, tensor, when } from '../../src/lang/index.ts';
import type { Cell, Tensor, Val } from '../../src/lang/index.ts';

/** The body runs in a kernel with x (in, f32[N]), y (out, f32[N]), h (f16[N]) and a (f32). */
type Env = { x: Tensor<'f32', ['N']>; y: Tensor<'f32', ['N']>; h: Tensor<'f16', ['N']>; b: Tensor<'u8', ['N']>; a: Val<'f32'>; N: Val<'i64'> };
const body = (f: (e: Env) => void): (() => void) => () => {
  kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out(), h: tensor('f16', 'N'), b: tensor('u8', 'N'), a: scalar('f32') }, (e) => { f(e as unknown as Env); return {}; });
};
const never = <T>(x: unknown): T => x as T;

const CASES: readonly [ErrorId, () => void, RegExp][] = [
  ['KD-NO-KERNEL', () => { axes({ i: 3 }); }, /axes is used outside/],
  ['KD-DTYPE', body(({ x, N }) => { x.at(0).add(never<Val<'f32'>>(N)); }), /add: f32 and i64/],
  ['KD-STORAGE', body(({ h }) => { h.at(0).add(h.at(1)); }), /f16 is a storage type/],
  ['KD-STORAGE', body(({ h }) => { h.at(0).neg(); }), /f16 is a storage type, neg/],
  ['KD-BOOL', body(({ x }) => { x.at(0).lt(1).add(x.at(0).lt(2)); }), /add is not defined for bool/],
  ['KD-BOOL', body(({ x }) => { x.at(0).lt(1).lt(x.at(0).lt(2)); }), /lt is not defined for bool/],
  ['KD-FLOAT', body(({ x }) => { x.at(0).mod(2); }), /mod is not defined for f32/],
  ['KD-FLOAT', body(({ x }) => { x.at(0).not(); }), /not is not defined for f32/],
  ['KD-FLOAT', body(({ x }) => { x.at(0).shl(1); }), /shl is not defined for f32/],
  ['KD-NOT-FLOAT', body(({ b }) => { exp(never<Val<'f32'>>(b.at(0))); }), /exp is not defined for u8/],
  ['KD-NOT-FLOAT', body(({ b }) => { fma(never<Val<'f32'>>(b.at(0)), 1, 2); }), /fma is not defined for u8/],
  ['KD-NOT-INT', body(({ x }) => { popcount(never<Val<'i32'>>(x.at(0))); }), /popcount is not defined for f32/],
  ['KD-CONSTANT', () => { kernel('k', { T: constant(4) }, () => ({})).with(never<{ T: number }>({ U: 3 })); }, /k.with: U = 3, but U is no constant of the kernel/],
  ['KD-CONSTANT', () => { kernel('k', { T: constant(4) }, () => ({})).with(never<{ T: number }>({ T: true })); }, /T = true, but T is a number/],
  ['KD-DIM', () => { kernel('k', { T: constant(4), x: tensor('f32', 'T') }, () => ({})).with({ T: 2.5 }); }, /the dimension T is 2.5/],
  ['KD-PACKED', () => { kernel('k', { W: tensor('i4', 8).out() }, ({ W }) => { never<{ set(x: number): void }>(W.at(0)).set(1); return {}; }); }, /an element of W shares its byte/],
  ['KD-READONLY', () => { kernel('k', { W: tensor('i4', 8) }, ({ W }) => { W.pair(0).set(1, 2); return {}; }); }, /W is an input/],
  ['KD-RANK', () => { kernel('k', { W: tensor('u4', 8) }, ({ W }) => { never<{ at(...i: number[]): void }>(W).at(0, 1); return {}; }); }, /W has 1 dimension/],
  ['KD-ATOMIC', body(() => { atomicAdd(reg('f32', 0), 1); }), /atomicAdd of the register acc/],
  ['KD-READONLY', body(({ x }) => { atomicAdd(x.at(0), 1); }), /x is an input/],
  ['KD-FLOAT', body(({ y }) => { atomicOr(never<Cell<'u32'>>(y.at(0)), 1); }), /atomicOr is not defined for f32/],
  ['KD-STORAGE', body(({ h }) => { atomicAdd(never<Cell<'f32'>>(h.at(0)), 1); }), /f16 is a storage type/],
  ['KD-OPERAND', body(() => { print(never<string>(1)); }), /print got 1/],
  ['KD-CONDITION', body(({ x }) => { for (const _ of loopWhile(() => never<Val<'bool'>>(x.at(0)), { max: 3 })) void _; }), /a condition of dtype f32/],
  ['KD-BIND', body(({ N }) => { const ax = axes({ t: N }); for (const t of ax.t.bind('lane.x')) void t; }), /the loop over t is bound to lane.x but its extent N is not a constant/],
  ['KD-BIND', body(() => { const ax = axes({ t: 4, u: 4 }); for (const t of ax.t.bind('lane.x')) for (const u of ax.u.bind('lane.x')) { void t; void u; } }), /u is bound to lane.x inside of a loop that is bound there/],
  ['KD-BIND', body(() => { const ax = axes({ t: 4, b: 4 }); for (const t of ax.t.bind('lane.x')) for (const b of ax.b.bind('block.x')) { void t; void b; } }), /b is bound to block.x inside of a lane loop/],
  ['KD-BIND', body(({ y }) => { const ax = axes({ t: 4, u: 4 }); for (const t of ax.t.bind('lane.y')) { y.at(t).set(0); for (const u of ax.u.bind('lane.x')) void u; } }), /u is bound to lane.x but statements lie between it and the lane loop t/],
  ['KD-SHARED', body(() => { shared('f32', 'tile', 4); }), /shared memory tile is declared outside of the block loops/],
  ['KD-SHARED', body(() => { const ax = axes({ t: 4 }); for (const t of ax.t.bind('lane.x')) { void t; shared('f32', 'tile', 4); } }), /tile is declared inside of a lane loop/],
  ['KD-LANES', body(() => { barrier(); }), /barrier\(\) is used outside of the lanes/],
  ['KD-LANES', body(({ x }) => { subgroupAdd(x.at(0)); }), /subgroupAdd is used outside of the lanes/],
  ['KD-LANES', body(() => { subgroupLane(); }), /subgroupLane\(\) is used outside/],
  ['KD-STORAGE', body(({ h }) => { const ax = axes({ t: 4 }); for (const t of ax.t.bind('lane.x')) subgroupAdd(never<Val<'f32'>>(h.at(t))); }), /f16 is a storage type, subgroupAdd/],
  ['KD-CONDITION', body(({ x }) => { const ax = axes({ t: 4 }); for (const t of ax.t.bind('lane.x')) subgroupAny(never<Val<'bool'>>(x.at(t))); }), /a condition of dtype f32/],
  ['KD-SUBGROUP-SIZE', () => { kernel('k', {}, () => ({}), { subgroup: 24 }); }, /a subgroup of 24 lanes/],
  ['KD-RANK', body(({ x }) => { never<{ at(...i: number[]): void }>(x).at(1, 2); }), /x has 1 dimension\(s\), 2/],
  ['KD-INDEX', body(({ x, a }) => { x.at(never<Val<'i64'>>(a)); }), /an index into x is f32/],
  ['KD-READONLY', body(({ x }) => { x.at(0).set(1); }), /x is an input/],
  ['KD-BREAK', body(({ N }) => { const ax = axes({ i: N }); for (const i of ax.i) { void i; break; } }), /loop over i was left/],
  ['KD-AXIS-TWICE', body(({ N }) => { const ax = axes({ i: N }); for (const i of ax.i) void i; for (const i of ax.i) void i; }), /axis i is looped over twice/],
  ['KD-NESTED', body(() => { kernel('inner', {}, () => ({})); }), /kernel inner is traced inside/],
  ['KD-EXTENT', body(() => { axes({ i: -1 }); }), /the extent of axis i is -1/],
  ['KD-NAME', body(({ x }) => { named('1x', x.at(0)); }), /'1x' is not a usable name/],
  ['KD-OPERAND', body(({ x }) => { x.at(0).add(never<number>('2')); }), /add got 2/],
  ['KD-CONST', body(({ b, y }) => { y.at(0).set(b.at(0).and(256).to('f32')); }), /256 does not fit u8/],
  ['KD-CONDITION', body(({ x }) => { when(never<Val<'bool'>>(x.at(0)), () => {}); }), /a condition of dtype f32/],
  ['KD-CONDITION', body(({ x }) => { assume(never<Val<'bool'>>(x.at(0)), 't'); }), /a condition of dtype f32/],
  ['KD-OPERAND', body(({ x }) => { select(x.at(0).gt(0), never<Val<'f32'>>(1), 2); }), /select got two numbers/],
  ['KD-JS-IF', body(({ x, y }) => { y.at(0).set(never<number>(x.at(0)) + 1); }), /used as a JavaScript value/],
  ['KD-BYTES', body(({ x }) => { x.as('f16', 0); }), /x is f32: bytes/],
  ['KD-DTYPE', body(({ x }) => { x.at(0).bits('u8'); }), /bits: u8 and f32/],
  ['KD-NO-KERNEL', () => { reg('f32', 0); }, /reg is used outside/],
];

describe('mistakes in a kernel', () => {
  it.each(CASES)('%s', (id, f, text) => {
    let e: unknown;
    try { f(); } catch (x) { e = x; }
    expect(e).toBeInstanceOf(DslError);
    const d = e as DslError;
    expect(d.id).toBe(id);
    expect(d.message).toMatch(text);
    expect(d.message).toContain(`fix: ${d.fix}`);
    expect(d.fix).not.toMatch(/\{\w+\}/);
    expect(d.loc?.file, 'the author\'s file').toMatch(/errors\.test\.ts$/);
  });

  it('points at the line and column of the mistake', () => {
    const line = (): number => Number([...new Error().stack!.matchAll(/errors\.test\.ts:(\d+)/g)][1]![1]);
    let at = 0;
    try {
      kernel('k', { x: tensor('f32', 'N') }, ({ x }) => { at = line(); x.at(0).set(1); return {}; });
    } catch (e) {
      expect((e as DslError).loc?.line).toBe(at);
      return;
    }
    expect.unreachable();
  });
});
