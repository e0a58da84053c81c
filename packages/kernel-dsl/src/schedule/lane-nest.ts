import { add, boundBy, buffersOf, constant, isConst, mul, operands, visitStmt } from '../ir/index.ts';
import type { Expr, For, Stmt } from '../ir/index.ts';

/** Is it a loop over the lanes of a workgroup? */
export const isLane = (s: Stmt): s is For => s.kind === 'for' && s.loop.startsWith('lane.');

/** The lane loops of one workgroup, outermost first. */
export interface LaneNest {
  readonly loops: readonly For[];
  /** What every lane runs. */
  readonly body: Stmt;
  /** How many lanes there are. */
  readonly size: number;
  /** The number of a lane in its workgroup: x counts fastest. */
  readonly number: Expr;
}

/** The nest that begins with a lane loop. */
export function laneNest(top: For): LaneNest {
  const loops: For[] = [];
  let body: Stmt = top;
  for (; isLane(body); body = body.body) loops.push(body);
  const size = loops.reduce((n, l) => n * (isConst(l.extent) ? l.extent.value : NaN), 1);
  const number = (['lane.z', 'lane.y', 'lane.x'] as const).reduce<Expr>((n, place) => {
    const l = loops.find((x) => x.loop === place);
    return l ? add(mul(n, l.extent), l.v) : n;
  }, constant(0));
  return { loops, body, size, number };
}

/** The names inside of a nest whose values differ from lane to lane: the lanes' own, and what is computed from them or read from memory. */
export function lanesOwn(nest: LaneNest): ReadonlySet<number> {
  const own = new Set<number>(nest.loops.map((l) => l.v.id));
  visitStmt(nest.body, (s) => {
    const v = boundBy(s);
    if (v && s.kind !== 'for' && (s.kind !== 'let' || differs(s.value, own))) own.add(v.id);
  });
  return own;
}

/** May a value differ from lane to lane? */
export const differs = (e: Expr, own: ReadonlySet<number>): boolean =>
  e.kind === 'load' || e.kind === 'subgroup' || (e.kind === 'var' && own.has(e.id)) || operands(e).some((x) => differs(x, own));

/** The name of shared memory that lanes write, if they do. */
export const sharedIn = (s: Stmt): string | undefined => [...buffersOf(s).values()].find((b) => b.buf.space === 'shared' && b.writes > 0)?.buf.name;
