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
  for (let i = 0; i < n; i++) if (r[i] !== 0) g = g === 1 ? 1 : gcd(r[i]!, g);
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

/** Rows of a system with equations used up: each with a unit coefficient replaces that unknown. undefined where the system has no solution. */
function substituteEquations(all: readonly { readonly row: Row; readonly eq: boolean }[], keep: number): Row[] | undefined {
  let eqs = all.filter((x) => x.eq).map((x) => x.row), rows = all.filter((x) => !x.eq).map((x) => x.row);
  for (;;) {
    let pick = -1, at = -1;
    eqs.some((r, i) => { at = r.subarray(0, r.length - 1).findIndex((q, j) => j !== keep && Math.abs(q) === 1); pick = i; return at >= 0; });
    if (at < 0) break;
    const e = eqs[pick]!, s = e[at]!;
    const without = (r: Row): Row => { const k = r[at]! * s; return k === 0 ? r : r.map((x, i) => x - k * e[i]!); };
    eqs = eqs.filter((_, i) => i !== pick).map(without);
    rows = rows.map(without);
  }
  return [...rows, ...eqs, ...eqs.map((r) => r.map((x) => -x))];
}

/** Projects the system on `keep` (-1: on nothing). undefined: it has no solution. 'many': given up. */
function project(all: readonly { readonly row: Row; readonly eq: boolean }[], keep: number): readonly Row[] | undefined | 'many' {
  const first = substituteEquations(all, keep);
  let rows: Row[] = [];
  const take = (list: readonly Row[]): boolean => {
    const out: Row[] = [];
    for (const r of list) {
      const t = tighten(r);
      if (t === 'never') return false;
      if (t) out.push(t);
    }
    rows = distinct(out);
    return true;
  };
  if (!first || !take(first)) return undefined;
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
    const up = rows.filter((r) => r[best]! > 0), down = rows.filter((r) => r[best]! < 0), next = rows.filter((r) => r[best] === 0);
    if (next.length + up.length * down.length > MOST_ROWS) return 'many';
    for (const a of up) for (const b of down) {
      const p = a[best]!, q = -b[best]!, g = gcd(p, q);
      const sum = new Float64Array(n + 1);
      for (let i = 0; i <= n; i++) sum[i] = a[i]! * (q / g) + b[i]! * (p / g);
      next.push(sum);
    }
    if (!take(next)) return undefined;
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
