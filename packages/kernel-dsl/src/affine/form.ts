/** An integer linear form: c + the sum of coefficient * term. Terms are numbers that a {@link Space} hands out. */
export interface Form { readonly c: number; readonly t: ReadonlyMap<number, number> }

/** f >= 0, or with `eq`, f = 0. */
export interface Constraint { readonly f: Form; readonly eq?: boolean }

const NONE: ReadonlyMap<number, number> = new Map();
export const formConst = (c: number): Form => ({ c, t: NONE });
export const formTerm = (id: number): Form => ({ c: 0, t: new Map([[id, 1]]) });
export const isFormConst = (f: Form): boolean => f.t.size === 0;

/** a + k * b */
export function combineForms(a: Form, b: Form, k = 1): Form {
  if (b.t.size === 0) return { c: a.c + k * b.c, t: a.t };
  const t = new Map(a.t);
  for (const [id, q] of b.t) {
    const sum = (t.get(id) ?? 0) + k * q;
    if (sum === 0) t.delete(id);
    else t.set(id, sum);
  }
  return { c: a.c + k * b.c, t };
}
export const scaleForm = (a: Form, k: number): Form => (k === 0 ? formConst(0) : k === 1 ? a : { c: a.c * k, t: new Map([...a.t].map(([id, q]) => [id, q * k])) });
export const addConst = (a: Form, c: number): Form => ({ c: a.c + c, t: a.t });

const keys = new WeakMap<Form['t'], string>();
/** A text that is equal for equal linear parts. */
export function linearKey({ t }: Form): string {
  const known = keys.get(t);
  if (known !== undefined) return known;
  const key = [...t].sort((a, b) => a[0] - b[0]).map(([id, q]) => `${q}.${id}`).join(' ');
  keys.set(t, key);
  return key;
}

export const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** a >= b */
export const atLeast = (a: Form, b: Form): Constraint => ({ f: combineForms(a, b, -1) });
/** a > b */
export const above = (a: Form, b: Form): Constraint => ({ f: addConst(combineForms(a, b, -1), -1) });
/** a = b */
export const equal = (a: Form, b: Form): Constraint => ({ f: combineForms(a, b, -1), eq: true });
