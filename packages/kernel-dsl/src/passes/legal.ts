import { DslError } from '../errors/index.ts';
import { bytesOf, isConst, printExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, DType, For, KernelIR, Origin, Stmt } from '../ir/index.ts';
import type { GpuTraits, Target } from '../targets/index.ts';
import { isGrid, isLanes } from './grid.ts';

/** What a kernel may ask of a GPU beyond the base of its language: the feature that brings it, how people call it, and what helps where it is missing. */
const NEEDS: Readonly<Record<'f64' | 'i64' | 'print' | 'atomic64', readonly [what: string, fix: string]>> = {
  f64: ['f64', 'compute in f32, or run the kernel on a device that has doubles'],
  i64: ['64-bit integers as data', 'use i32 or u32; loop variables and sizes are no data'],
  print: ['print', 'lower without { print: true }'],
  atomic64: ['atomic updates of 64 bits', 'update i32 or u32 cells'],
};

/**
 * Refuses what a GPU cannot run: dtypes and operations that it lacks, workgroups of too many lanes, too much shared memory. The kernel stays as it is.
 * @throws DslError KD-L-LACKS, KD-L-LANES, KD-L-SHARED
 */
export function legal(k: KernelIR, target: Target): KernelIR {
  const { gpu } = target;
  if (!gpu) return k;
  const lacks = (need: keyof typeof NEEDS, where: string, at: Origin): void => {
    if (target.features.includes(need)) return;
    const [what, fix] = NEEDS[need];
    throw new DslError('KD-L-LACKS', { isa: target.isa, what, where, fix }, { loc: at.loc, step: at.step });
  };
  const data = (t: DType, where: string, at: Origin): void => {
    if (t === 'f64') lacks('f64', where, at);
    if (t === 'i64') lacks('i64', where, at);
  };
  for (const p of k.params) data(p.kind === 'tensor' ? p.buf.dtype : p.dtype, `the parameter ${p.name} is ${p.kind === 'tensor' ? p.buf.dtype : p.dtype}`, p.kind === 'tensor' ? { loc: p.buf.loc ?? k.loc } : k);
  visitStmt(k.body, (s) => {
    if (s.kind === 'alloc') data(s.buf.dtype, `${s.buf.name} holds ${s.buf.dtype}`, s);
    if (s.kind === 'print') lacks('print', `${JSON.stringify(s.text)} is printed`, s);
    if (s.kind === 'atomic' && bytesOf(s.buf.dtype) === 8) lacks('atomic64', `${s.buf.name} is ${s.buf.dtype}`, s);
  });
  visitExprs(k.body, (e, s) => { if (e.dtype === 'f64') lacks('f64', printExpr(e), e.loc ? e : s); });
  visitStmt(k.body, (s) => { if (!isGrid(s)) return undefined; fits(s, target, gpu); return false; });
  return k;
}

/** Does one workgroup fit? */
function fits(grid: Stmt, target: Target, gpu: GpuTraits): void {
  const shared: Buffer[] = [];
  visitStmt(grid, (s) => {
    if (s.kind === 'alloc' && s.buf.space === 'shared') shared.push(s.buf);
    if (isLanes(s)) lanesFit(s, target, gpu);
  });
  const bytes = (b: Buffer): number => b.shape.reduce((n, e) => n * (isConst(e) ? e.value : NaN), bytesOf(b.dtype)), all = shared.reduce((n, b) => n + bytes(b), 0);
  if (!(all <= gpu.sharedBytes)) throw new DslError('KD-L-SHARED', { bytes: all, what: shared.map((b) => `${b.name} ${bytes(b)}`).join(', '), isa: target.isa, most: gpu.sharedBytes }, { loc: shared.at(-1)?.loc ?? grid.loc, step: grid.step });
}

function lanesFit(s: For, target: Target, gpu: GpuTraits): void {
  let lanes = 1;
  for (let x: Stmt = s; isLanes(x); x = x.body) {
    const n = isConst(x.extent) ? x.extent.value : NaN, most = gpu.workgroup.each['xyz'.indexOf(x.loop.slice(-1))]!;
    if (!(n <= most)) throw new DslError('KD-L-LANES', { given: printExpr(x.extent), why: `${target.isa} has at most ${most} along ${x.loop}` }, x);
    lanes *= n;
  }
  if (lanes > gpu.workgroup.lanes) throw new DslError('KD-L-LANES', { given: lanes, why: `${target.isa} has at most ${gpu.workgroup.lanes}` }, s);
}
