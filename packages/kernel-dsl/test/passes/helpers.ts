import { newBuffer, newVar, size, specViolation } from '../../src/ir/index.ts';
import type { Buffer, DType, Expr, KernelIR, LoopKind, Param, Space, Stmt, Var } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';

/** A made-up machine, so that tests do not hang on the real ones. */
export const machine = (vecBytes: number, fma = true): Target => ({ arch: undefined, isa: 'test', vecBytes, fma, vectorRegisters: 32, features: [], adds: [], instructions: [], cflags: [] });

export const buffer = (name: string, shape: readonly Expr[], o: { dtype?: DType; space?: Space; access?: Buffer['access'] } = {}): Buffer =>
  newBuffer({ name, dtype: o.dtype ?? 'f32', space: o.space ?? 'param', shape, access: o.access ?? 'inout' });
export const loop = (v: Var, extent: Expr, kind: LoopKind, body: readonly Stmt[]): Stmt => ({ kind: 'for', v, extent, loop: kind, body: body.length === 1 ? body[0]! : { kind: 'block', body } });
export const store = (buf: Buffer, index: readonly Expr[], value: Expr): Stmt => ({ kind: 'store', buf, index, value });
export const accum = (buf: Buffer, index: readonly Expr[], value: Expr): Stmt => ({ kind: 'accum', fn: 'add', buf, index, value });
export const alloc = (buf: Buffer): Stmt => ({ kind: 'alloc', buf });
export const letStmt = (v: Var, value: Expr): Stmt => ({ kind: 'let', v, value });
export const N: Expr = size('N');
export const v = (name: string): Var => newVar(name);

/** A kernel over tensor parameters with the size N. */
export function kernel(params: readonly (Buffer | { readonly name: string; readonly dtype: DType })[], body: readonly Stmt[], sizes: readonly string[] = ['N']): KernelIR {
  const ps = params.map((p): Param => ('space' in p ? { kind: 'tensor', name: p.name, buf: p } : { kind: 'scalar', ...p }));
  return { name: 'test', params: ps, sizes, body: { kind: 'block', body } };
}

/** Lines of a printed body that match, for short snapshots. */
export const linesWith = (text: string, part: RegExp): string[] => text.split('\n').filter((l) => part.test(l)).map((l) => l.trim());

export function lowered(k: KernelIR): KernelIR {
  const bad = specViolation(k, 'lowered');
  if (bad) throw new Error(bad);
  return k;
}
