import { gcd } from './form.ts';
import type { Constraint, Form } from './form.ts';

/** A row of a system: the sum of row[i] * x[i], plus the last entry, is >= 0. */
type Row = Float64Array;

/** More rows than this are not worth the time; what is given up is left unproved. */
const MOST_ROWS = 400;

/** Divides by the common factor; over the integers the constant may then be rounded down. undefined: always true, or beyond exact numbers. */
function tighten(r: Row): Row | 'never' | undefined {
  const n = r.length - 1;
  let g = 0;
  for (let i = 0; i < n && g !== 1; i++) if (r[i] !== 0) g = gcd(r[i]!, g);
  if (g === 0) return r[n]! < 0 ? 'never' : undefined;
  if (g > 1) { for (let i = 0; i < n; i++) r[i] = r[i]! / g; r[n] = Math.floor(r[n]! / g); }
  for (let i = 0; i <= n; i++) if (!(Math.abs(r[i]!) <= 2 ** 51)) return undefined;
  return r;
}

const sameLinearPart = (a: Row, b: Row): boolean => {
  for (let i = a.length - 2; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
};

/** Rows without duplicates: of rows with one linear part, the strongest. */
function distinct(rows: readonly Row[]): Row[] {
  const best: Row[] = [], byHash = new Map<number, number[]>();
  for (const r of rows) {
    const n = r.length - 1;
    let hash = 0;
    for (let i = 0; i < n; i++) hash = (Math.imul(hash, 31) + r[i]!) | 0;
    const alike = byHash.get(hash), at = alike?.find((k) => sameLinearPart(best[k]!, r));
    if (at !== undefined) {
      if (best[at]![n]! > r[n]!) best[at] = r;
      continue;
    }
    if (alike) alike.push(best.length);
    else byHash.set(hash, [best.length]);
    best.push(r);
  }
  return best;
}

/** r - k * e. */
function minus(r: Row, k: number, e: Row): Row {
  const out = new Float64Array(r.length);
  for (let i = 0; i < r.length; i++) out[i] = r[i]! - k * e[i]!;
  return out;
}

/** The first unknown of an equation, but for `keep`, whose coefficient is 1 or -1; -1 where there is none. */
function unit(r: Row, keep: number): number {
  for (let j = 0; j < r.length - 1; j++) if (j !== keep && (r[j] === 1 || r[j] === -1)) return j;
  return -1;
}

/** Rows of a system with equations used up: each with a unit coefficient replaces that unknown. */
function substituteEquations(all: readonly { readonly row: Row; readonly eq: boolean }[], keep: number): Row[] {
  const eqs: Row[] = [], rows: Row[] = [];
  for (const { row, eq } of all) (eq ? eqs : rows).push(row);
  for (;;) {
    let pick = 0, at = -1;
    while (pick < eqs.length && (at = unit(eqs[pick]!, keep)) < 0) pick++;
    if (at < 0) break;
    const [e] = eqs.splice(pick, 1) as [Row], s = e[at]!;
    for (const list of [eqs, rows]) for (let i = 0; i < list.length; i++) {
      const k = list[i]![at]! * s;
      if (k !== 0) list[i] = minus(list[i]!, k, e);
    }
  }
  // An equation without such an unknown is two rows.
  return [...rows, ...eqs, ...eqs.map((r) => minus(new Float64Array(r.length), 1, r))];
}

/** Projects the system on `keep` (-1: on nothing). undefined: it has no solution. 'many': given up. */
function project(all: readonly { readonly row: Row; readonly eq: boolean }[], keep: number): readonly Row[] | undefined | 'many' {
  const first = substituteEquations(all, keep);
  /** Adds rows to others; false: one of them never holds. */
  const take = (list: readonly Row[], to: Row[]): boolean => {
    for (const r of list) {
      const t = tighten(r);
      if (t === 'never') return false;
      if (t) to.push(t);
    }
    return true;
  };
  const tight: Row[] = [];
  if (!take(first, tight)) return undefined;
  let rows = distinct(tight);
  const n = (all[0]?.row.length ?? 1) - 1;
  for (;;) {
    let best = -1, cost = Infinity;
    for (let v = 0; v < n; v++) {
      if (v === keep) continue;
      let pos = 0, neg = 0, unitUp = true, unitDown = true;
      for (const r of rows) {
        const q = r[v]!;
        if (q > 0) { pos++; unitUp &&= q === 1; } else if (q < 0) { neg++; unitDown &&= q === -1; }
      }
      if (pos + neg === 0) continue;
      // With unit coefficients on one side nothing is lost over the integers (Pugh, "The Omega test", 1991): those go first.
      const c = pos * neg - pos - neg + (unitUp || unitDown ? 0 : 1000);
      if (c < cost) { cost = c; best = v; }
    }
    if (best < 0) return rows;
    const up: Row[] = [], down: Row[] = [], next: Row[] = [], sums: Row[] = [];
    for (const r of rows) (r[best]! > 0 ? up : r[best]! < 0 ? down : next).push(r);
    if (next.length + up.length * down.length > MOST_ROWS) return 'many';
    for (const a of up) for (const b of down) {
      const p = a[best]!, q = -b[best]!, g = gcd(p, q);
      const sum = new Float64Array(n + 1);
      for (let i = 0; i <= n; i++) sum[i] = a[i]! * (q / g) + b[i]! * (p / g);
      sums.push(sum);
    }
    if (!take(sums, next)) return undefined;
    rows = distinct(next);
  }
}

function matrix(system: readonly Constraint[], extra: Form | undefined): { rows: { row: Row; eq: boolean }[]; keep: number } {
  const column = new Map<number, number>();
  const note = (f: Form): void => { for (const id of f.t.keys()) if (!column.has(id)) column.set(id, column.size); };
  for (const s of system) note(s.f);
  if (extra) note(extra);
  const n = column.size + (extra ? 1 : 0), keep = extra ? n - 1 : -1;
  const row = (f: Form): Row => {
    const r = new Float64Array(n + 1);
    for (const [id, q] of f.t) r[column.get(id)!] = q;
    r[n] = f.c;
    return r;
  };
  const rows = system.map((s) => ({ row: row(s.f), eq: s.eq === true }));
  if (extra) { const r = row(extra); r[keep] = -1; rows.push({ row: r, eq: true }); }
  return { rows, keep };
}

/** Does the system have no solution in integers? (Fourier and Motzkin, with rounding.) false: it has one, or that was not found out. */
export const infeasible = (system: readonly Constraint[]): boolean => project(matrix(system, undefined).rows, -1) === undefined;

/** A number that f is never below while the system holds; Infinity where the system has no solution. */
export function lowestOf(f: Form, system: readonly Constraint[]): number {
  const { rows, keep } = matrix(system, f), left = project(rows, keep);
  if (left === undefined) return Infinity;
  if (left === 'many') return -Infinity;
  let low = -Infinity;
  for (const r of left) if (r[keep]! > 0) low = Math.max(low, Math.ceil(-r[r.length - 1]! / r[keep]!));
  return low;
}
