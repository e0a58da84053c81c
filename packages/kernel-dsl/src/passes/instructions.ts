import { DslError } from '../errors/index.ts';
import { argsOf, matchInstruction } from '../instructions/index.ts';
import { add, constant, isConst, mapExpr, mapOwnExprs, mapStmt, mul, newBuffer, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, Instr, InstrArg, KernelIR, Stmt } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';

/**
 * Puts instructions with their arguments in the place of the loops that schedules matched with them. The match is made once more, on the final
 * program. Dimensions that one operand spans become one, so that it is a row of its buffer.
 * @throws DslError KD-L-INSTR: a later step changed the loops, or the target lacks the instruction.
 */
export function instructions(k: KernelIR, target: Target): KernelIR {
  const merged = new Map<number, number>();
  const body = mapStmt(k.body, (s) => {
    if (s.kind !== 'instr' || !s.body) return s;
    const fail = (why: string): never => { throw new DslError('KD-L-INSTR', { name: s.def.name, why }, s); };
    const missing = s.def.needs.filter((f) => !target.features.includes(f));
    if (missing.length > 0) fail(`${target.isa} has no ${missing.join(', ')}`);
    const m = matchInstruction(s.def, s.body);
    if ('why' in m) return fail(m.why);
    for (const [name, p] of m.places) {
      if (s.def.passing[name] !== 'vector' && s.def.passing[name] !== 'word') continue;
      const first = p.walk.flatMap((w) => w.flatMap((x, d) => (x === 0 ? [] : [d])));
      merged.set(p.buf.id, Math.max(merged.get(p.buf.id) ?? 1, p.buf.shape.length - Math.min(p.buf.shape.length - 1, ...first)));
    }
    const { body: _, ...node } = s;
    return { ...node, args: argsOf(s.def, m) } satisfies Instr;
  });
  return { ...k, body: merge(body!, merged) };
}

/** Joins the last dimensions of buffers, as many as their entry says. */
function merge(s: Stmt, dims: ReadonlyMap<number, number>): Stmt {
  const to = new Map<number, { buf: Buffer; keep: number; sizes: readonly number[] }>();
  const see = (b: Buffer): void => {
    const n = dims.get(b.id) ?? 1;
    if (n < 2 || to.has(b.id)) return;
    const keep = b.shape.length - n, sizes = b.shape.slice(keep).map((e) => (isConst(e) ? e.value : NaN));
    to.set(b.id, { keep, sizes, buf: newBuffer({ ...b, shape: [...b.shape.slice(0, keep), constant(sizes.reduce((x, y) => x * y, 1))] }) });
  };
  visitStmt(s, (x) => { if (x.kind === 'alloc') see(x.buf); });
  visitExprs(s, (e) => { if (e.kind === 'load') see(e.buf); });
  if (to.size === 0) return s;
  const flat = (b: Buffer, index: readonly Expr[]): readonly Expr[] => {
    const m = to.get(b.id);
    return m ? [...index.slice(0, m.keep), index.slice(m.keep).reduce((x, e, d) => add(mul(x, constant(m.sizes[d]!)), e), constant(0) as Expr)] : index;
  };
  const walked = (b: Buffer, w: readonly number[]): readonly number[] => {
    const m = to.get(b.id);
    return m ? [...w.slice(0, m.keep), w.slice(m.keep).reduce((x, n, d) => x * m.sizes[d]! + n, 0)] : w;
  };
  const of = (b: Buffer): Buffer => to.get(b.id)?.buf ?? b;
  return mapStmt(s, (x) => {
    const y = mapOwnExprs(x, (e) => mapExpr(e, (l) => (l.kind === 'load' && to.has(l.buf.id) ? { ...l, buf: of(l.buf), index: flat(l.buf, l.index) } : l)));
    if (y.kind === 'alloc') return { ...y, buf: of(y.buf) };
    if (y.kind === 'store' || y.kind === 'accum') return { ...y, buf: of(y.buf), index: flat(y.buf, y.index) };
    if (y.kind === 'instr') return { ...y, args: y.args.map((a): InstrArg => (a.kind === 'place' ? { ...a, buf: of(a.buf), index: flat(a.buf, a.index), walk: a.walk.map((w) => walked(a.buf, w)) } : a)) };
    return y;
  })!;
}
