import { DslError } from '../errors/index.ts';
import { block, mapChildren, mapExpr, visitExpr, visitStmt } from '../ir/index.ts';
import type { Assume, Expr, Stmt } from '../ir/index.ts';

/**
 * The body with its assumptions in front, where they are checked before anything is written: plain ones, and loops that hold nothing else,
 * which state something of each element of a tensor. Names in conditions give way to what they stand for.
 * @throws DslError KD-ASSUME-PLACE, KD-ASSUME-READS
 */
export function assumptionsFirst(body: Stmt): Stmt {
  const names = new Map<number, Expr>(), checks: Stmt[] = [];
  let some = false;
  visitStmt(body, (s) => {
    if (s.kind === 'let') names.set(s.v.id, s.value);
    some ||= s.kind === 'assume';
  });
  if (!some) return body;
  const plain = (e: Expr): Expr => mapExpr(e, (x) => { const value = x.kind === 'var' ? names.get(x.id) : undefined; return value ? plain(value) : x; });
  const check = (s: Assume, loops: ReadonlySet<number>): Assume => {
    const cond = plain(s.cond);
    visitExpr(cond, (e) => {
      if (e.kind === 'var' && !loops.has(e.id)) throw new DslError('KD-ASSUME-PLACE', { axis: e.name }, { loc: s.loc });
      if (e.kind === 'load' && (e.buf.space !== 'param' || e.buf.access === 'out')) throw new DslError('KD-ASSUME-READS', { name: e.buf.name }, { loc: s.loc });
    });
    return { ...s, cond };
  };
  /** A loop of checks, or undefined where it does something else too. */
  const pure = (s: Stmt, loops: ReadonlySet<number>): Stmt | undefined => {
    switch (s.kind) {
      case 'assume': return check(s, loops);
      case 'let': return block([]);
      case 'block': {
        const all = s.body.map((x) => pure(x, loops));
        return all.every((x) => x !== undefined) ? block(all as Stmt[]) : undefined;
      }
      case 'for': {
        const inside = onlyChecks(s.body) ? pure(s.body, new Set([...loops, s.v.id])) : undefined;
        return inside && { ...s, extent: plain(s.extent), body: inside };
      }
      default: return undefined;
    }
  };
  const rest = (s: Stmt): Stmt | null => {
    if (s.kind === 'assume') { checks.push(check(s, new Set())); return null; }
    if (s.kind === 'for' && onlyChecks(s)) {
      const c = pure(s, new Set());
      if (c) { checks.push(c); return null; }
    }
    return mapChildren(s, rest);
  };
  const others = rest(body);
  return block([...checks, ...(others ? [others] : [])]);
}

/** Does a statement hold assumptions, and nothing but them? */
function onlyChecks(s: Stmt): boolean {
  let checks = 0, others = 0;
  visitStmt(s, (x) => {
    if (x.kind === 'assume') checks++;
    else if (x.kind !== 'for' && x.kind !== 'block' && x.kind !== 'let') others++;
  });
  return checks > 0 && others === 0;
}
