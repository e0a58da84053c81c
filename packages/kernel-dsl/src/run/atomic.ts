import type { Atomic, Var } from '../ir/index.ts';
import { compileUpdate } from './access.ts';
import type { Compile } from './access.ts';
import { binaryOp } from './arith.ts';
import type { Context, Run } from './context.ts';
import { raise } from './site.ts';
import type { Site } from './site.ts';

/** An atomic update: like any other, but iterations of a parallel loop may make it on one cell. */
export function compileAtomic(c: Context, s: Atomic, site: Site, by: Compile, bind: (v: Var) => number): Run {
  const op = s.fn === 'exchange' ? (_: number, v: number): number => v : binaryOp(s.fn, s.buf.dtype) ?? raise(site, 'KD-RUN-IR', `${s.fn} is not defined for ${s.buf.dtype}, the type of ${s.buf.name}`);
  const update = compileUpdate(c, s.buf, s.index, s.value, site, by, op), f = c.frame;
  if (!s.old) return () => { update(); };
  const slot = bind(s.old);
  return () => { f[slot] = update(); };
}
