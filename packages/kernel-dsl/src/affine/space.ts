import { DTYPES, exprKey, isInt, operands, printExpr } from '../ir/index.ts';
import type { Buffer, Expr, Var } from '../ir/index.ts';
import { above, addConst, atLeast, combineForms, equal, formConst, formTerm, isFormConst, scaleForm } from './form.ts';
import type { Constraint, Form } from './form.ts';

/** The integers from lo to hi, both included; either may be infinite. */
export interface Range { readonly lo: number; readonly hi: number }

/** What holds in one of several cases. */
export type Cases = readonly (readonly Constraint[])[];

/** An unknown of linear forms: a loop variable, a size, or whatever index arithmetic cannot take apart. */
export interface Term {
  readonly id: number;
  /** What people read: the name of a variable, the text of an expression. */
  readonly name: string;
  lo: number;
  hi: number;
  /** Hold wherever the term has a value. */
  readonly facts: Constraint[];
  /** Hold where `needs` is > 0. */
  readonly conditional: { readonly needs: Form; readonly facts: readonly Constraint[] }[];
  /** One of these cases holds. */
  cases: Cases | undefined;
  /** The terms, two or more and none of them a product, of which it is the product; the smallest first. */
  readonly factors: readonly number[] | undefined;
}

/** A statement about all elements of a tensor, as `assume` in a loop over them makes it: `cond` speaks of `load`, whose indices are `vars`. */
export interface DataFact { readonly buf: Buffer; readonly vars: readonly Var[]; readonly cond: (index: readonly Expr[]) => Expr }

/** Where expressions become forms. Names of one thing: every variable, size and opaque value of a kernel has one term. */
export interface Space {
  readonly terms: Term[];
  readonly byKey: Map<string, number>;
  readonly forms: Map<Expr, Form>;
  /** Values of names that Let binds. */
  readonly lets: Map<number, Expr>;
  /** Terms that stand for variables in a second copy of a part of the program, and the tag that keeps its loads apart. */
  readonly renamed: ReadonlyMap<number, number>;
  readonly tag: number;
  /** The lane at which vector values are looked at. */
  readonly lane: number | undefined;
  readonly data: DataFact[];
  /** Choices that proofs make between two terms: which of them is more, if any. */
  readonly orders: Map<string, Cases>;
  /** Buffers that never change while the kernel runs. */
  readonly stable: (b: Buffer) => boolean;
  readonly nodes: { readonly ids: WeakMap<Expr, number>; next: number };
}

export function newSpace(stable: (b: Buffer) => boolean): Space {
  return { terms: [], byKey: new Map(), forms: new Map(), lets: new Map(), renamed: new Map(), tag: 0, lane: undefined, data: [], orders: new Map(), stable, nodes: { ids: new WeakMap(), next: 1 } };
}

/** The same space in which the given variables are others: a second run of the code that binds them. */
export function secondCopy(s: Space, vars: Iterable<Var>): Space {
  const renamed = new Map<number, number>();
  for (const v of vars) { const old = varTerm(s, v); renamed.set(v.id, newTerm(s, `${v.name}'`, old).id); }
  return { ...s, forms: new Map(), renamed, tag: s.nodes.next++ };
}
/** The same space, looking at one lane of vectors. */
export const atLane = (s: Space, lane: number): Space => ({ ...s, forms: new Map(), lane });

export function newTerm(s: Space, name: string, r: Range, factors?: readonly number[]): Term {
  const t: Term = { id: s.terms.length, name, lo: r.lo, hi: r.hi, facts: [], conditional: [], cases: undefined, factors };
  s.terms.push(t);
  return t;
}
const keyed = (s: Space, key: string, make: () => Term): Term => {
  const known = s.byKey.get(key);
  if (known !== undefined) return s.terms[known]!;
  const t = make();
  s.byKey.set(key, t.id);
  return t;
};

const ANY: Range = { lo: -Infinity, hi: Infinity };
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);
const product = (a: Range, b: Range): Range => {
  const all = [times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)];
  return { lo: Math.min(...all), hi: Math.max(...all) };
};

/** Every value of an integer dtype; an i64 in memory may be anything that the interpreter holds. */
export function dtypeRange(e: { readonly dtype: Expr['dtype'] }): Range {
  const { kind, bytes } = DTYPES[e.dtype];
  if (kind === 'float' || bytes === 8) return ANY;
  return kind === 'int' ? { lo: -(2 ** (8 * bytes - 1)), hi: 2 ** (8 * bytes - 1) - 1 } : { lo: 0, hi: kind === 'bool' ? 1 : 2 ** (8 * bytes) - 1 };
}

/** What constants alone tell about a form. */
export function rangeOfForm(s: Space, f: Form): Range {
  let lo = f.c, hi = f.c;
  for (const [id, q] of f.t) {
    const t = s.terms[id]!;
    lo += q > 0 ? times(q, t.lo) : times(q, t.hi);
    hi += q > 0 ? times(q, t.hi) : times(q, t.lo);
  }
  return { lo, hi };
}

/** The term of a variable. */
export const varTerm = (s: Space, v: Var): Term => {
  const other = s.renamed.get(v.id);
  return other !== undefined ? s.terms[other]! : keyed(s, `v${v.id}`, () => newTerm(s, v.name, dtypeRange(v)));
};

/** Products of terms are terms too. */
export function multiply(s: Space, a: Form, b: Form): Form {
  if (isFormConst(a)) return scaleForm(b, a.c);
  if (isFormConst(b)) return scaleForm(a, b.c);
  let out = combineForms(formConst(a.c * b.c), combineForms(scaleForm({ c: 0, t: a.t }, b.c), { c: 0, t: b.t }, a.c));
  for (const [x, p] of a.t) for (const [y, q] of b.t) out = combineForms(out, formTerm(productTerm(s, x, y).id), p * q);
  return out;
}
/** Equal products have one term, in whatever order they were multiplied. */
function productTerm(s: Space, x: number, y: number): Term {
  const all = [...factorsOf(s, x), ...factorsOf(s, y)].sort((a, b) => a - b), terms = all.map((id) => s.terms[id]!);
  return keyed(s, all.join('*'), () => newTerm(s, terms.map((t) => t.name).join(' * '), all.length === 2 && all[0] === all[1] ? { lo: 0, hi: Infinity } : terms.reduce<Range>((r, t) => product(r, t), { lo: 1, hi: 1 }), all));
}
/** A term as a product: of itself alone where it is none. */
export const factorsOf = (s: Space, id: number): readonly number[] => s.terms[id]!.factors ?? [id];

/** floor(a / b). */
function quotient(s: Space, a: Form, b: Form, key: string, text: string): Form {
  if (isFormConst(b) && b.c > 0) {
    const n = b.c;
    // Multiples of n leave the division.
    let whole = formConst(Math.floor(a.c / n)), rest = formConst(a.c - Math.floor(a.c / n) * n);
    for (const [id, q] of a.t) {
      const up = Math.floor(q / n);
      whole = combineForms(whole, formTerm(id), up);
      rest = combineForms(rest, formTerm(id), q - up * n);
    }
    const r = rangeOfForm(s, rest), low = Math.floor(r.lo / n);
    if (low === Math.floor(r.hi / n)) return addConst(whole, low);
    const q = keyed(s, `${[...rest.t].sort((x, y) => x[0] - y[0]).join(' ')} ${rest.c}/${n}`, () => {
      const t = newTerm(s, text, { lo: low, hi: Math.floor(r.hi / n) }), by = scaleForm(formTerm(t.id), n);
      t.facts.push(atLeast(rest, by), above(addConst(by, n), rest));
      return t;
    });
    return combineForms(whole, formTerm(q.id));
  }
  const q = keyed(s, key, () => {
    const ra = rangeOfForm(s, a), rb = rangeOfForm(s, b), t = newTerm(s, text, ra.lo >= 0 && rb.lo >= 0 ? { lo: 0, hi: ra.hi } : ANY);
    const by = multiply(s, b, formTerm(t.id));
    t.conditional.push({ needs: b, facts: [atLeast(a, by), above(combineForms(by, b), a)] });
    return t;
  });
  return formTerm(q.id);
}

/** An integer expression as a linear form. Values of i32 and less are the integers they stand for as long as they provably do not wrap. */
export function formOf(s: Space, e: Expr): Form {
  const known = s.forms.get(e);
  if (known) return known;
  const f = compute(s, e);
  s.forms.set(e, f);
  return f;
}

function opaque(s: Space, e: Expr, r: Range = dtypeRange(e)): Form {
  return formTerm(keyed(s, opaqueKey(s, e), () => newTerm(s, printExpr(e), r)).id);
}

/** Equal keys mean equal values: what reads memory that may change is told apart by its node and copy, what depends on a lane by the lane. */
function opaqueKey(s: Space, e: Expr): string {
  const lane = s.lane === undefined || e.lanes === 1 ? '' : `@${s.lane}`;
  if (isStable(s, e)) return `${exprKey(e)}${lane}${s.renamed.size > 0 && isRenamed(s, e) ? ` ~${s.tag}` : ''}`;
  let n = s.nodes.ids.get(e);
  if (n === undefined) { n = s.nodes.next++; s.nodes.ids.set(e, n); }
  return `?${n} ${s.tag}${lane}`;
}

const isStable = (s: Space, e: Expr): boolean => {
  if ((e.kind === 'load' && !s.stable(e.buf)) || e.kind === 'subgroup') return false;
  const value = e.kind === 'var' ? s.lets.get(e.id) : undefined;
  return value ? isStable(s, value) : operands(e).every((x) => isStable(s, x));
};
const isRenamed = (s: Space, e: Expr): boolean => {
  if (e.kind !== 'var') return operands(e).some((x) => isRenamed(s, x));
  const value = s.lets.get(e.id);
  return s.renamed.has(e.id) || (value !== undefined && isRenamed(s, value));
};

const wraps = (s: Space, e: Expr, f: Form): boolean => {
  if (e.dtype === 'i64') return false;
  const r = rangeOfForm(s, f), d = dtypeRange(e);
  return r.lo < d.lo || r.hi > d.hi;
};

function compute(s: Space, e: Expr): Form {
  switch (e.kind) {
    case 'const': return Number.isInteger(e.value) ? formConst(e.value) : opaque(s, e);
    case 'size': return formTerm(keyed(s, `#${e.name}`, () => newTerm(s, e.name, { lo: 0, hi: Infinity })).id);
    case 'var': {
      const value = s.lets.get(e.id);
      return value && (isInt(value.dtype) || value.dtype === 'bool') ? formOf(s, value) : formTerm(varTerm(s, e).id);
    }
    case 'broadcast': return formOf(s, e.x);
    case 'ramp': return s.lane === undefined ? opaque(s, e) : combineForms(formOf(s, e.base), multiply(s, formOf(s, e.stride), formTerm(s.lane)));
    case 'load': return loaded(s, e);
    case 'cast': {
      if (DTYPES[e.x.dtype].kind === 'float') return opaque(s, e);
      const f = formOf(s, e.x);
      return wraps(s, e, f) ? opaque(s, e) : f;
    }
    case 'unary': {
      if (e.fn !== 'neg' || !isInt(e.dtype)) return opaque(s, e);
      const f = scaleForm(formOf(s, e.x), -1);
      return wraps(s, e, f) ? opaque(s, e) : f;
    }
    case 'select': {
      if (!isInt(e.dtype) || e.cond.lanes !== 1) return opaque(s, e);
      const a = formOf(s, e.a), b = formOf(s, e.b), ra = rangeOfForm(s, a), rb = rangeOfForm(s, b);
      return either(s, e, { lo: Math.min(ra.lo, rb.lo), hi: Math.max(ra.hi, rb.hi) }, (m) => conditionCases(s, e.cond, true).map((c) => [...c, equal(m, a)]).concat(conditionCases(s, e.cond, false).map((c) => [...c, equal(m, b)])), () => []);
    }
    case 'binary': return isInt(e.dtype) ? integer(s, e) : opaque(s, e);
    default: return opaque(s, e);
  }
}

/** A term that has one of several values. */
function either(s: Space, e: Expr, r: Range, cases: (m: Form) => Cases, facts: (m: Form) => readonly Constraint[]): Form {
  const t = keyed(s, opaqueKey(s, e), () => {
    const made = newTerm(s, printExpr(e), r), m = formTerm(made.id);
    made.cases = cases(m);
    made.facts.push(...facts(m));
    return made;
  });
  return formTerm(t.id);
}

function integer(s: Space, e: Extract<Expr, { kind: 'binary' }>): Form {
  const a = formOf(s, e.a), b = formOf(s, e.b);
  const checked = (f: Form): Form => (wraps(s, e, f) ? opaque(s, e) : f);
  const ra = rangeOfForm(s, a), rb = rangeOfForm(s, b);
  switch (e.fn) {
    case 'add': return checked(combineForms(a, b));
    case 'sub': return checked(combineForms(a, b, -1));
    case 'mul': return checked(multiply(s, a, b));
    case 'div': return quotient(s, a, b, opaqueKey(s, e), printExpr(e));
    case 'mod': {
      if (isFormConst(a) && isFormConst(b) && b.c > 0) return formConst(a.c - Math.floor(a.c / b.c) * b.c);
      const whole = { ...e, fn: 'div' } as const;
      return combineForms(a, multiply(s, b, quotient(s, a, b, opaqueKey(s, whole), printExpr(whole))), -1);
    }
    case 'min':
      if (ra.hi <= rb.lo) return a;
      if (rb.hi <= ra.lo) return b;
      return either(s, e, { lo: Math.min(ra.lo, rb.lo), hi: Math.min(ra.hi, rb.hi) }, (m) => [[atLeast(b, a), equal(m, a)], [above(a, b), equal(m, b)]], (m) => [atLeast(a, m), atLeast(b, m)]);
    case 'max':
      if (ra.hi <= rb.lo) return b;
      if (rb.hi <= ra.lo) return a;
      return either(s, e, { lo: Math.max(ra.lo, rb.lo), hi: Math.max(ra.hi, rb.hi) }, (m) => [[atLeast(b, a), equal(m, b)], [above(a, b), equal(m, a)]], (m) => [atLeast(m, a), atLeast(m, b)]);
    case 'and': return isFormConst(b) && b.c >= 0 ? opaque(s, e, { lo: 0, hi: ra.lo >= 0 ? Math.min(b.c, ra.hi) : b.c }) : opaque(s, e);
    case 'shr': return isFormConst(b) && b.c >= 0 && b.c < 32 && (ra.lo >= 0 || DTYPES[e.dtype].kind === 'int') ? quotient(s, a, formConst(2 ** b.c), '', printExpr(e)) : opaque(s, e);
    case 'shl': return isFormConst(b) && b.c >= 0 && b.c < 32 ? checked(scaleForm(a, 2 ** b.c)) : opaque(s, e);
    default: return opaque(s, e);
  }
}

function loaded(s: Space, e: Extract<Expr, { kind: 'load' }>): Form {
  if (!isInt(e.dtype)) return opaque(s, e);
  const isNew = !s.byKey.has(opaqueKey(s, e)), f = opaque(s, e);
  if (isNew && !e.as && e.lanes === 1) {
    const t = s.terms[[...f.t.keys()][0]!]!;
    for (const d of s.data) if (d.buf.id === e.buf.id) for (const c of conditionCases(s, d.cond(e.index), true)[0] ?? []) t.facts.push(c);
  }
  return f;
}

/** A condition that arithmetic cannot look into: 1 where it holds. */
function truth(s: Space, c: Expr, holds: boolean): Cases {
  const t = opaque(s, c, { lo: 0, hi: 1 });
  return [[{ f: holds ? addConst(t, -1) : scaleForm(t, -1) }]];
}

/** What holds where the condition is true (or, with `holds` false, where it is not): one of the cases. */
export function conditionCases(s: Space, c: Expr, holds: boolean): Cases {
  const all = (x: Cases, y: Cases): Cases => x.flatMap((p) => y.map((q) => [...p, ...q]));
  switch (c.kind) {
    case 'const': return (c.value !== 0) === holds ? [[]] : [];
    case 'var': { const value = s.lets.get(c.id); return value ? conditionCases(s, value, holds) : truth(s, c, holds); }
    case 'broadcast': return conditionCases(s, c.x, holds);
    case 'unary': return c.fn === 'not' && c.dtype === 'bool' ? conditionCases(s, c.x, !holds) : truth(s, c, holds);
    case 'binary': {
      if (c.dtype !== 'bool' || (c.fn !== 'and' && c.fn !== 'or')) return truth(s, c, holds);
      const a = conditionCases(s, c.a, holds), b = conditionCases(s, c.b, holds);
      const out = (c.fn === 'and') === holds ? all(a, b) : [...a, ...b];
      return out.length > 16 ? truth(s, c, holds) : out;
    }
    case 'cmp': {
      if (!isInt(c.a.dtype) || (c.lanes > 1 && s.lane === undefined)) return truth(s, c, holds);
      const a = formOf(s, c.a), b = formOf(s, c.b);
      switch (c.fn) {
        case 'lt': return [[holds ? above(b, a) : atLeast(a, b)]];
        case 'le': return [[holds ? atLeast(b, a) : above(a, b)]];
        case 'gt': return [[holds ? above(a, b) : atLeast(b, a)]];
        case 'ge': return [[holds ? atLeast(a, b) : above(b, a)]];
        default: return (c.fn === 'eq') === holds ? [[equal(a, b)]] : [[above(a, b)], [above(b, a)]];
      }
    }
    default: return truth(s, c, holds);
  }
}
