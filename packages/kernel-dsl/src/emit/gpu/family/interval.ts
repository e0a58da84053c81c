import type { Expr } from '../../../ir/index.ts';
import { DTYPES, add, binary, constant, exprKey, isConst, mul, sub } from '../../../ir/index.ts';
import { onHost, simplifyExpr } from '../../../passes/index.ts';
import type { Plan } from '../plan.ts';

/** Bounds of an index value, both included, as expressions that a host can evaluate. */
export interface Interval { readonly lo: Expr; readonly hi: Expr }

/** What is known of variables: bounds of those that launches and loops bind. */
export type Bounds = (id: number) => Interval | undefined;

/** No bounds, remembered. */
export const NONE = 'none';

const zero = constant(0);
const least = (a: Expr, b: Expr): Expr => (isConst(a) && isConst(b) ? constant(Math.min(a.value, b.value)) : simplifyExpr(binary('min', a, b)));
const most = (a: Expr, b: Expr): Expr => (isConst(a) && isConst(b) ? constant(Math.max(a.value, b.value)) : simplifyExpr(binary('max', a, b)));

/** Is the lower bound known not to be negative? */
const natural = (i: Interval): boolean => isNatural(i.lo);
function isNatural(e: Expr): boolean {
  switch (e.kind) {
    case 'const': return e.value >= 0;
    case 'size': return true;
    case 'cast': return e.dtype === 'i64' && DTYPES[e.x.dtype].kind === 'uint';
    case 'binary': {
      const a = (): boolean => isNatural(e.a), b = (): boolean => isNatural(e.b);
      return e.fn === 'add' || e.fn === 'mul' || e.fn === 'div' || e.fn === 'min' ? a() && b() : e.fn === 'mod' ? b() : e.fn === 'max' ? a() || b() : false;
    }
    default: return false;
  }
}

/** Bounds of a scalar i64 expression; undefined where a host cannot tell them. Lower bounds of loops are 0: an extent below that has no iterations. */
export function intervalOf(e: Expr, of: Bounds, memo: WeakMap<Expr, Interval | typeof NONE>): Interval | undefined {
  if (e.lanes !== 1) return undefined;
  const known = memo.get(e) ?? found(e, of, memo) ?? NONE;
  memo.set(e, known);
  return known === NONE ? undefined : known;
}

function found(e: Expr, of: Bounds, memo: WeakMap<Expr, Interval | typeof NONE>): Interval | undefined {
  if (e.kind === 'var') return of(e.id);
  if (onHost(e, () => false)) return e.dtype === 'i64' ? { lo: e, hi: e } : undefined;
  const both = (a: Expr, b: Expr, f: (x: Interval, y: Interval) => Interval | undefined): Interval | undefined => {
    const x = intervalOf(a, of, memo), y = intervalOf(b, of, memo), z = x && y && f(x, y);
    return z && { lo: simplifyExpr(z.lo), hi: simplifyExpr(z.hi) };
  };
  switch (e.kind) {
    case 'cast': {
      const { kind, bytes } = DTYPES[e.x.dtype];
      if (onHost(e.x, () => false) || bytes > 4 || kind === 'float') return undefined;
      if (kind === 'bool') return { lo: zero, hi: constant(1) };
      return kind === 'uint' ? { lo: zero, hi: constant(2 ** (8 * bytes) - 1) } : { lo: constant(-(2 ** (8 * bytes - 1))), hi: constant(2 ** (8 * bytes - 1) - 1) };
    }
    case 'select': return both(e.a, e.b, (x, y) => ({ lo: least(x.lo, y.lo), hi: most(x.hi, y.hi) }));
    case 'binary': return both(e.a, e.b, (x, y) => {
      switch (e.fn) {
        case 'add': return { lo: add(x.lo, y.lo), hi: add(x.hi, y.hi) };
        case 'sub': return { lo: sub(x.lo, y.hi), hi: sub(x.hi, y.lo) };
        case 'min': return { lo: least(x.lo, y.lo), hi: least(x.hi, y.hi) };
        case 'max': return { lo: most(x.lo, y.lo), hi: most(x.hi, y.hi) };
        case 'mul': {
          if (natural(x) && natural(y)) return { lo: mul(x.lo, y.lo), hi: mul(x.hi, y.hi) };
          if (isConst(e.b)) return e.b.value >= 0 ? { lo: mul(x.lo, e.b), hi: mul(x.hi, e.b) } : { lo: mul(x.hi, e.b), hi: mul(x.lo, e.b) };
          return undefined;
        }
        case 'div': return isConst(e.b) && e.b.value > 0 ? { lo: binary('div', x.lo, e.b), hi: binary('div', x.hi, e.b) } : natural(x) && natural(y) ? { lo: zero, hi: binary('div', x.hi, most(y.lo, constant(1))) } : undefined;
        case 'mod': return natural(y) ? { lo: zero, hi: sub(y.hi, constant(1)) } : undefined;
        case 'and': return isConst(e.b) && e.b.value >= 0 ? { lo: zero, hi: e.b } : natural(x) && natural(y) ? { lo: zero, hi: least(x.hi, y.hi) } : undefined;
        case 'shr': return natural(x) ? { lo: zero, hi: x.hi } : undefined;
        case 'xor': case 'or': return natural(x) && natural(y) && isConst(x.hi) && isConst(y.hi) ? { lo: zero, hi: constant(2 ** (32 - Math.clz32(Math.max(x.hi.value, y.hi.value))) - 1) } : undefined;
        default: return undefined;
      }
    });
    default: return undefined;
  }
}

/** An expression as another one and a constant that is added to it. */
function apart(e: Expr): { readonly base: Expr; readonly plus: number } {
  if (e.kind === 'binary' && e.fn === 'add' && isConst(e.b)) return { base: e.a, plus: e.b.value };
  return e.kind === 'binary' && e.fn === 'sub' && isConst(e.b) ? { base: e.a, plus: -e.b.value } : { base: e, plus: 0 };
}

/** Without those that another one implies: of values that differ by a constant, and are not negative but for that, the greatest. */
export function strongest(all: readonly Expr[]): readonly Expr[] {
  const parts = all.map((e) => ({ e, ...apart(e) })), key = new Map(parts.map((p) => [p.e, exprKey(p.base)]));
  return parts.filter((p) => !isNatural(p.base) || !parts.some((q) => q.plus > p.plus && key.get(q.e) === key.get(p.e))).map((p) => p.e);
}

/** Is it certain that a value within these bounds does not fit 32 bits? */
export const tooWide = (i: Interval): boolean => (isConst(i.hi) && i.hi.value > 2 ** 31 - 1) || (isConst(i.lo) && i.lo.value < -(2 ** 31));

/** Bounds of the variables that a host binds. */
export function hostBounds({ hostLets, hostLoops }: Pick<Plan, 'hostLets' | 'hostLoops'>): Map<number, Interval | undefined> {
  const out = new Map<number, Interval | undefined>(), memo = new WeakMap(), of: Bounds = (id) => out.get(id);
  for (const [id, l] of hostLets) if (l.v.dtype === 'i64') out.set(id, intervalOf(l.value, of, memo));
  for (const [id, extent] of hostLoops) {
    const b = intervalOf(extent, of, memo);
    out.set(id, b && { lo: zero, hi: b.hi });
  }
  return out;
}
