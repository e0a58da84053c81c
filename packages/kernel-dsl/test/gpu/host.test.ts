import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/emit/gpu/index.ts';
import { binary, cast, ceilDiv, compare, constant, load, newBuffer, newVar, select, size } from '../../src/ir/index.ts';
import { GPU_TARGETS, TARGETS, target, targetsFor } from '../../src/targets/index.ts';

const v = newVar('round'), buf = newBuffer({ name: 'x', dtype: 'f32', space: 'param', shape: [size('N')] });
const at = { sizes: { N: 100 }, strides: { x: [3] }, scalars: { a: 2.75, flag: 1 }, vars: new Map([[v.id, 7]]) };

describe('evaluate', () => {
  it.each([
    ['sizes', ceilDiv(size('N'), 64), 2],
    ['strides', { kind: 'stride', dtype: 'i64', lanes: 1, buf, dim: 0 } as const, 3],
    ['variables of the plan', binary('sub', size('N'), v), 93],
    ['floor division', binary('div', binary('sub', constant(0), size('N')), constant(64)), -2],
    ['scalars, truncated', cast({ kind: 'scalar', name: 'a', dtype: 'f32', lanes: 1 }, 'i64'), 2],
    ['wrapping integers', binary('add', cast(size('N'), 'u8'), constant(200, 'u8')), 44],
    ['conditions', select(compare('lt', v, constant(8)), size('N'), constant(0)), 100],
  ])('%s', (_, e, want) => { expect(evaluate(e, at)).toBe(want); });
  it('tells what it lacks', () => {
    expect(() => evaluate(size('M'), at)).toThrow('M on the host: it is not given');
    expect(() => evaluate(newVar('i'), at)).toThrow('i on the host');
    expect(() => evaluate(load(buf, [constant(0)]), at)).toThrow('x[0] on the host: a load');
    expect(() => evaluate(binary('mod', size('N'), binary('sub', v, v)), at)).toThrow('divides by zero');
  });
});

describe('targets of GPUs', () => {
  it('are found by name and stay out of the lists of CPUs', () => {
    for (const t of GPU_TARGETS) { expect(target(t.isa)).toBe(t); expect(TARGETS).not.toContain(t); expect(t.gpu).toBeDefined(); }
    expect(TARGETS.every((t) => t.gpu === undefined)).toBe(true);
    expect(targetsFor('x64').every((t) => t.gpu === undefined)).toBe(true);
    expect(() => target('cuda-sm10')).toThrow(/cuda-sm90a/);
  });
});
