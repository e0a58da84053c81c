import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CATALOGUE, DslError } from '../../src/errors/index.ts';
import type { ErrorId } from '../../src/errors/index.ts';
import type { DType } from '../../src/ir/index.ts';
import { atomicAdd, assume, axes, barrier, constant, exp, kernel, loopWhile, named, popcount, print, reg, region, scalar, scratch, select, shared, subgroupAdd, tensor, value, when } from '../../src/lang/index.ts';
import type { Axis, Cell, Tensor, Val } from '../../src/lang/index.ts';
import { RunError, interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { requireVerified } from '../../src/verify/index.ts';

/*
 * Mistakes that authors make, one a line: what they are called, what is said, and where it points. The place is marked: the error must name the
 * line and the column of what follows the mark. Types are cast away where they would have told the mistake before it ran.
 */
type Any = never;
const as = <T>(x: unknown): T => x as T;
type Env = { x: Tensor<'f32', ['N']>; y: Tensor<'f32', ['N']>; h: Tensor<'f16', ['N']>; b: Tensor<'u8', ['N']>; n: Tensor<'i32', [4]>; a: Val<'f32'>; k: Val<'i32'>; N: Val<'i64'> };
const body = (f: (e: Env) => void) => (): void => {
  kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out(), h: tensor('f16', 'N'), b: tensor('u8', 'N'), n: tensor('i32', 4).inout(), a: scalar('f32'), k: scalar('i32') }, (e) => { f(as<Env>(e)); return {}; });
};
const rows = kernel('rows', { x: tensor('f32', 'M', 'K'), y: tensor('f32', 'M').out(), z: tensor('f32', 'M', 'K').out(), u: tensor('f32', 'M') }, ({ x, y, z, M, K }) => {
  const ax = axes({ i: M, k: K, a: M, b: K });
  for (const i of ax.i) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(x.at(i, k));
    y.at(i).set(acc);
  }
  for (const a of ax.a) for (const b of ax.b) z.at(a, b).set(x.at(a, b).add(x.at(a, 0)));
  return ax;
});
type Ax = { readonly i: Axis; readonly k: Axis; readonly a: Axis; readonly b: Axis };
const plan = (f: (s: Schedule, ax: Ax) => void) => (): void => { schedule(rows, target('x86-64-v3'), f); };
const check = (f: (e: Env) => Record<string, Axis>) => (): void => {
  requireVerified(kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out(), h: tensor('f16', 'N'), b: tensor('u8', 'N'), n: tensor('i32', 4).inout(), a: scalar('f32'), k: scalar('i32') }, (e) => f(as<Env>(e))));
};
const other = ((): { v: Val<'i64'>; t: Tensor<'f32', ['N']> } => {
  let v!: Val<'i64'>, t!: Tensor<'f32', ['N']>;
  kernel('other', { q: tensor('f32', 'N').out() }, ({ q, N }) => { t = q; const ax = axes({ z: N }); for (const i of ax.z) { v = i; q.at(i).set(0); } return ax; });
  return { v, t };
})();
const floats = (n: number): { data: Float32Array; shape: number[] } => ({ data: new Float32Array(n), shape: [n] });

const CASES: readonly [id: ErrorId, run: () => void, text: string | RegExp][] = [
  // outside of a body, and around it
  ['KD-NO-KERNEL', () => { /*@*/axes({ i: 3 }); }, 'axes is used outside of a kernel body'],
  ['KD-NO-KERNEL', () => { /*@*/reg('f32', 0); }, 'reg is used outside of a kernel body'],
  ['KD-NO-KERNEL', () => { /*@*/scratch('f32', 't', 4); }, 'scratch is used outside of a kernel body'],
  ['KD-NO-KERNEL', () => { /*@*/print('here'); }, 'print is used outside of a kernel body'],
  ['KD-NO-KERNEL', () => { /*@*/when(value('bool', 1), () => {}); }, /is used outside of a kernel body/],
  ['KD-NO-KERNEL', () => { /*@*/region('part', () => {}); }, /is used outside of a kernel body/],
  ['KD-NESTED', body(() => { /*@*/kernel('inner', {}, () => ({})); }), 'kernel inner is traced inside of another kernel'],
  ['KD-NAME', () => { /*@*/kernel('my kernel', {}, () => ({})); }, "'my kernel' is not a usable name"],
  ['KD-NAME', () => { /*@*/kernel('k', { 'x-y': tensor('f32', 'N') }, () => ({})); }, "'x-y' is not a usable name"],
  ['KD-NAME', () => { /*@*/kernel('k', { x: tensor('f32', '2N') }, () => ({})); }, "'2N' is not a usable name"],
  ['KD-NAME', () => { /*@*/kernel('k', { N: tensor('f32', 'N') }, () => ({})); }, "'N' is not a usable name"],
  ['KD-NAME', body(({ N }) => { /*@*/axes({ 'i j': N }); }), "'i j' is not a usable name"],
  ['KD-NAME', body(({ x }) => { /*@*/named('1x', x.at(0)); }), "'1x' is not a usable name"],
  ['KD-NAME', body(() => { /*@*/scratch('f32', 'a b', 4); }), "'a b' is not a usable name"],
  ['KD-PARAM', () => { /*@*/kernel('k', { x: as<Any>('f32') }, () => ({})); }, "the parameter x of kernel k is 'f32'"],
  ['KD-PARAM', () => { /*@*/kernel('k', { x: as<Any>(undefined) }, () => ({})); }, 'the parameter x of kernel k is undefined'],
  ['KD-BODY', () => { /*@*/kernel('k', {}, as<() => Record<string, Axis>>(undefined)); }, 'the body of kernel k is undefined'],
  ['KD-BODY', () => { /*@*/kernel('k', {}, as<() => Record<string, Axis>>(async () => ({}))); }, 'the body of kernel k is an async function'],
  ['KD-BODY', () => { /*@*/kernel('k', {}, as<() => Record<string, Axis>>(() => 3)); }, 'the body of kernel k returns 3'],
  ['KD-BODY', () => { /*@*/kernel('k', {}, as<() => Record<string, Axis>>(() => ({ n: 3 }))); }, 'the body of kernel k returns an object that holds more than handles of loops'],
  ['KD-DIM', () => { /*@*/kernel('k', { x: tensor('f32', -1) }, () => ({})); }, 'the dimension -1 is -1'],
  ['KD-DIM', () => { /*@*/kernel('k', { x: tensor('f32', 2.5) }, () => ({})); }, 'the dimension 2.5 is 2.5'],
  ['KD-CONSTANT', () => { kernel('k', { T: constant(4) }, () => ({}))./*@*/with(as<{ T: number }>({ U: 3 })); }, 'k.with: U = 3, but U is no constant of the kernel'],
  ['KD-SUBGROUP-SIZE', () => { /*@*/kernel('k', {}, () => ({}), { subgroup: 24 }); }, 'a subgroup of 24 lanes'],
  // dtypes
  ['KD-DTYPE-NAME', () => { /*@*/tensor(as<DType>('float'), 'N'); }, "tensor: there is no dtype 'float'"],
  ['KD-DTYPE-NAME', () => { /*@*/scalar(as<DType>('int')); }, "scalar: there is no dtype 'int'"],
  ['KD-DTYPE-NAME', body(() => { /*@*/reg(as<DType>('f31'), 0); }), "reg: there is no dtype 'f31'"],
  ['KD-DTYPE-NAME', body(() => { /*@*/scratch(as<DType>(undefined), 't', 4); }), 'scratch: there is no dtype undefined'],
  ['KD-DTYPE-NAME', body(({ x }) => { x.at(0)./*@*/to(as<DType>('double')); }), "to: there is no dtype 'double'"],
  ['KD-DTYPE-NAME', body(() => { /*@*/value(as<DType>('i128'), 1); }), "value: there is no dtype 'i128'"],
  ['KD-DTYPE', body(({ x, N }) => { x.at(0)./*@*/add(as<Val<'f32'>>(N)); }), 'add: f32 and i64 do not mix'],
  ['KD-DTYPE', body(({ x, k }) => { x.at(0)./*@*/lt(as<Val<'f32'>>(k)); }), 'lt: f32 and i32 do not mix'],
  ['KD-DTYPE', body(({ y, b }) => { y.at(0)./*@*/set(as<Val<'f32'>>(b.at(0))); }), 'y.set: f32 and u8 do not mix'],
  ['KD-DTYPE', body(({ x }) => { x.at(0)./*@*/bits('u8'); }), 'bits: u8 and f32 do not mix'],
  ['KD-DTYPE', body(({ x, k }) => { /*@*/select(k.gt(0), x.at(0), as<Val<'f32'>>(k)); }), 'select: f32 and i32 do not mix'],
  ['KD-DTYPE', body(({ k }) => { /*@*/reg('f32', as<Val<'f32'>>(k)); }), 'reg: f32 and i32 do not mix'],
  ['KD-STORAGE', body(({ h }) => { h.at(0)./*@*/add(h.at(1)); }), 'f16 is a storage type, add cannot be computed in it'],
  ['KD-STORAGE', body(({ h }) => { h.at(0)./*@*/lt(h.at(1)); }), 'f16 is a storage type, lt cannot be computed in it'],
  ['KD-STORAGE', body(({ h }) => { h.at(0)./*@*/neg(); }), 'f16 is a storage type, neg cannot be computed in it'],
  ['KD-STORAGE', body(({ h }) => { /*@*/exp(as<Val<'f32'>>(h.at(0))); }), 'f16 is a storage type, exp cannot be computed in it'],
  ['KD-BOOL', body(({ x }) => { x.at(0).lt(1)./*@*/add(x.at(0).lt(2)); }), /add is not defined for bool/],
  ['KD-FLOAT', body(({ x }) => { x.at(0)./*@*/mod(2); }), /mod is not defined for f32/],
  ['KD-FLOAT', body(({ x }) => { x.at(0)./*@*/and(1); }), /and is not defined for f32/],
  ['KD-NOT-FLOAT', body(({ b }) => { /*@*/exp(as<Val<'f32'>>(b.at(0))); }), /exp is not defined for u8/],
  ['KD-NOT-INT', body(({ x }) => { /*@*/popcount(as<Val<'i32'>>(x.at(0))); }), /popcount is not defined for f32/],
  // operands
  ['KD-OPERAND', body(({ x }) => { x.at(0)./*@*/add(as<number>('2')); }), 'add got 2'],
  ['KD-OPERAND', body(({ y }) => { y.at(0)./*@*/set(as<number>(undefined)); }), 'y.set got undefined'],
  ['KD-OPERAND', body(({ x }) => { /*@*/select(x.at(0).gt(0), as<Val<'f32'>>(1), 2); }), 'select got two numbers'],
  ['KD-OPERAND', body(() => { /*@*/exp(as<Val<'f32'>>(3)); }), 'exp got 3'],
  ['KD-OPERAND', body(() => { /*@*/named('t', as<Val<'f32'>>(3)); }), 'named got 3'],
  ['KD-OPERAND', body(() => { /*@*/print(as<string>(1)); }), 'print got 1'],
  ['KD-OPERAND', body(({ x }) => { x./*@*/at(as<number>('i')); }), 'an index into x got i'],
  ['KD-OPERAND', body(() => { /*@*/value('f32', as<number>('1')); }), 'value got 1'],
  ['KD-CONST', body(({ b }) => { b.at(0)./*@*/and(256); }), '256 does not fit u8'],
  ['KD-CONST', body(({ k }) => { k./*@*/add(0.5); }), '0.5 does not fit i32'],
  ['KD-CONST', body(() => { /*@*/value('i8', 128); }), '128 does not fit i8'],
  ['KD-SHIFT', body(({ k }) => { k./*@*/shl(32); }), 'shl of i32 by 32 bits'],
  ['KD-SHIFT', body(({ k }) => { k./*@*/shr(-1); }), 'shr of i32 by -1 bits'],
  ['KD-DIV-ZERO', body(({ k }) => { k./*@*/div(0); }), 'div of i32 by zero'],
  ['KD-DIV-ZERO', body(({ N }) => { N./*@*/mod(0); }), 'mod of i64 by zero'],
  ['KD-JS-IF', body(({ x, y }) => { const v = as<number>(x.at(0)); y.at(0).set(/*@*/v + 1); }), 'a traced value was used as a JavaScript value'],
  ['KD-JS-IF', body(({ x }) => { const v = as<number>(x.at(0)); if (/*@*/v > 1) void x; }), 'a traced value was used as a JavaScript value'],
  // indices
  ['KD-RANK', body(({ x }) => { as<{ at(...i: number[]): void }>(x)./*@*/at(1, 2); }), 'x has 1 dimension(s), 2 index(es) were given'],
  ['KD-RANK', body(({ x }) => { as<{ at(...i: number[]): void }>(x)./*@*/at(); }), 'x has 1 dimension(s), 0 index(es) were given'],
  ['KD-INDEX', body(({ x, a }) => { x./*@*/at(as<Val<'i64'>>(a)); }), 'an index into x is f32'],
  ['KD-INDEX', body(({ x }) => { x./*@*/at(1.5); }), 'an index into x is 1.5'],
  ['KD-INDEX', body(({ a }) => { /*@*/axes({ i: as<Val<'i64'>>(a) }); }), 'an index into axis i is f32'],
  ['KD-INDEX-RANGE', body(({ x }) => { x./*@*/at(-1); }), 'x: index -1 of dimension 0 is outside of 0 to its extent - 1'],
  ['KD-INDEX-RANGE', body(({ n }) => { n./*@*/at(4); }), 'n: index 4 of dimension 0 is outside of 0 to 3'],
  ['KD-BYTES', body(({ x }) => { x./*@*/as('f16', 0); }), 'x is f32: bytes can be reinterpreted in u8 tensors only'],
  ['KD-READONLY', body(({ x }) => { x.at(0)./*@*/set(1); }), 'x is an input and cannot be written'],
  ['KD-READONLY', body(({ x }) => { x.at(0)./*@*/addAssign(1); }), 'x is an input and cannot be written'],
  ['KD-READONLY', body(({ x }) => { /*@*/atomicAdd(x.at(0), 1); }), 'x is an input and cannot be written'],
  ['KD-ATOMIC', body(() => { /*@*/atomicAdd(reg('f32', 0), 1); }), 'atomicAdd of the register acc'],
  ['KD-SCRATCH', body(() => { /*@*/scratch('f32', 't', 0); }), 'working memory t has the dimension 0'],
  ['KD-SCRATCH', body(({ N }) => { /*@*/scratch('f32', 't', as<number>(N)); }), 'working memory t has the dimension no number'],
  ['KD-PACKED', () => { kernel('k', { W: tensor('i4', 8).out() }, ({ W }) => { as<{ set(x: number): void }>(W.at(0))./*@*/set(1); return {}; }); }, /an element of W shares its byte/],
  // loops and branches
  ['KD-EXTENT', body(() => { /*@*/axes({ i: -1 }); }), 'the extent of axis i is -1'],
  ['KD-EXTENT', body(() => { /*@*/axes({ i: 2.5 }); }), 'the extent of axis i is 2.5'],
  ['KD-AXIS-TWICE', body(({ N }) => { const ax = axes({ i: N }); for (const i of ax.i) void i; for (const /*@*/i of ax.i) void i; }), 'axis i is looped over twice'],
  ['KD-BREAK', body(({ N }) => { const ax = axes({ i: N }); for (const /*@*/i of ax.i) { void i; break; } }), 'the loop over i was left before its end'],
  ['KD-AXIS-UNUSED', () => { kernel('k', { y: tensor('f32', 'N').out() }, ({ y, N }) => { const ax = /*@*/axes({ i: N, j: N }); for (const i of ax.i) y.at(i).set(0); return ax; }); }, 'the axis j is returned but never looped over'],
  ['KD-CONDITION', body(({ x }) => { /*@*/when(as<Val<'bool'>>(x.at(0)), () => {}); }), 'a condition of dtype f32'],
  ['KD-CONDITION', body(() => { /*@*/when(as<Val<'bool'>>(true), () => {}); }), 'a condition of dtype boolean'],
  ['KD-CONDITION', body(({ k }) => { /*@*/select(as<Val<'bool'>>(k), k, k); }), 'a condition of dtype i32'],
  ['KD-CONDITION', body(({ x }) => { /*@*/assume(as<Val<'bool'>>(x.at(0)), 't'); }), 'a condition of dtype f32'],
  ['KD-CONDITION', body(({ x }) => { for (const /*@*/_ of loopWhile(() => as<Val<'bool'>>(x.at(0)), { max: 3 })) void _; }), 'a condition of dtype f32'],
  ['KD-CALLBACK', body(({ k }) => { /*@*/when(k.gt(0), as<() => void>(undefined)); }), 'when got undefined where a plain function is needed'],
  ['KD-CALLBACK', body(({ k }) => { /*@*/when(k.gt(0), as<() => void>(async () => {})); }), 'when got an async function where a plain function is needed'],
  ['KD-CALLBACK', body(() => { /*@*/region('part', as<() => void>('copy')); }), "region got 'copy' where a plain function is needed"],
  ['KD-TEXT', body(({ N }) => { /*@*/assume(N.gt(0), as<string>(undefined)); }), 'assume has no text'],
  ['KD-TEXT', body(() => { /*@*/region('', () => {}); }), 'region has no text'],
  ['KD-SCOPE', body(({ x, y, N }) => { const ax = axes({ i: N }); let last!: Val<'i64'>; for (const i of ax.i) last = i; y.at(0).set(x./*@*/at(last)); }), 'i is used outside of the loop or branch that makes it'],
  ['KD-SCOPE', body(({ y, k }) => { let t!: Cell<'f32'>; when(k.gt(0), () => { t = reg('f32', 1, 't'); }); y.at(0)./*@*/set(t); }), 't is used outside of the loop or branch that makes it'],
  ['KD-SCOPE', body(({ x, y, k }) => { let t!: Val<'f32'>; when(k.gt(0), () => { t = named('twice', x.at(0).mul(2)); }); y.at(0)./*@*/set(t); }), 'twice is used outside of the loop or branch that makes it'],
  ['KD-FOREIGN', body(({ x, y }) => { y.at(0).set(x./*@*/at(other.v)); }), 'z belongs to another kernel'],
  ['KD-FOREIGN', body(({ y }) => { y.at(0).set(other.t./*@*/at(0)); }), 'q belongs to another kernel'],
  ['KD-ASSUME-PLACE', body(({ y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) { y.at(i).set(0); /*@*/assume(i.lt(7), 'few'); } }), 'an assumption about i stands in a loop that does other things'],
  ['KD-ASSUME-READS', body(() => { const r = reg('i32', 0, 'r'); /*@*/assume(r.gt(0), 'positive'); }), 'an assumption reads r, which is not there when the kernel is launched'],
  // workgroups
  ['KD-SHARED', body(() => { /*@*/shared('f32', 'tile', 4); }), 'shared memory tile is declared outside of the block loops'],
  ['KD-LANES', body(() => { /*@*/barrier(); }), 'barrier() is used outside of the lanes of a workgroup'],
  ['KD-LANES', body(({ x }) => { /*@*/subgroupAdd(x.at(0)); }), 'subgroupAdd is used outside of the lanes of a workgroup'],
  // schedules
  ['KD-S-TARGET', () => { /*@*/schedule(rows, as<ReturnType<typeof target>>('x86-64-v3'), () => {}); }, "schedule(rows) got 'x86-64-v3' as its target"],
  ['KD-S-AXIS', plan((s) => { s./*@*/split(as<Axis>('i'), 8); }), "split got 'i' where it needs the handle of a loop"],
  ['KD-S-AXIS', plan((s) => { s./*@*/parallel(as<{ q: Axis }>({}).q); }), 'parallel got undefined where it needs the handle of a loop'],
  ['KD-S-AXIS', plan((s, { i }) => { s./*@*/stage('x', as<Axis>('i'), 'pack'); void i; }), "stage got 'i' where it needs the handle of a loop"],
  ['KD-S-AXIS', plan((s, { a }) => { s./*@*/persistent(a, as<Axis>(undefined), { workgroups: 1, group: 1 }); }), 'persistent got undefined where it needs the handle of a loop'],
  ['KD-S-AXIS', plan((s, { a }) => { s./*@*/bind({ 'block.x': a, 'lane.x': as<Axis>(undefined) }); }), 'bind got undefined where it needs the handle of a loop'],
  ['KD-S-AXIS', plan((s, { a }) => { s./*@*/distribute([a, as<Axis>(3)], []); }), 'distribute got 3 where it needs the handle of a loop'],
  ['KD-S-BIND', plan((s, { a }) => { s./*@*/bind(as<Record<'block.x', Axis>>([a])); }), 'bind(0: a): there is no such place'],
  ['KD-S-ARGUMENT', plan((s, { a, b }) => { s./*@*/tile(a, b, as<[number, number]>(8)); }), 'tile got 8 as argument 3 where it needs two numbers'],
  ['KD-S-ARGUMENT', plan((s, { a }) => { s./*@*/tensorize(as<Parameters<Schedule['tensorize']>[0]>('vfmadd'), a); }), "tensorize got 'vfmadd' as argument 1 where it needs an instruction"],
  ['KD-S-ARGUMENT', plan((s, { a }) => { s./*@*/pipeline(a, as<number>('2')); }), "pipeline got '2' as argument 2 where it needs a number"],
  ['KD-S-CONSUMED', plan((s, { a }) => { s.split(a, 8); s./*@*/parallel(a); }), 'axis a no longer exists: split(a, 8) made ao and ai of it'],
  ['KD-S-UNKNOWN', plan((s, { a }) => { s./*@*/stage('nothing', a, 'pack'); }), 'tensor nothing is not part of this kernel'],
  ['KD-S-UNKNOWN', plan((s, { a }) => { s./*@*/stage('acc', a, 'pack'); }), 'tensor acc is not part of this kernel'],
  ['KD-S-FACTOR', plan((s, { a }) => { s./*@*/split(a, 0); }), 'split(a, 0): the factor must be an integer > 0'],
  ['KD-S-FACTOR', plan((s, { a }) => { s./*@*/split(a, 2.5); }), 'split(a, 2.5): the factor must be an integer > 0'],
  ['KD-S-TAIL', plan((s, { a }) => { s./*@*/split(a, 8, { tail: as<'peel'>('cut') }); }), "split(a): there is no tail 'cut'"],
  ['KD-S-ORDER', plan((s, { i, k }) => { s./*@*/reorder(k, i); }), 'reorder: k, i do not form one nest: statements lie between them'],
  ['KD-S-TWICE', plan((s, { a, b }) => { s./*@*/reorder(b, a, b); }), 'reorder: b is named twice'],
  ['KD-S-TWICE', plan((s, { a, b }) => { s./*@*/deal(a, [b, b]); }), 'deal: b is named twice'],
  ['KD-S-DEPENDS', plan((s, { a }) => { const [o, n] = s.split(a, 8); s./*@*/reorder(n, o); }), /cannot move/],
  ['KD-S-CARRIED', plan((s, { k }) => { s./*@*/parallel(k); }), /^parallel\(k\): iterations are not independent: acc\[\]/],
  ['KD-S-EXTENT', plan((s, { b }) => { s./*@*/vectorize(b); }), 'vectorize(b): its extent K is not a constant'],
  ['KD-S-EXTENT', plan((s, { b }) => { s./*@*/unroll(b); }), 'unroll(b): its extent K is not a constant'],
  ['KD-S-MARKED', plan((s, { a }) => { s.parallel(a); s./*@*/parallel(a); }), 'parallel(a): the loop is parallel already'],
  ['KD-S-MARKED', plan((s, { b }) => { const [, n] = s.split(b, 8, { tail: 'peel' }); s.vectorize(n); s./*@*/unroll(n); }), 'unroll(bi): the loop is vector already'],
  ['KD-S-NESTED-PARALLEL', plan((s, { a, b }) => { s.parallel(a); s./*@*/parallel(b); }), 'parallel(b): it lies inside of the parallel loop a'],
  ['KD-S-SPACE', plan((s, { a }) => { s./*@*/stage('z', a, as<'pack'>('heap')); }), 'stage(z): there is no space heap'],
  ['KD-S-IMAGE', plan((s, { a }) => { s./*@*/stage('x', a, 'image'); }), /^stage\(x, image\): .* has no images/],
  ['KD-S-BOUND', plan((s, { a }) => { s./*@*/stage('z', a, 'pack'); }), /no constant upper bound is known for the extent of b/],
  ['KD-S-STAGE-WHERE', plan((s, { i }) => { s./*@*/stage('u', i, 'pack'); }), 'stage(u): u is not used inside of i'],
  ['KD-S-STAGE-SHAPE', plan((s, { a }) => { s./*@*/stage('x', a, 'pack'); }), 'stage(x): it is accessed in different ways: x[a, b] and x[a, 0]'],
  ['KD-S-PANEL', plan((s, { i, k, b }) => { s.split(b, 8); s./*@*/stage('x', k, 'pack', { panel: i }); }), 'stage(x): panel axis i does not index it'],
  ['KD-S-PARTIAL', plan((s, { k }) => { s./*@*/stage('x', k, 'pack', { partial: true }); }), /^stage\(x\) cannot hold partial sums/],
  ['KD-S-RFACTOR', plan((s, { k }) => { s./*@*/rfactor('acc', k); }), 'rfactor(acc, k): the extent K of k is not a constant'],
  ['KD-S-RFACTOR', plan((s, { k }) => { const [, n] = s.split(k, 8, { tail: 'peel' }); s./*@*/rfactor('sum', n); }), /no such register/],
  ['KD-S-ENDED', () => { let kept!: Schedule, axis!: Axis; schedule(rows, target('x86-64-v3'), (s, ax) => { kept = s; axis = ax.a; }); kept./*@*/parallel(axis); }, 'parallel is called after the schedule has ended'],
  // verification
  ['KD-V-BOUNDS', check(({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(x./*@*/at(i.add(1))); return ax; }), 'x[i + 1]: index [1] is outside of x[N]'],
  ['KD-V-BOUNDS', check(({ x, y, N }) => { const ax = axes({ i: N.add(1) }); for (const i of ax.i) y.at(i)./*@*/set(x.at(0)); return ax; }), /^[xy]\[.*\]: index \[\d+\] is outside of [xy]\[N\]$/],
  ['KD-V-BOUNDS-OPEN', check(({ x, y, k, N }) => { assume(N.gt(100000), 'N > 100000'); y.at(0).set(x./*@*/at(k)); return {}; }), 'x[i64(k)]: it is not proved that i64(k) >= 0'],
  ['KD-V-DATA', check(({ x, y, n, N }) => { assume(N.gt(100000), 'N > 100000'); y.at(0).set(x./*@*/at(n.at(0))); return {}; }), 'x[i64(n[0])]: the index comes from n, and nothing tells its values'],
  ['KD-V-UNINIT', check(({ y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i)./*@*/addAssign(1); return ax; }), 'y[i] reads what nothing has written'],
  ['KD-V-UNINIT', check(({ y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) { const t = scratch('f32', 't', 2); t.at(0).set(1); y.at(i).set(t./*@*/at(1)); } return ax; }), 't[1] reads what nothing has written'],
  ['KD-V-RANGE', check(({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(x./*@*/at(i.mul(i).mul(i).min(i))); return ax; }), '(i * i) * i may leave the range of exact integers (2^53)'],
  ['KD-V-NO-WRITE', () => { requireVerified(/*@*/kernel('idle', { x: tensor('f32', 'N') }, () => ({}))); }, 'kernel idle writes nothing'],
  ['KD-V-OUT', () => { requireVerified(/*@*/kernel('half', { y: tensor('f32', 4).out(), z: tensor('f32', 4).out() }, ({ y }) => { y.at(0).set(1); return {}; })); }, 'kernel half never writes its output z'],
  // runs
  ['KD-RUN-OOB', () => { interpret(kernel('k', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => { const ax = axes({ i: N }); for (const i of ax.i) y.at(i).set(x./*@*/at(i.add(1))); return ax; }).ir, { x: floats(3), y: floats(3) }); }, /^load of x\[i \+ 1\]: index \[3\] is outside of x's shape \[3\]/],
  ['KD-RUN-UNINIT', () => { interpret(kernel('k', { y: tensor('f32', 'N').out() }, ({ y }) => { y.at(0)./*@*/mulAssign(2); return {}; }).ir, { y: floats(3) }); }, /reads the out parameter y/],
  ['KD-RUN-DIV', () => { interpret(kernel('k', { n: scalar('i32'), y: tensor('i32', 1).out() }, ({ n, y }) => { y.at(0).set(value('i32', 7)./*@*/div(n)); return {}; }).ir, { n: 0, y: { data: new Int32Array(1), shape: [1] } }); }, /zero/],
];

const FILE = fileURLToPath(import.meta.url), SOURCE = readFileSync(FILE, 'utf8');
/** The marked places, in the order of the cases. */
const MARKS = SOURCE.slice(SOURCE.indexOf('const CASES'), SOURCE.indexOf('const FILE')).split('/*@*/').slice(0, -1).reduce<{ at: number; list: { line: number; col: number }[] }>((m, part) => {
  const at = m.at + part.length + 5, before = SOURCE.slice(0, at).split('\n');
  return { at, list: [...m.list, { line: before.length, col: before.at(-1)!.length + 1 }] };
}, { at: SOURCE.indexOf('const CASES'), list: [] }).list;

const thrown = (f: () => void): DslError | RunError => {
  try { f(); } catch (e) {
    if (e instanceof DslError || e instanceof RunError) return e;
    throw e;
  }
  throw new Error('nothing was thrown');
};

describe('mistakes of authors', () => {
  it('are at least 100, one mark each', () => {
    expect(MARKS).toHaveLength(CASES.length);
    expect(CASES.length).toBeGreaterThanOrEqual(100);
  });
  it.each(CASES.map(([id, run, text], i) => [id, text, run, i] as const))('%s %s', (id, text, run, i) => {
    const e = thrown(run);
    expect(e.id).toBe(id);
    if (typeof text === 'string') expect(e.text).toBe(text); else expect(e.text).toMatch(text);
    expect(e.loc?.file).toBe(FILE);
    expect({ line: e.loc?.line, col: e.loc?.col }).toEqual(MARKS[i]);
    expect(e.fix).not.toMatch(/\{\w+\}/);
    expect(e.message).toContain(`fix: ${e.fix}`);
    if (id.startsWith('KD-S-') && id !== 'KD-S-TARGET') expect(e.step).toBeTruthy();
  });
  it('every id of the catalogue is asked for by name in a test', () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const text = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts')).map((f) => readFileSync(join(root, f), 'utf8')).join('\n');
    expect(Object.keys(CATALOGUE).filter((id) => !text.includes(id))).toEqual([]);
  });
});

describe('an error as text', () => {
  it('shows the line with a caret, the schedule step with its own, and the fix', () => {
    const e = thrown(plan((s, { a }) => { s.split(a, 8); s.parallel(a); }));
    const [head, arrow, rule, line, caret, step] = e.render((f) => (f === FILE ? SOURCE : undefined)).split('\n');
    expect(head).toBe('KD-S-CONSUMED axis a no longer exists: split(a, 8) made ao and ai of it');
    expect(arrow).toBe(`  --> ${FILE}:${e.loc!.line}:${e.loc!.col}`);
    expect(rule).toMatch(/^ +\|$/);
    expect(line).toContain('s.parallel(a)');
    expect(line!.slice(caret!.indexOf('^')).startsWith('parallel(a)')).toBe(true);
    expect(step).toBe('  in parallel(a)');
  });
  it('goes without the lines where there is no source', () => {
    const e = thrown(body(({ x }) => { x.at(0).set(1); }));
    expect(e.render(() => undefined)).toBe(e.message);
  });
});
