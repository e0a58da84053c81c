import { describe, expect, it } from 'vitest';
import { add, bitcast, cast, constant, dot4, load, mul, newVar, printKernel, printStmt, sub } from '../../src/ir/index.ts';
import type { KernelIR, Stmt } from '../../src/ir/index.ts';
import { PASSES, fma, lower, registers, unroll, vectorize } from '../../src/passes/index.ts';
import { accum, alloc, buffer, kernel, letStmt, loop, lowered, machine, N, store, v } from './helpers.ts';

const c = constant, i = v('i'), j = v('j');
const x = buffer('x', [N]), y = buffer('y', [N, N]), d = buffer('d', [N], { dtype: 'f64' }), h = buffer('h', [N], { dtype: 'f16' }), u = buffer('u', [N], { dtype: 'u8' });
const k = (...b: Stmt[]): KernelIR => kernel([x, y, d, h, u], b);
const text = (a: KernelIR): string => printStmt(a.body);

describe('unroll', () => {
  it('copies the body, with new names in every copy', () => {
    const t = newVar('t', 'f32');
    expect(text(unroll(k(loop(i, c(2), 'unroll', [letStmt(t, load(x, [i])), store(x, [add(i, c(4))], t)])))))
      .toBe('t_0 = x[0]\nx[4] = t_0\nt_1 = x[1]\nx[5] = t_1\n');
  });
  it('lets the extent of an inner loop depend on an outer one', () => {
    expect(text(unroll(k(loop(i, c(3), 'unroll', [loop(j, i, 'unroll', [store(y, [i, j], c(0, 'f32'))])])))).match(/y\[\d, \d\]/g))
      .toEqual(['y[1, 0]', 'y[2, 0]', 'y[2, 1]']);
  });
});

describe('vectorize', () => {
  const vec = (n: number, body: readonly Stmt[], vecBytes = 32): string => text(vectorize(k(loop(i, c(n), 'vector', body)), machine(vecBytes)));
  it('cuts a loop into vectors of the widest dtype in it', () => {
    expect(vec(16, [store(x, [i], c(1, 'f32'))])).toBe('xx8[0] = splatx8(1f32)\nxx8[8] = splatx8(1f32)\n');
    expect(vec(8, [store(d, [i], cast(load(x, [i]), 'f64'))])).toBe('dx4[0] = f64x4(xx4[0])\ndx4[4] = f64x4(xx4[4])\n');
    expect(vec(8, [store(x, [i], cast(load(h, [i]), 'f32'))])).toBe('xx8[0] = f32x8(hx8[0])\n');
    expect(vec(7, [store(x, [i], c(1, 'f32'))])).toBe('xx4[0] = splatx4(1f32)\nxx2[4] = splatx2(1f32)\nx[6] = 1f32\n');
  });
  it('loads rows as vectors, one element as a broadcast, columns and strides by gather', () => {
    expect(vec(4, [store(x, [i], load(y, [j, add(i, c(3))]))])).toBe('xx4[0] = yx4[j, 3]\n');
    expect(vec(4, [store(x, [i], load(y, [j, j]))])).toBe('xx4[0] = splatx4(y[j, j])\n');
    expect(vec(4, [store(x, [i], load(y, [i, j]))])).toBe('xx4[0] = yx4[rampx4(0, 1), j]\n');
    expect(vec(4, [store(x, [mul(i, N)], load(x, [sub(N, i)]))])).toBe('xx4[rampx4(0, N)] = xx4[rampx4(N, -1)]\n');
  });
  it('reads bytes as wider elements in a row', () => {
    expect(vec(8, [store(x, [i], cast(load(u, [add(mul(i, c(2)), j)], { as: 'f16' }), 'f32'))])).toBe('xx8[0] = f32x8(u.f16x8[j])\n');
    expect(vec(8, [store(x, [i], cast(load(u, [mul(i, c(3))], { as: 'f16' }), 'f32'))])).toContain('u.f16x8[rampx8(0, 3)]');
  });
  it('gives registers made inside a lane dimension, and enters loops inside once', () => {
    const r = buffer('r', [], { space: 'reg' });
    expect(vec(16, [alloc(r), store(r, [], c(0, 'f32')), loop(j, N, 'seq', [accum(r, [], load(y, [j, i]))]), store(x, [i], load(r, []))])).toBe([
      'reg r: f32[16]', 'rx8[0] = splatx8(0f32)', 'rx8[8] = splatx8(0f32)', 'for j in 0..N:', '  rx8[0] += yx8[j, 0]', '  rx8[8] += yx8[j, 8]', 'xx8[0] = rx8[0]', 'xx8[8] = rx8[8]', '',
    ].join('\n'));
  });
  it('cuts loops that share registers alike', () => {
    const r = buffer('r', [c(8)], { space: 'reg' }), i2 = v('i');
    const out = text(vectorize(k(alloc(r), loop(i, c(8), 'vector', [store(r, [i], c(0, 'f32'))]), loop(i2, c(8), 'vector', [store(d, [i2], cast(load(r, [i2]), 'f64'))])), machine(32)));
    expect(out.match(/rx4\[\d\]/g)).toEqual(['rx4[0]', 'rx4[4]', 'rx4[0]', 'rx4[4]']);
  });
});

describe('fma', () => {
  const e = (value: ReturnType<typeof add>, fused = true): string => text(fma(k(store(x, [i], value)), machine(16, fused))).trim().slice('x[i] = '.length);
  const a = load(x, [c(0)]), b = load(x, [c(1)]), s = load(x, [c(2)]);
  it('fuses products that are added or subtracted, where the target can', () => {
    expect(e(add(mul(a, b), s))).toBe('fma(x[0], x[1], x[2])');
    expect(e(add(s, mul(a, b)))).toBe('fma(x[0], x[1], x[2])');
    expect(e(sub(s, mul(a, b)))).toBe('fma(-x[0], x[1], x[2])');
    expect(e(sub(mul(a, b), s))).toBe('fma(x[0], x[1], -x[2])');
    expect(e(add(mul(a, b), s), false)).toBe('(x[0] * x[1]) + x[2]');
    expect(e(cast(add(mul(i, i), i), 'f32'))).toBe('f32((i * i) + i)');
  });
  it('turns accumulation into stores, the old value first', () => {
    expect(text(fma(k(accum(x, [i], mul(a, b))), machine(16)))).toBe('x[i] = fma(x[0], x[1], x[i])\n');
    expect(text(fma(k({ kind: 'accum', fn: 'max', buf: x, index: [i], value: a }), machine(16)))).toBe('x[i] = max(x[i], x[0])\n');
  });
  it('accumulates inside of dot4', () => {
    const p = buffer('p', [N], { dtype: 'i32' }), bytes = bitcast(load(p, [c(0)]), 'u32');
    expect(text(fma(k(accum(p, [i], dot4(c(0, 'i32'), bytes, load(p, [c(1)])))), machine(16)))).toBe('p[i] = dot4(p[i], bits_u32(p[0]), p[1])\n');
  });
});

describe('registers', () => {
  it('names each register by its row and its place in the row', () => {
    const r = buffer('C_reg', [c(2), c(8)], { space: 'reg' }), one = c(1, 'f32');
    const out = text(registers(vectorize(unroll(k(alloc(r), loop(j, c(2), 'unroll', [loop(i, c(8), 'vector', [store(r, [j, i], one)])]))), machine(16))));
    expect(out.match(/reg \w+: \S+/g)).toEqual(['reg C_0_0: f32[4]', 'reg C_0_1: f32[4]', 'reg C_1_0: f32[4]', 'reg C_1_1: f32[4]']);
  });
  it('keeps scalars, and moves aside from names in use', () => {
    const r = buffer('acc', [], { space: 'reg' }), s = buffer('x_reg', [c(2)], { space: 'reg' });
    expect(text(registers(k(alloc(r), store(r, [], c(0, 'f32')), store(x, [c(0)], load(r, [])))))).toContain('reg acc: f32[]\nacc[] = 0f32');
    const taken = kernel([buffer('x_0', [N])], [alloc(s), store(s, [c(0)], c(0, 'f32')), store(s, [c(1)], c(0, 'f32'))]);
    expect(text(registers(taken)).match(/reg \w+/g)).toEqual(['reg x_0_', 'reg x_1']);
  });
});

describe('lower', () => {
  it('shows the kernel after each pass, in order', () => {
    const seen: string[] = [], kern = k(loop(i, c(8), 'vector', [accum(x, [i], load(y, [j, i]))]));
    const out = lower(kern, machine(32), { dump: (pass, a) => { seen.push(pass); if (pass === 'vectorize') expect(printKernel(a)).toContain('xx8[0] +='); } });
    expect(seen).toEqual(PASSES.map((p) => p.name));
    expect(printKernel(lowered(out))).toContain('xx8[0] = xx8[0] + yx8[j, 0]');
  });
});
