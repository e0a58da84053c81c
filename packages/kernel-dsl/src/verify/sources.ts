import { add, constant, sameExpr, sub, usesVar } from '../ir/index.ts';
import type { Const, Expr, For, Var } from '../ir/index.ts';
import type { Access, Around } from './program.ts';

/** A write that may come before a read: they share the first `shared` things around them; `earlier` is a loop of which the write ran in an iteration before. */
export interface Source { readonly write: Access; readonly shared: number; readonly earlier: For | undefined }

/**
 * The sources that may have written a read's element, those joined that are one write: of one place in both ways that an `if` may go, whatever
 * its condition; of neighbours one by one, in statements or in a loop of so many.
 */
export function joined(read: Access, all: readonly Source[]): Source[] {
  const out: Source[] = [];
  for (const s of all) {
    if (elsewhere(read, s.write)) continue;
    let made = asRun(s);
    // What is joined with one may be the other half of the next.
    for (let at = 0; at < out.length; at++) {
      const both = bothWays(out[at]!, made) ?? neighbours(out[at]!, made);
      if (!both) continue;
      out.splice(at, 1);
      made = asRun(both);
      at = -1;
    }
    out.push(made);
  }
  return out;
}

/** Do writes at constant places, under nothing but what surrounds the read, fill the whole buffer? */
export function filled(sources: readonly Source[]): boolean {
  const [first] = sources, shape = first?.write.buf.shape.map((e) => (e.kind === 'const' ? e.value : Infinity)) ?? [], size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 0 || size > 4096) return false;
  const full = new Uint8Array(size);
  for (const { write: { index, width, lanes, place }, shared, earlier } of sources) {
    if (earlier || place.path.length !== shared || lanes > 1 || !index.every((e) => e.kind === 'const')) continue;
    const at = index.reduce((sum, e, d) => sum * shape[d]! + (e as Const).value, 0);
    full.fill(1, at, at + width);
  }
  return full.every((x) => x === 1);
}

/** Places whose constants alone tell them apart. */
function elsewhere(a: Access, b: Access): boolean {
  if (a.lanes > 1 || b.lanes > 1) return false;
  return a.index.some((e, d) => {
    const w = b.index[d]!, last = d === a.index.length - 1;
    return e.kind === 'const' && w.kind === 'const' && (e.value + (last ? a.width : 1) <= w.value || w.value + (last ? b.width : 1) <= e.value);
  });
}

const under = (s: Source, path: readonly Around[], width = s.write.width, index = s.write.index): Source => ({ ...s, write: { ...s.write, width, index, place: { ...s.write.place, path } } });

/** One write for the two in the branches of one `if`. */
function bothWays(a: Source, b: Source): Source | undefined {
  const x = a.write, y = b.write, p = x.place.path, q = y.place.path, at = p.length - 1, here = p[at], there = q[at];
  if (a.shared !== b.shared || a.earlier !== b.earlier || at < a.shared || q.length !== p.length || here?.kind !== 'branch' || there?.kind !== 'branch') return undefined;
  if (here.of !== there.of || here.holds === there.holds || x.width !== y.width || x.lanes !== y.lanes || !x.index.every((e, d) => sameExpr(e, y.index[d]!))) return undefined;
  return p.every((l, k) => k === at || sameAround(l, q[k]!)) ? under(a, p.slice(0, at)) : undefined;
}

/** One write for two, at constants, that overlap or lie side by side. */
function neighbours(a: Source, b: Source): Source | undefined {
  const x = a.write, y = b.write, p = x.place.path, q = y.place.path, i = x.index.at(-1), j = y.index.at(-1);
  if (a.shared !== b.shared || a.earlier !== b.earlier || x.lanes > 1 || y.lanes > 1 || i?.kind !== 'const' || j?.kind !== 'const' || i.value + x.width < j.value || j.value + y.width < i.value) return undefined;
  if (p.length !== q.length || !p.every((l, k) => sameAround(l, q[k]!)) || !x.index.every((e, d) => d === x.index.length - 1 || sameExpr(e, y.index[d]!))) return undefined;
  const from = Math.min(i.value, j.value);
  return under(a, p, Math.max(i.value + x.width, j.value + y.width) - from, [...x.index.slice(0, -1), constant(from)]);
}
const sameAround = (a: Around, b: Around): boolean => a === b || (a.kind === 'branch' && b.kind === 'branch' && a.of === b.of && a.holds === b.holds);

/** A loop that writes one neighbour after the other, as one write of all. */
function asRun(s: Source): Source {
  const { place: { path }, index, width, lanes } = s.write, loop = path.at(-1), last = index.at(-1);
  if (path.length <= s.shared || loop?.kind !== 'for' || loop === s.earlier || loop.extent.kind !== 'const' || loop.extent.value < 1 || lanes > 1 || !last) return s;
  const base = without(last, loop.v, width);
  if (!base || index.some((e, d) => d < index.length - 1 && usesVar(e, loop.v))) return s;
  return asRun(under(s, path.slice(0, -1), width * loop.extent.value, [...index.slice(0, -1), base]));
}

/** What is left of `base + by * v`. */
function without(e: Expr, v: Var, by: number): Expr | undefined {
  if (e.kind === 'var' && e.id === v.id && by === 1) return constant(0);
  if (e.kind !== 'binary') return undefined;
  if (e.fn === 'mul') return (e.a.kind === 'var' && e.a.id === v.id && e.b.kind === 'const' && e.b.value === by) ? constant(0) : undefined;
  if (e.fn !== 'add' && e.fn !== 'sub') return undefined;
  const inA = usesVar(e.a, v), inB = usesVar(e.b, v);
  if (inA === inB || (inB && e.fn === 'sub')) return undefined;
  const rest = without(inA ? e.a : e.b, v, by);
  return rest && (inA ? (e.fn === 'add' ? add(rest, e.b) : sub(rest, e.b)) : add(e.a, rest));
}
