/** Barriers order device memory where lanes exchange values through it, and nothing but shared memory elsewhere. */
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { axes, barrier, kernel, tensor } from '../../src/lang/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { target } from '../../src/targets/index.ts';
import { transpose } from './kernels.ts';

/** One workgroup of 8 lanes. Each writes an element; after the barrier each reads another's, writes another's, or takes another round. */
const exchanging = (how: 'reads' | 'writes' | 'rounds'): Kernel => kernel(how, { x: tensor('f32', 16).inout(), y: tensor('f32', 8).out() }, ({ x, y }) => {
  const ax: { readonly b: Axis; readonly l: Axis; readonly r?: Axis } = how === 'rounds' ? axes({ b: 1, l: 8, r: 2 }) : axes({ b: 1, l: 8 });
  for (const _ of ax.b.bind('block.x')) for (const l of ax.l.bind('lane.x')) {
    if (ax.r) { for (const r of ax.r) { x.at(l.add(r.mul(8))).set(1); barrier(); } continue; }
    x.at(l).set(1);
    barrier();
    if (how === 'reads') y.at(l).set(x.at(l.mul(-1).add(7)));
    else x.at(l.mul(-1).add(7)).set(2);
  }
  return ax;
});
const text = (k: Kernel, isa: string): string => { const t = target(isa); return emitGpu(lower(k.ir, t), t).source; };

describe('what barriers order', () => {
  it('shared memory alone, where device memory is read before and written after', () => {
    expect(text(transpose, 'opencl')).toMatch(/barrier\(CLK_LOCAL_MEM_FENCE\);/);
    expect(text(transpose, 'wgsl')).not.toContain('storageBarrier');
  });
  it.each(['reads', 'writes', 'rounds'] as const)('device memory too, where another lane comes after: %s', (how) => {
    expect(text(exchanging(how), 'opencl')).toContain('barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);');
    expect(text(exchanging(how), 'wgsl')).toContain('storageBarrier();');
  });
});
