import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { axes, kernel, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { constant, load, newBuffer, printKernel } from '../../src/ir/index.ts';
import { kernelOf, store } from '../run/helpers.ts';
import { COMPILERS, RUNNABLE, sameAsInterpreter } from './harness.ts';
import { unpack, cases } from './packed-cases.ts';

describe('four-bit integers', () => {
  it('have the lower half of a byte first; i4 is signed', () => {
    const V = new Int8Array(4), U = new Uint8Array([0x21, 0x43]), k = unpack.ir;
    interpret(k, { W: { data: new Uint8Array([0x8f, 0x07]), shape: [1, 4] }, V: { data: V, shape: [1, 4] }, U: { data: U, shape: [1, 4] }, T: { data: new Uint8Array(2), shape: [2, 1] }, G: { data: new Uint8Array(2), shape: [2] } });
    expect([...V]).toEqual([-3, -24, 21, 0]);
    expect([...U]).toEqual([0xf2, 0x74]);
  });
  it.each(RUNNABLE.filter((t) => t.isa !== 'x86-64-v4-vnni').map((t, i) => ({ isa: t.isa, t, compilers: spread(COMPILERS, 1, i + 1) })))('are those of the interpreter in C: $isa', ({ t, compilers }) => { sameAsInterpreter(cases(t), t, { compilers }); });
  it('written in vectors wider than a register are cut at bytes', () => {
    const q = newBuffer({ name: 'q', dtype: 'u8', packed: 'u4', space: 'param', shape: [constant(64)], access: 'out' }), x = newBuffer({ name: 'x', dtype: 'u8', space: 'param', shape: [constant(32)], access: 'in' });
    const k = kernelOf([x, q], [store(q, [constant(0)], load(x, [constant(0)], { lanes: 32 }))]), bytes32 = Uint8Array.from({ length: 32 }, (_, i) => i * 7), got = new Uint8Array(32);
    const low = lower(k, target('x86-64'));
    interpret(low, { x: { data: bytes32, shape: [32] }, q: { data: got, shape: [64] } });
    expect([...got]).toEqual([...bytes32]);
    expect(printKernel(low)).toContain('qx16[32] = xx16[16]');
  });
  it('rows begin at whole bytes, and no byte is written twice', () => {
    const args = { V: { data: new Int8Array(6), shape: [2, 3] }, U: { data: new Uint8Array(4), shape: [2, 3] }, T: { data: new Uint8Array(1), shape: [1, 2] }, G: { data: new Uint8Array(1), shape: [1] } };
    const W = { data: new Uint8Array(4), shape: [2, 3] };
    interpret(unpack.ir, { ...args, W });
    expect(() => interpret(unpack.ir, { ...args, W: { ...W, strides: [3, 1] } })).toThrow(/KD-RUN-ARG .* must be even/s);
    expect(() => interpret(unpack.ir, { ...args, W: { data: new Uint8Array(3), shape: [2, 3] } })).toThrow(/KD-RUN-OOB/);
    expect(() => interpret(unpack.ir, { ...args, W, U: { data: W.data, shape: [2, 3] } })).toThrow(/KD-RUN-ALIAS/);
    const clash = kernel('clash', { U: tensor('u4', 2, 8).out() }, ({ U }) => { const ax = axes({ i: 4 }); for (const i of ax.i) U.pair(i.div(2), i.mod(2)).set(1, i.to('u8')); return ax; });
    expect(() => schedule(clash, RUNNABLE[0]!, (s, { i }) => s.vectorize(i))).toThrow(/KD-S-CARRIED/);
    // A pair takes the next element too, which another iteration reads.
    const chain = kernel('chain', { U: tensor('u4', 18).inout() }, ({ U }) => { const ax = axes({ i: 8 }); for (const i of ax.i) U.pair(i.add(1)).set(U.at(i.mul(2).add(1)), 0); return ax; });
    expect(() => schedule(chain, RUNNABLE[0]!, (s, { i }) => s.vectorize(i))).toThrow(/KD-S-CARRIED/);
    const own = kernel('own', { U: tensor('u4', 16).inout() }, ({ U }) => { const ax = axes({ i: 8 }); for (const i of ax.i) U.pair(i).set(U.at(i.mul(2).add(1)), U.at(i.mul(2))); return ax; });
    expect(() => schedule(own, RUNNABLE[0]!, (s, { i }) => s.vectorize(i))).not.toThrow();
  });
});
