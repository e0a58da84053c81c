import { DslError } from '../errors/index.ts';
import { HOLD, WGMMA, argsOf, matchInstruction } from '../instructions/index.ts';
import { add, binary, block, bytesOf, constant, isConst, load, mapChildren, mapOwnExprs, min, substitute, substituteExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, CallArg, DeviceFunction, Expr, For, InstrArg, Stmt, Var } from '../ir/index.ts';
import { WARPGROUP, offsetOf, tileRegisters } from './fragments.ts';
import type { Fragment, Team } from './fragments.ts';
import { dealOut } from './fragment-rows.ts';
import { holds } from './grid.ts';
import { noTeam } from './team.ts';

/** Lanes of a team. */
export const TEAM = 128;

/** What a workgroup's program is made of. */
export interface Roles {
  readonly count: number;
  readonly lane: Var;
  readonly fragments: ReadonlyMap<number, Fragment>;
  /** Tiles by the id of the program's buffer. */
  readonly tiles: ReadonlyMap<number, Tile>;
  readonly rings: ReadonlyMap<For, readonly Ring[]>;
  /** The team of the lanes that run, where those of one role run. */
  readonly team: Expr;
  /** The loop over the workgroups of a cluster, and how many there are. */
  readonly cluster?: { readonly loop: For; readonly count: number } | undefined;
}
/** A ring of tiles, or of several that come together (by the ids of the program's buffers): its barriers, and where a role is in it. `shared`: those that workgroups of a cluster bring each other. */
export interface Ring { readonly shared: readonly number[]; readonly stages: number; readonly bytes: number; readonly tiles: readonly number[]; readonly full: Buffer; readonly empty: Buffer; readonly slot: Buffer; readonly parity: Buffer }
/** A tile in shared memory: one of a ring's, all of which lie in `buf`, or one alone, with the barrier that tells when it is there. */
export interface Tile { readonly buf: Buffer; readonly bytes: number; readonly ring?: Ring; readonly full?: Buffer }

/** The address of an element, as a function takes it. */
export const place = (buf: Buffer, ...index: Expr[]): CallArg => ({ kind: 'place', buf, index, writes: true });
/** A value, as a function takes it. */
export const value = (x: number | Expr): CallArg => ({ kind: 'value', value: typeof x === 'number' ? constant(x, 'i32') : x });
/** The tile of a ring that a role has come to. */
export const slotOf = (r: Ring): Expr => ({ kind: 'cast', dtype: 'i64', lanes: 1, x: load(r.slot, []) });
/** The index of a place in a tile. */
export const inTile = (t: Tile, ...index: Expr[]): readonly Expr[] => (t.ring ? [slotOf(t.ring), ...index] : index);
/** Does a team multiply there? */
export const holdsProducts = (s: For): boolean => holds(s.body, (y) => y.kind === 'instr' && y.def.team !== undefined);

/**
 * One team's share: products, or a loop over registers. `anew`: the products begin sums of their own, so that what was in the registers does not count. Until products
 * are waited for, their registers are not touched.
 */
export function teamWork(s: For, x: Roles, o: { readonly wait?: DeviceFunction; readonly anew?: boolean } = {}): Stmt {
  const own = new Map<number, Expr>([[s.v.id, x.team]]), team: Team = { ...WARPGROUP, vars: [s.v] };
  if (!holdsProducts(s)) visitExprs(s.body, (e, at) => { if (e.kind === 'load' && x.tiles.has(e.buf.id)) noTeam(`${e.buf.name} is read by something else than a product`, at); });
  if (!holdsProducts(s)) return substitute(dealOut(s.body, x.fragments, team, binary('mod', x.lane, constant(TEAM))), own);
  // Between the iterations of a ring products overlap, and nothing else touches the registers; elsewhere what touches them stays before or after.
  if (o.wait) return block([asked(s, x, false), { kind: 'call', fn: o.wait, args: [], loc: s.loc, step: s.step }]);
  return block([issue(s, x, o), settle(s, x, WGMMA.wait0)]);
}

/** Keeps the compiler from moving what touches registers over this place. */
const hold = (all: readonly Fragment[], s: Stmt): readonly Stmt[] => all.map((f) => ({ kind: 'call', fn: HOLD(f.own), args: [{ kind: 'array', buf: f.own }], loc: s.loc, step: s.step }));

function asked(s: For, x: Roles, anew: boolean): Stmt {
  const call = (fn: DeviceFunction): Stmt => ({ kind: 'call', fn, args: [], loc: s.loc, step: s.step });
  return block([call(WGMMA.fence), products(s.body, { x, team: { ...WARPGROUP, vars: [s.v] }, own: new Map<number, Expr>([[s.v.id, x.team]]), loops: [], anew }), call(WGMMA.commit)]);
}

/** Asks for products of a team, as a group. */
export const issue = (s: For, x: Roles, o: { readonly anew?: boolean } = {}): Stmt => block([...hold(registersOf(s, x).filter((f) => f.form === 'words' || !o.anew), s), asked(s, x, o.anew === true)]);

/** Waits for products that were asked for: their sums may be touched from here on. */
export const settle = (s: For, x: Roles, wait: DeviceFunction): Stmt => block([{ kind: 'call', fn: wait, args: [], loc: s.loc, step: s.step }, ...hold(registersOf(s, x).filter((f) => f.form === 'tile'), s)]);

/** The registers that products of a team add to or read. */
export function registersOf(s: For, x: Roles): readonly Fragment[] {
  const found = new Set<Fragment>(), see = (b: Buffer): void => { const f = x.fragments.get(b.id); if (f) found.add(f); };
  visitStmt(s, (p) => { if (p.kind === 'store' || p.kind === 'accum') see(p.buf); });
  visitExprs(s, (e) => { if (e.kind === 'load') see(e.buf); });
  return [...found];
}

/** Where a product stands. */
interface Around { readonly x: Roles; readonly team: Team; readonly own: ReadonlyMap<number, Expr>; readonly loops: readonly For[]; readonly anew: boolean }

function products(p: Stmt, a: Around): Stmt {
  const mine = (e: Expr): Expr => substituteExpr(e, a.own);
  if (p.kind === 'for') return mapOwnExprs(mapChildren(p, (c) => products(c, { ...a, loops: [...a.loops, p] })), mine);
  if (p.kind === 'block') {
    // Of several products, the first begins the sums.
    let { anew } = a;
    return block(p.body.map((c) => { const out = products(c, { ...a, anew }); anew &&= !holds(c, (y) => y.kind === 'instr'); return out; }));
  }
  if (p.kind !== 'instr' || !p.body) return mapOwnExprs(mapChildren(p, (c) => products(c, a)), mine);
  const text = p.def.team ?? noTeam(`${p.def.name} is no instruction of a team`, p), m = matchInstruction(p.def, p.body);
  if ('why' in m) throw new DslError('KD-L-INSTR', { name: p.def.name, why: m.why }, p);
  const held = p.def.passing['a'] === 'fragment', [first, second, sum] = argsOf(p.def, m).map((arg) => operand(arg, a, mine, held, p)) as [readonly CallArg[], readonly CallArg[], readonly CallArg[]];
  // The first product of sums that begin anew adds to nothing: that of the first iteration of all loops around.
  const more = a.anew ? min(constant(1), a.loops.reduce<Expr>((e, l) => add(e, l.v), constant(0))) : constant(1, 'i32');
  return { kind: 'call', fn: text.fn, args: [...sum, ...first, ...second, value(more)], loc: p.loc, step: p.step };
}

/** An operand as the function takes it: all registers of a sum, the four of a factor, or a place in a tile; beside a factor in registers, with the bytes from one piece of the tile to the next. */
function operand(arg: InstrArg, { x, team }: Around, mine: (e: Expr) => Expr, held: boolean, p: Stmt): readonly CallArg[] {
  if (arg.kind !== 'place') return [value(mine(arg.value))];
  const f = x.fragments.get(arg.buf.id);
  if (f?.form === 'tile') {
    const from = offsetOf(f, arg.index, team, p);
    if (!isConst(from, 0) || !isConst(arg.index.at(-1)!, 0) || !isConst(f.own.shape[0]!, tileRegisters(arg.buf, WARPGROUP))) return noTeam(`${f.whole.name} has several tiles a team: one is possible today`, p);
    return [{ kind: 'array', buf: f.own }];
  }
  if (f?.form === 'words') {
    const from = offsetOf(f, arg.index, team, p), col = mine(arg.index.at(-1)!);
    if (!isConst(from, 0)) return noTeam(`${f.whole.name} has several tiles a team: one is possible today`, p);
    return [0, 1, 2, 3].map((i) => value(load(f.own, [add(binary('div', col, constant(4)), constant(i))])));
  }
  if (f) return noTeam(`${f.whole.name} has one value a row, and is no factor`, p);
  const t = x.tiles.get(arg.buf.id);
  if (!t) return noTeam(`a product reads ${arg.buf.name}, which no bulk copy brings`, p);
  const to: CallArg = { kind: 'place', buf: t.buf, index: inTile(t, ...arg.index.map(mine)), writes: false };
  if (!held) return [to];
  const apart = arg.buf.shape.length < 3 ? 0 : arg.buf.shape.slice(1).reduce((n, e) => n * (isConst(e) ? e.value : 0), bytesOf(arg.buf.dtype));
  return [to, value(apart)];
}
