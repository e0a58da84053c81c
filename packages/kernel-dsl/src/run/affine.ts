import type { Expr } from '../ir/index.ts';
import type { Context, Num } from './context.ts';
import { slotOf } from './context.ts';
import type { Site } from './site.ts';

interface Affine { readonly k: number; readonly terms: ReadonlyMap<number, number> }

const safe = Number.isSafeInteger;

/** e = k + the sum of coefficient * variable, or undefined. Most index arithmetic is of this form. */
function affine(e: Expr, c: Context, site: Site): Affine | undefined {
  const none = new Map<number, number>();
  if (e.dtype !== 'i64' || e.lanes !== 1) return undefined;
  if (e.kind === 'const') return safe(e.value) ? { k: e.value, terms: none } : undefined;
  if (e.kind === 'size') { const k = c.sizes.get(e.name); return k === undefined ? undefined : { k, terms: none }; }
  if (e.kind === 'var') return { k: 0, terms: new Map([[slotOf(c, e, site), 1]]) };
  if (e.kind !== 'binary' || (e.fn !== 'add' && e.fn !== 'sub' && e.fn !== 'mul')) return undefined;
  const a = affine(e.a, c, site), b = a && affine(e.b, c, site);
  if (!a || !b) return undefined;
  const combine = (x: Affine, p: number, y: Affine, q: number): Affine | undefined => {
    const terms = new Map([...x.terms].map(([s, v]) => [s, v * p]));
    for (const [s, v] of y.terms) terms.set(s, (terms.get(s) ?? 0) + v * q);
    const k = x.k * p + y.k * q + 0; // an integer has no -0
    return safe(k) && [...terms.values()].every(safe) ? { k, terms } : undefined;
  };
  if (e.fn === 'add') return combine(a, 1, b, 1);
  if (e.fn === 'sub') return combine(a, 1, b, -1);
  return a.terms.size === 0 ? combine(b, a.k, b, 0) : b.terms.size === 0 ? combine(a, b.k, a, 0) : undefined;
}

/**
 * One closure for a whole affine i64 expression, or undefined. Where the absolute values of the terms add up beyond 2^53, `slow` decides,
 * which goes step by step and knows at which node to complain.
 */
export function compileAffine(e: Expr, c: Context, site: Site, slow: () => Num): Num | undefined {
  const a = affine(e, c, site);
  if (!a) return undefined;
  const { k } = a, ak = Math.abs(k), max = Number.MAX_SAFE_INTEGER, f = c.frame, terms = [...a.terms];
  const [t0, t1, t2] = terms;
  if (!t0) return () => k;
  const [s0, c0] = t0;
  let late: Num | undefined;
  const careful: Num = () => (late ??= slow())();
  if (!t1) {
    if (k === 0 && c0 === 1) return () => f[s0]!;
    return () => { const x = c0 * f[s0]!; return Math.abs(x) + ak <= max ? x + k : careful(); };
  }
  const [s1, c1] = t1;
  if (!t2) return () => { const x = c0 * f[s0]!, y = c1 * f[s1]!; return Math.abs(x) + Math.abs(y) + ak <= max ? x + y + k : careful(); };
  if (terms.length === 3) {
    const [s2, c2] = t2;
    return () => { const x = c0 * f[s0]!, y = c1 * f[s1]!, z = c2 * f[s2]!; return Math.abs(x) + Math.abs(y) + Math.abs(z) + ak <= max ? x + y + z + k : careful(); };
  }
  const slots = terms.map((t) => t[0]), by = terms.map((t) => t[1]);
  return () => {
    let sum = k, reach = ak;
    for (let i = 0; i < slots.length; i++) { const x = by[i]! * f[slots[i]!]!; sum += x; reach += Math.abs(x); }
    return reach <= max ? sum : careful();
  };
}
