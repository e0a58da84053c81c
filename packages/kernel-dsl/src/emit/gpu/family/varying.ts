import type { Expr, Stmt } from '../../../ir/index.ts';
import { operands } from '../../../ir/index.ts';
import { bufKey, varKey } from './frame.ts';
import type { Frame } from './frame.ts';

/** May a value differ between the lanes of a workgroup? What is read from memory may; loop variables of lanes and what is made of them do. */
export function varies(f: Pick<Frame, 'varying'>, e: Expr): boolean {
  switch (e.kind) {
    case 'var': return f.varying.has(varKey(e));
    case 'load': return e.buf.space === 'reg' ? f.varying.has(bufKey(e.buf)) : e.buf.space !== 'param' || e.buf.access !== 'in' || e.index.some((x) => varies(f, x));
    default: return operands(e).some((x) => varies(f, x));
  }
}

/** Notes what a statement makes different in each lane. `diverged`: it is not run by all of them. */
export function noteVarying(f: Pick<Frame, 'varying'>, s: Stmt, diverged: boolean): void {
  if (s.kind === 'let' && (s.value.kind === 'subgroup' || varies(f, s.value))) f.varying.add(varKey(s.v));
  if (s.kind === 'atomic' && s.old) f.varying.add(varKey(s.old));
  if ((s.kind === 'store' || s.kind === 'accum') && s.buf.space === 'reg' && (diverged || varies(f, s.value))) f.varying.add(bufKey(s.buf));
}
