import type { Binary, Expr } from '../../../ir/index.ts';
import { bytesOf, isInt, printExpr } from '../../../ir/index.ts';
import { infix, nonNegative, primary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { demand, demandAll, isNarrow, scalarKey, sizeKey, strideKey, varKey } from '../family/index.ts';
import { call, lacks, need, symbolOf } from './frame.ts';
import type { Frame, Symbol } from './frame.ts';
import { floorDivHelper } from './helpers.ts';
import { literalText } from './literal.ts';

/** Prints an expression; of i64, as an i32 that is known to have its value. Handed in by expr.ts. */
export type Print = (f: Frame, e: Expr) => Text;
const OPS = { add: '+', sub: '-', mul: '*' } as const;
const isPoly = (e: Expr): e is Binary & { readonly fn: keyof typeof OPS } => e.kind === 'binary' && e.fn in OPS;

function leaf(f: Frame, e: Expr): Symbol | undefined {
  switch (e.kind) {
    case 'size': return symbolOf(f, sizeKey(e.name), e.name);
    case 'stride': return symbolOf(f, strideKey(e.buf, e.dim), `the stride of ${e.buf.name}`);
    case 'scalar': return symbolOf(f, scalarKey(e.name), e.name);
    case 'var': return symbolOf(f, varKey(e), e.name);
    default: return undefined;
  }
}

/** An index for a loop, a guard or a number: it must fit 32 bits, which is all that WGSL has. @throws DslError KD-L-LACKS */
export function indexText(f: Frame, e: Expr, print: Print): Text {
  if (!isNarrow(f, e)) lacks(f, '64-bit integers', `${printExpr(e)} is not known to fit 32 bits`, 'compute it in i32 or u32, or bound its parts', e);
  demandAll(f, e);
  return addressText(f, e, print);
}

/** An i32 with the value of e, or that modulo 2^32 where e is made of sums and products: enough for an address, which lies in a tensor. */
export function addressText(f: Frame, e: Expr, print: Print): Text {
  const n = (x: Expr): Text => addressText(f, x, print), fits = (x: Expr): Text => indexText(f, x, print);
  if (e.kind === 'const') return literalText(f.m, e.value, 'i64');
  const own = leaf(f, e);
  if (own) { if (e.kind !== 'var') demand(f, e); return primary(own.name); }
  if (isPoly(e)) return infix(OPS[e.fn], n(e.a), n(e.b));
  if (e.kind === 'cast') {
    const x = print(f, e.x), t = e.x.dtype;
    return t === 'i32' || t === 'i16' || t === 'i8' ? x : isInt(t) && bytesOf(t) <= 4 ? call('i32', x) : t === 'bool' ? call('select', primary('0'), primary('1'), x) : print(f, { ...e, dtype: 'i32' });
  }
  if (e.kind === 'select') return call('select', n(e.b), n(e.a), print(f, e.cond));
  if (e.kind === 'load') return print(f, e);
  if (e.kind !== 'binary') return lacks(f, `${e.kind} of 64-bit integers`, printExpr(e), 'compute it in i32 or u32', e);
  const a = fits(e.a), b = fits(e.b);
  switch (e.fn) {
    case 'min': case 'max': return call(e.fn, a, b);
    case 'and': return infix('&', a, b);
    case 'or': return infix('|', a, b);
    case 'xor': return infix('^', a, b);
    case 'shl': case 'shr': return infix(e.fn === 'shl' ? '<<' : '>>', a, e.b.kind === 'const' ? primary(`${e.b.value}u`) : call('u32', b));
    case 'div': case 'mod': {
      const plain = nonNegative(e.a, f.nonNegative) && nonNegative(e.b, f.nonNegative);
      if (plain && e.b.kind === 'const' && e.b.value > 0) return infix(e.fn === 'div' ? '/' : '%', a, b);
      return call(need(f.m, floorDivHelper(e.fn, 'i32', plain)), a, b);
    }
    default: return lacks(f, `${e.fn} of 64-bit integers`, printExpr(e), 'compute it in i32 or u32', e);
  }
}
