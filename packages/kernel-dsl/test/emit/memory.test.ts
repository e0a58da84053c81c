import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import type { Expr, KernelIR, Stmt } from '../../src/ir/index.ts';
import { binary, bytesOf, compare, constant, load, lt, size } from '../../src/ir/index.ts';
import { EmitError } from '../../src/emit/index.ts';
import { emitKernelC } from '../../src/emit/c/index.ts';
import { target } from '../../src/targets/index.ts';
import { accum, alloc, kernelOf, loop, memory, param, store } from '../run/helpers.ts';
import { COMPILERS, RUNNABLE, compile, runLibrary, sameAsInterpreter } from './harness.ts';
import { assembleFileC } from '../../src/emit/c/index.ts';
import { joinCase, c0, f32, accessCase, bytesCase, rampCase, parallelCase, namesCase } from './memory-cases.ts';

describe('memory gives the bits of the interpreter', () => {
  it.each(RUNNABLE.filter((t) => t.isa !== 'x86-64-v4-vnni').map((t, i) => ({ isa: t.isa, t, compilers: spread(COMPILERS, 1, i) })))('$isa', ({ t, compilers }) => {
    const lanes = [...new Set([4, t.vecBytes / bytesOf('f32')])];
    const text = sameAsInterpreter([...lanes.flatMap((n) => [accessCase(n), bytesCase(n), rampCase(n)]), parallelCase(), namesCase(), joinCase()], t, { compilers });
    expect(text).not.toContain('undefined');
  });
});

describe('a launch', () => {
  const N = size('N');
  const assuming = (): KernelIR => {
    const y = param('y', 'f32', ['N'], 'out');
    const must = (cond: Expr, text: string): Stmt => ({ kind: 'assume', cond, text });
    return kernelOf([y], [must(compare('eq', binary('mod', N, constant(4)), constant(0)), 'N is a multiple of 4'), must(lt(N, constant(100)), 'N < 100'), loop('i', N, (i) => [store(y, [i], constant(1, 'f32'))])], 'assuming');
  };

  it('that violates an assumption returns its number and writes nothing', () => {
    const k = assuming(), t = target('x86-64'), e = emitKernelC(k, t), lib = compile(assembleFileC([e], t), t.cflags);
    const launch = (n: number): { rc: number; y: number } => {
      const y = f32([n], 1), before = y.data[0], [rc] = runLibrary(lib, [{ symbol: e.symbol, k, args: { y }, memory: e.meta }]);
      return { rc: rc!, y: Number(y.data[0]) === Number(before) ? 0 : 1 };
    };
    expect([8, 9, 100].map(launch)).toEqual([{ rc: 0, y: 1 }, { rc: 1, y: 0 }, { rc: 2, y: 0 }]);
    expect(e.meta.assumptions).toEqual(['N is a multiple of 4', 'N < 100']);
  });

  it('is told how much memory the kernel takes: 64-byte pieces, those of one place at a time', () => {
    const { meta } = emitKernelC(parallelCase().k, target('x86-64-v3'));
    expect([meta.sharedBytes, meta.scratchBytes]).toEqual([256 + 128, 320 + 64]);
  });

  it('knows the order of everything it passes', () => {
    const { meta } = emitKernelC(accessCase(4).k, target('x86-64-v3'));
    expect(meta).toEqual({
      name: 'access_4', sizes: ['M', 'N'], scratchBytes: 0, sharedBytes: 0, assumptions: [],
      params: [
        { kind: 'tensor', name: 'A', dtype: 'f32', shape: ['M', 'N'], access: 'in', strided: true }, { kind: 'tensor', name: 'T', dtype: 'i64', shape: [4], access: 'in', strided: false },
        { kind: 'tensor', name: 'Y', dtype: 'f32', shape: ['M', 5, 'N'], access: 'inout', strided: false }, { kind: 'tensor', name: 'Z', dtype: 'f32', shape: ['M', 'N'], access: 'inout', strided: true },
      ],
    });
  });
});

describe('what cannot be printed', () => {
  const t = target('x86-64'), y = param('y', 'f32', ['N'], 'inout'), where = { file: 'a.ts', line: 3, col: 1 };
  const one = (i: Expr): Stmt => store(y, [i], constant(1, 'f32'));
  it.each([
    ['a loop that is not lowered', [loop('i', 'N', (i) => [one(i)], 'unroll')], 'not lowered: loop i is still unroll'],
    ['a loop of a GPU', [{ ...loop('i', 'N', (i) => [one(i)], 'block.x'), loc: where } as Stmt], 'the loop i is block.x in C'],
    ['a barrier', [{ kind: 'barrier', scope: 'workgroup', loc: where } satisfies Stmt], 'a workgroup barrier in C'],
  ])('%s is refused', (_, body, message) => {
    expect(() => emitKernelC(kernelOf([y], body), t)).toThrow(EmitError);
    expect(() => emitKernelC(kernelOf([y], body), t)).toThrow(message);
  });

  it('a register that several iterations of a parallel loop would write is refused', () => {
    const r = memory('r', 'f32', [], 'reg');
    const body = [alloc(r), store(r, [], constant(0, 'f32')), loop('i', 'N', (i) => [accum('add', r, [], load(y, [i]))], 'parallel'), store(y, [c0], load(r, []))];
    expect(() => emitKernelC(kernelOf([y], body), t)).toThrow('register r is written inside of a parallel loop');
  });
});
