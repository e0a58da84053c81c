/** Where a barrier cannot stand, the schedule is refused; many uses in deep nests are no matter of minutes. */
import { expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import { binary, block, compare, constant, load, newBuffer, newVar, size } from '../../src/ir/index.ts';
import type { KernelIR, Stmt } from '../../src/ir/index.ts';
import { placeBarriers } from '../../src/schedule/barriers.ts';
import type { State } from '../../src/schedule/state.ts';
import { target } from '../../src/targets/index.ts';

it('a copy and its use inside of a branch that not all lanes take', () => {
  const y = newBuffer({ name: 'y', dtype: 'f32', space: 'param', shape: [size('N')], access: 'out' }), tile = newBuffer({ name: 'tile', dtype: 'f32', space: 'shared', shape: [constant(8)] });
  const b = newVar('b'), t = newVar('t'), mirror = binary('sub', constant(3), t);
  const inside = (when: Stmt): KernelIR => ({
    name: 'k', params: [{ kind: 'tensor', name: 'y', buf: y }], sizes: ['N'],
    body: { kind: 'for', v: b, extent: size('N'), loop: 'block.x', body: block([{ kind: 'alloc', buf: tile }, { kind: 'for', v: t, extent: constant(8), loop: 'lane.x', body: when }]) },
  });
  const work = block([{ kind: 'store', buf: tile, index: [t], value: constant(1, 'f32') }, { kind: 'store', buf: y, index: [b], value: load(tile, [mirror]) }]);
  const state = (ir: KernelIR): State => ({ ir, target: target('cuda-sm80'), consumed: new Map(), twins: new Map(), filled: new Set([tile.id]), dealt: new Set(), reassociates: false });
  const refused = (): void => placeBarriers(state(inside({ kind: 'if', cond: compare('lt', t, constant(4)), then: work })), { loc: undefined, step: 'place barriers' });
  expect(refused).toThrow(DslError);
  expect(refused).toThrow(/KD-S-BARRIER tile\[t\] and tile\[\(?3 - t\)?\] .*differs from lane to lane/);
  const fine = state(inside({ kind: 'if', cond: compare('lt', b, constant(4)), then: work }));
  placeBarriers(fine, { loc: undefined, step: 'place barriers' });
  expect(JSON.stringify(fine.ir.body)).toContain('"barrier"');
});

it('many uses of one tensor in a deep nest', () => {
  const y = newBuffer({ name: 'y', dtype: 'f32', space: 'param', shape: [size('N'), constant(64)], access: 'inout' });
  const b = newVar('b'), t = newVar('t');
  let body: Stmt = block(Array.from({ length: 80 }, (_, i): Stmt => ({ kind: 'accum', fn: 'add', buf: y, index: [b, t], value: constant(i, 'f32') })));
  for (let depth = 0; depth < 7; depth++) body = { kind: 'for', v: newVar(`i${depth}`), extent: constant(2), loop: 'seq', body };
  const ir: KernelIR = {
    name: 'k', params: [{ kind: 'tensor', name: 'y', buf: y }], sizes: ['N'],
    body: { kind: 'for', v: b, extent: size('N'), loop: 'block.x', body: { kind: 'for', v: t, extent: constant(64), loop: 'lane.x', body } },
  };
  const state: State = { ir, target: target('cuda-sm80'), consumed: new Map(), twins: new Map(), filled: new Set(), dealt: new Set(), reassociates: false }, start = process.cpuUsage(); // not the clock: other tests run beside this one
  placeBarriers(state, { loc: undefined, step: 'place barriers' });
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(5000);
  expect(JSON.stringify(state.ir.body)).not.toContain('"barrier"');
});
