import { operands } from '../ir/index.ts';
import type { Buffer, Expr, Var } from '../ir/index.ts';

/** Numbers for values: two expressions have one number only if they have one value at this point of the run. */
export interface Numbering {
  of(e: Expr): number;
  /** From here on the variable has the value of that number. */
  bind(v: Var, number: number): void;
  /** From here on loads of the buffer may differ from earlier ones. */
  written(buf: Buffer): void;
}

/**
 * A numbering for a run of statements, to be told of every Let and every write in order.
 * `byKey` remembers the numbers given out: two walks over one run that share it give equal values equal numbers.
 */
export function numbering(byKey: Map<string, number>): Numbering {
  const bound = new Map<number, number>(), versions = new Map<number, number>();
  let seen = new Map<Expr, number>();

  const key = (e: Expr): string => {
    const inside = operands(e).map(of).join(',');
    switch (e.kind) {
      case 'const': return `${Object.is(e.value, -0) ? '-0' : e.value}:${e.dtype}`;
      case 'size': return `#${e.name}`;
      case 'scalar': return `$${e.name}`;
      case 'stride': return `stride ${e.buf.id} ${e.dim}`;
      case 'var': return `v${e.id}`;
      case 'load': return `load ${e.buf.id}@${versions.get(e.buf.id) ?? 0} ${e.as ?? ''}x${e.lanes} ${inside}`;
      case 'binary': case 'cmp': case 'unary': case 'reduce': case 'subgroup': return `${e.fn} ${e.dtype}x${e.lanes} ${inside}`;
      case 'shuffle': return `shuffle ${e.pick.join()} ${inside}`;
      default: return `${e.kind} ${e.dtype}x${e.lanes} ${inside}`;
    }
  };
  const of = (e: Expr): number => {
    if (e.kind === 'var') { const n = bound.get(e.id); if (n !== undefined) return n; }
    const known = seen.get(e);
    if (known !== undefined) return known;
    const k = key(e), n = byKey.get(k) ?? byKey.size;
    byKey.set(k, n);
    seen.set(e, n);
    return n;
  };
  return {
    of,
    bind: (v, n) => { bound.set(v.id, n); },
    written: (buf) => {
      versions.set(buf.id, (versions.get(buf.id) ?? 0) + 1);
      seen = new Map();
    },
  };
}
