import type { Expr } from '../../ir/index.ts';
import { printExpr } from '../../ir/index.ts';
import { CMP, binaryOp, castOp, unaryOp, valueOf } from '../../run/index.ts';

/** What a host knows when it launches: sizes and scalars by name, strides of tensors in elements, and the variables of plan steps by id. */
export interface HostValues {
  readonly sizes: Readonly<Record<string, number>>;
  readonly strides: Readonly<Record<string, readonly number[]>>;
  readonly scalars: Readonly<Record<string, number>>;
  readonly vars?: ReadonlyMap<number, number>;
}

/**
 * The value of an expression over sizes, strides, scalars and variables of the plan, as the interpreter computes it; conditions are 0 and 1.
 * @throws Error where it reads memory or a name that is not given, or divides by zero.
 * @example evaluate(launch.grid[0], { sizes: { N: 1000 }, strides: {}, scalars: {} })
 */
export function evaluate(e: Expr, at: HostValues): number {
  const value = (x: Expr): number => evaluate(x, at), fail = (why: string): never => { throw new Error(`${printExpr(e)} on the host: ${why}`); };
  const known = (x: number | undefined): number => x ?? fail('it is not given');
  switch (e.kind) {
    case 'const': return valueOf(e.value, e.dtype);
    case 'size': return known(at.sizes[e.name]);
    case 'stride': return known(at.strides[e.buf.name]?.[e.dim]);
    case 'scalar': return valueOf(known(at.scalars[e.name]), e.dtype);
    case 'var': return known(at.vars?.get(e.id));
    case 'cast': return castOp(e.x.dtype, e.dtype)(value(e.x));
    case 'unary': return (unaryOp(e.fn, e.dtype) ?? fail(`${e.fn} of ${e.dtype}`))(value(e.x));
    case 'cmp': return CMP[e.fn](value(e.a), value(e.b));
    case 'select': return value(e.cond) !== 0 ? value(e.a) : value(e.b);
    case 'binary': {
      const b = value(e.b);
      if ((e.fn === 'div' || e.fn === 'mod') && b === 0 && e.dtype !== 'f32' && e.dtype !== 'f64') fail('it divides by zero');
      return (binaryOp(e.fn, e.dtype) ?? fail(`${e.fn} of ${e.dtype}`))(value(e.a), b);
    }
    default: return fail(`a ${e.kind}`);
  }
}
