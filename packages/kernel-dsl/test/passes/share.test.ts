import { describe, expect, it } from 'vitest';
import { add, binary, broadcast, cast, compare, constant, load, mul, newVar, printStmt, select, sub } from '../../src/ir/index.ts';
import type { Stmt } from '../../src/ir/index.ts';
import { share } from '../../src/passes/index.ts';
import { alloc, buffer, kernel, letStmt, loop, N, store, v } from './helpers.ts';

const c = constant, i = v('i');
const A = buffer('A_pack', [N]), y = buffer('y', [N]), z = buffer('z', [N]);
const body = (...b: Stmt[]): string => printStmt(share(kernel([A, y, z], b)).body);
const a0 = load(A, [c(0)]);

describe('share', () => {
  it('names a load that occurs again, just before its first use', () => {
    expect(body(store(z, [c(9)], c(1, 'f32')), store(y, [c(0)], mul(a0, c(2, 'f32'))), store(y, [c(1)], a0)))
      .toBe('z[9] = 1f32\na0 = A_pack[0]\ny[0] = a0 * 2f32\ny[1] = a0\n');
  });
  it('shares the largest value: its parts are named only if they are used elsewhere', () => {
    const e = mul(a0, load(A, [c(1)])), twice = add(e, sub(e, a0));
    expect(body(store(y, [c(0)], twice))).toBe('a0 = A_pack[0]\nt0 = a0 * A_pack[1]\ny[0] = t0 + (t0 - a0)\n');
  });
  it('shares a broadcast as the vector', () => {
    const b = broadcast(a0, 4);
    expect(body(store(y, [c(0)], b), store(y, [c(4)], mul(b, b)))).toBe('a0 = splatx4(A_pack[0])\nyx4[0] = a0\nyx4[4] = a0 * a0\n');
  });
  it('loads again after a store to the buffer, and only to that buffer', () => {
    const l = load(y, [c(0)]);
    expect(body(store(z, [c(0)], l), store(y, [c(1)], l), store(z, [c(1)], l)))
      .toBe('y0 = y[0]\nz[0] = y0\ny[1] = y0\nz[1] = y[0]\n');
  });
  it('leaves registers, index arithmetic, conditions and constants alone', () => {
    const r = buffer('r', [], { space: 'reg' }), index = add(mul(i, c(4)), N), cond = compare('lt', i, N);
    const text = body(alloc(r), store(r, [], c(0, 'f32')), loop(i, N, 'seq', [
      store(y, [index], select(cond, load(r, []), c(1, 'f32'))), store(z, [index], select(cond, c(2, 'f32'), load(r, []))),
    ]));
    expect(text).not.toMatch(/ t0 =| r0 =| y0 =/);
  });
  it('knows a register by its content: what was computed from the old one is computed again', () => {
    const r = buffer('r', [], { space: 'reg' }), e = mul(load(r, []), a0);
    expect(body(alloc(r), store(y, [c(0)], e), store(r, [], e), store(y, [c(1)], e)))
      .toBe('reg r: f32[]\na0 = A_pack[0]\nt0 = r[] * a0\ny[0] = t0\nr[] = t0\ny[1] = r[] * a0\n');
  });
  it('uses the names that are there, and drops second names', () => {
    const s = newVar('s', 'f32'), t = newVar('t', 'f32');
    expect(body(letStmt(s, a0), letStmt(t, a0), store(y, [c(0)], mul(t, c(2, 'f32'))), loop(i, N, 'seq', [store(y, [i], t)])))
      .toBe('s = A_pack[0]\ny[0] = s * 2f32\nfor i in 0..N:\n  y[i] = s\n');
  });
  it('does not share into or across a loop, and does not reuse a visible name', () => {
    const again = loop(i, N, 'seq', [store(y, [i], mul(a0, a0))]);
    expect(body(store(z, [c(0)], mul(a0, a0)), again, store(z, [c(1)], a0)))
      .toBe('a0 = A_pack[0]\nz[0] = a0 * a0\nfor i in 0..N:\n  a1 = A_pack[0]\n  y[i] = a1 * a1\nz[1] = A_pack[0]\n');
  });
  it('tells -0 from 0 and lanes from lanes', () => {
    const f = (x: number): ReturnType<typeof binary> => binary('max', a0, c(x, 'f32'));
    expect(body(store(y, [c(0)], f(0)), store(y, [c(1)], f(-0))).match(/max/g)).toHaveLength(2);
    expect(body(store(y, [c(0)], broadcast(a0, 4)), store(y, [c(8)], broadcast(a0, 8)))).toContain('splatx8(a0)');
    expect(body(store(y, [c(0)], cast(cast(a0, 'i32'), 'f32')), store(y, [c(1)], a0))).toContain('f32(i32(a0))');
  });
});
