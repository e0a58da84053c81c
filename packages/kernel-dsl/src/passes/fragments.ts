import { add, and, binary, bitcast, block, buffersOf, bytesOf, cast, compare, constant, isConst, join, load, mapExprs, mapStmt, mul, newVar, printExpr, renew, select, substitute, substituteExpr, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, DType, Expr, For, If, Stmt, Store, Var } from '../ir/index.ts';
import { noTeam } from './team.ts';

/**
 * A register of a team in a program, and the array of registers that each of its lanes has for it. `tile`: rows x columns. `words`: the same of 16-bit floats, two
 * neighbours in a register. `rows`: a value for each row, which the four lanes that share the row hold alike.
 */
export interface Fragment { readonly whole: Buffer; readonly own: Buffer; readonly form: 'tile' | 'words' | 'rows' }

/** Lanes that act as one, and the rows of a tile that one product of theirs has: 16 for each warp. */
export interface TeamKind { readonly lanes: 32 | 128; readonly rows: 16 | 64 }
/** Four warps side by side. */
export const WARPGROUP: TeamKind = { lanes: 128, rows: 64 };
/** A warp alone. */
export const WARP: TeamKind = { lanes: 32, rows: 16 };
/** A team in a program: its kind, and the loops over teams, outermost first. */
export interface Team extends TeamKind { readonly vars: readonly Var[] }

/**
 * Which elements of a tile of rows x N a lane holds, as products of warps and of warpgroups leave them: register 4 j + 2 h + b of lane l in block m of `rows` rows is
 * the element in row rows m + 16 (l / 32) + (l mod 32) / 4 + 8 h and column 8 j + 2 (l mod 4) + b.
 */
export const rowOf = (t: TeamKind, lane: Expr, m: Expr, h: Expr): Expr => add(add(warpRow(t, lane, m), binary('div', t.lanes === 32 ? lane : binary('mod', lane, constant(32)), constant(4))), mul(h, constant(8)));
/** The first row of a lane's warp. */
const warpRow = (t: TeamKind, lane: Expr, m: Expr): Expr => add(mul(m, constant(t.rows)), t.lanes === 32 ? constant(0) : mul(binary('div', lane, constant(32)), constant(16)));
/** The column that goes with {@link rowOf}. */
export const colOf = (lane: Expr, j: Expr, b: Expr): Expr => add(add(mul(j, constant(8)), mul(binary('mod', lane, constant(4)), constant(2))), b);

/** Does an index begin with the team itself? */
export const isOwn = (index: readonly Expr[], team: Team): boolean => team.vars.every((v, i) => { const e = index[i]; return e?.kind === 'var' && e.id === v.id; });

/** Where a fragment's registers begin for an index of its outer dimensions: the team's own, then one after another. */
export function offsetOf(f: Fragment, index: readonly Expr[], team: Team, s: Stmt): Expr {
  const shape = f.whole.shape.map((e) => (isConst(e) ? e.value : noTeam(`${f.whole.name} has no constant shape`, s))), n = team.vars.length;
  if (!isOwn(index, team)) return noTeam(`${f.whole.name}[${index.map(printExpr).join(', ')}] is not of the team itself`, s);
  return mul(index.slice(n, -2).reduce<Expr>((o, e, i) => add(mul(o, constant(shape[i + n]!)), e), constant(0)), constant(tileRegisters(f.whole, team)));
}

/** Registers that a lane has for one tile of a buffer. */
export const tileRegisters = (b: Buffer, { lanes }: TeamKind): number => b.shape.slice(-2).reduce((n, e) => n * (isConst(e) ? e.value : 0), 1) / lanes;

/** A buffer that teams hold in registers, as one lane has it: `dims` of its dimensions are for the teams. `own` makes the array. @throws DslError KD-L-TEAM */
export function fragmentOf(b: Buffer, own: (n: number, dtype: DType) => Buffer, s: Stmt, kind: TeamKind, dims = 1): Fragment {
  const shape = b.shape.map((e) => (isConst(e) ? e.value : 0)), fits = (rows: number): boolean => (kind === WARPGROUP ? rows === 64 : rows > 0 && rows % kind.rows === 0);
  if (shape.length === dims + 1 && fits(shape.at(-1)!)) return { whole: b, own: own(shape.at(-1)! / kind.rows * 2, b.dtype), form: 'rows' };
  if (shape.length < dims + 2 || !fits(shape.at(-2)!) || shape.at(-1)! % 8 !== 0) return noTeam(`${b.name} has the shape [${shape.join(', ')}]; registers of teams have ${dims === 1 ? 'one dimension' : `${dims} dimensions`} for the teams and end in tiles of ${kind === WARPGROUP ? '64' : `a multiple of ${kind.rows}`} x N, or in as many rows`, s);
  const n = shape.slice(dims).reduce((x, y) => x * y, 1) / kind.lanes;
  return bytesOf(b.dtype) === 2 ? { whole: b, own: own(n / 2, 'u32'), form: 'words' } : { whole: b, own: own(n, b.dtype), form: 'tile' };
}

/**
 * A loop nest over whole tiles of fragments, dealt out: each lane walks over its own elements. The nest holds one loop over the rows and one over the N columns
 * whose variables are the last two indices of every fragment in it.
 */
export function distribute(nest: Stmt, fragments: ReadonlyMap<number, Fragment>, team: Team, lane: Expr): Stmt {
  let row: Var | undefined, col: Var | undefined;
  const see = (b: Buffer, index: readonly Expr[], s: Stmt): void => {
    const f = fragments.get(b.id);
    if (!f) return;
    const [r, c] = f.form === 'rows' ? [index.at(-1), col] : index.slice(-2);
    if (f.form === 'rows' && r?.kind === 'var' && (!row || row.id === r.id) && isOwn(index, team)) { row = r; return; }
    if (r?.kind !== 'var' || c?.kind !== 'var' || (row && row.id !== r.id) || (col && col.id !== c.id)) noTeam(`${b.name}[${index.map(printExpr).join(', ')}] is not reached by loops over whole tiles`, s);
    row = r as Var;
    col = c as Var;
  };
  visitStmt(nest, (s) => { if (s.kind === 'store' || s.kind === 'accum') see(s.buf, s.index, s); });
  visitExprs(nest, (e, s) => { if (e.kind === 'load') see(e.buf, e.index, s); });
  if (!row || !col) return noTeam('work of a team that is neither a product nor a loop over its registers', nest);
  const r: Var = row, c: Var = col, loops = new Map<number, For>();
  visitStmt(nest, (s) => { if (s.kind === 'for' && (s.v.id === r.id || s.v.id === c.id)) loops.set(s.v.id, s); });
  const rows = loops.get(r.id), cols = loops.get(c.id);
  if (!rows || !cols || !isConst(rows.extent) || rows.extent.value % team.rows !== 0 || !isConst(cols.extent)) return noTeam('the loops over a tile of registers are not in one nest', nest);
  const n = cols.extent.value, inner = mapStmt(nest, (s) => (s === rows || (s.kind === 'for' && (s.v.id === r.id || s.v.id === c.id)) ? s.body : s))!;
  const blocks = rows.extent.value / team.rows, block0 = newVar('m'), m: Expr = blocks === 1 ? constant(0) : block0;
  const j = newVar('j'), h = newVar('h'), b = newVar('b'), own = add(add(mul(add(mul(m, constant(n / 8)), j), constant(4)), mul(h, constant(2))), b);
  const placed = (body: Stmt, pair: Expr): Stmt => {
    const at = new Map<number, Expr>([[r.id, rowOf(team, lane, m, h)], [c.id, colOf(lane, j, pair)]]);
    const slot = (f: Fragment, index: readonly Expr[]): Expr => (f.form === 'rows' ? add(mul(m, constant(2)), h) : add(offsetOf(f, index, team, nest), substituteExpr(own, new Map([[b.id, pair]]))));
    const reads = mapExprs(body, (e) => { const f = e.kind === 'load' ? fragments.get(e.buf.id) : undefined; return e.kind === 'load' && f ? load(f.own, [slot(f, e.index)], { loc: e.loc }) : e; });
    const writes = mapStmt(reads, (s) => { const f = s.kind === 'store' || s.kind === 'accum' ? fragments.get(s.buf.id) : undefined; return (s.kind === 'store' || s.kind === 'accum') && f ? { ...s, buf: f.own, index: [slot(f, s.index)] } : s; })!;
    return substitute(writes, at);
  };
  const loop = (v: Var, extent: number, body: Stmt): For => ({ kind: 'for', v, extent: constant(extent), loop: 'seq', unrolled: true, body, loc: nest.loc, step: nest.step });
  const down = (body: Stmt): Stmt => (blocks === 1 ? body : loop(block0, blocks, body));
  const each = loop(b, 2, placed(inner, b)), only = storeIn(inner, fragments, c);
  if (!only) return down(loop(j, n / 8, loop(h, 2, each)));
  if (bytesOf(only.store.buf.dtype) === 2 && n % 16 === 0 && only.guards.every((g) => ends(g.cond, r, c))) {
    // Tiles come in pairs: j stands for the first of both.
    const pair = newVar('pair'), shifted = (x: Stmt, by: number): Stmt => substitute(renew(x).stmt, new Map([[j.id, add(mul(pair, constant(2)), constant(by))]]));
    const value = (k: number, e: number): Expr => (shifted(placed(only.store, constant(e)), k) as Store).value;
    const tile: Pair = { place: (e) => ({ row: rowOf(team, lane, m, h), first: add(mul(pair, constant(16)), e) }), last: add(warpRow(team, lane, m), constant(15)) };
    return down(loop(pair, n / 16, loop(h, 2, quads(only, value, tile, lane, r, c, block([shifted(each, 0), shifted(each, 1)])))));
  }
  return down(loop(j, n / 8, loop(h, 2, pairs(only, placed, each, c))));
}

/** What a nest does where it is one store to a tensor, its columns next to each other, under guards. */
interface Single { readonly store: Store; readonly guards: readonly If[] }
/** Where a lane's elements of two neighbouring tiles lie, and the last row of its warp in them. */
interface Pair { readonly place: (column: Expr) => { readonly row: Expr; readonly first: Expr }; readonly last: Expr }

function storeIn(body: Stmt, fragments: ReadonlyMap<number, Fragment>, c: Var): Single | undefined {
  let s = body;
  const guards: If[] = [];
  while (s.kind === 'if' || s.kind === 'region' || (s.kind === 'block' && s.body.length === 1)) {
    if (s.kind === 'if') { if (s.else) return undefined; guards.push(s); s = s.then; } else s = s.kind === 'region' ? s.body : s.body[0]!;
  }
  if (s.kind !== 'store' || fragments.has(s.buf.id) || (s.buf.space !== 'param' && s.buf.space !== 'pack') || s.buf.packed || s.buf.strided) return undefined;
  const last = s.index.at(-1)!, others = s.index.slice(0, -1);
  if (!usesVar(last, c) || others.some((e) => usesVar(e, c)) || buffersOf({ ...s, buf: { ...s.buf, id: -1 } }).has(s.buf.id)) return undefined;
  // Their columns are neighbours where the index moves by one with the column.
  if (!isNext(last, c)) return undefined;
  return { store: s, guards };
}

/** Two neighbouring columns as one store; `each` is what runs where the second one may not exist. */
function pairs({ store, guards }: Single, placed: (s: Stmt, pair: Expr) => Stmt, each: Stmt, c: Var): Stmt {
  const a = placed(store, constant(0)) as Store, b = placed(store, constant(1)) as Store, both: Stmt = { ...a, value: join([a.value, b.value], store.loc) };
  if (guards.length === 0) return both;
  const at = (g: If, pair: number): Expr => (placed({ kind: 'assume', cond: g.cond, text: '' }, constant(pair)) as Extract<Stmt, { kind: 'assume' }>).cond;
  // Of conditions that do not speak of columns, one is enough.
  const cond = guards.flatMap((g) => (usesVar(g.cond, c) ? [at(g, 0), at(g, 1)] : [at(g, 0)])).reduce(and);
  return { kind: 'if', cond, then: both, else: each, loc: store.loc, step: store.step };
}

/**
 * Of halves, four neighbouring columns as one store: of two tiles next to each other, lanes of even number give the second one's columns to their neighbour and get
 * those of the first. So a row's stores fill 32 bytes, the unit in which memory is written.
 */
function quads({ store, guards }: Single, value: (tile: number, column: number) => Expr, { place, last }: Pair, lane: Expr, r: Var, c: Var, each: Stmt): Stmt {
  const at = { loc: store.loc, step: store.step }, t = store.buf.dtype, lets: Stmt[] = [], u32 = (x: number): Expr => constant(x, 'u32');
  const name = (stem: string, x: Expr): Expr => { const v = newVar(stem, x.dtype, 1, store.loc); lets.push({ kind: 'let', v, value: x, ...at }); return v; };
  const word = (k: number): Expr => {
    const half = (e: number): Expr => cast(bitcast(value(k, e), 'u16'), 'u32');
    return name(`tile_${k}`, binary('or', half(0), binary('shl', half(1), u32(16))));
  };
  const first = word(0), second = word(1), odd = name('odd', compare('ne', binary('mod', lane, constant(2)), constant(0)));
  const sent = name('sent', select(odd, first, second)), got = name('got', { kind: 'subgroup', fn: 'shuffleXor', dtype: 'u32', lanes: 1, x: sent, lane: constant(1) });
  const low = name('low', select(odd, got, first)), high = name('high', select(odd, second, got));
  const part = (w: Expr, e: number): Expr => bitcast(cast(e ? binary('shr', w, u32(16)) : binary('and', w, u32(0xffff)), 'u16'), t);
  const from = add(mul(select(odd, constant(1), constant(0)), constant(8)), mul(binary('div', binary('mod', lane, constant(4)), constant(2)), constant(4))), p = place(from);
  const with_ = (e: Expr, extra: number): Expr => substituteExpr(e, new Map<number, Expr>([[r.id, p.row], [c.id, add(p.first, constant(extra))]]));
  const all: Stmt = { ...store, index: store.index.map((e) => with_(e, 0)), value: join([part(low, 0), part(low, 1), part(high, 0), part(high, 1)], store.loc) };
  if (guards.length === 0) return block([...lets, all]);
  // All lanes of a warp must come by: where not all of its 16 rows and 16 columns exist, elements are stored one by one. In between nothing is read that is not there.
  const corner = new Map<number, Expr>([[r.id, last], [c.id, add(place(constant(0)).first, constant(15))]]);
  return { kind: 'if', cond: guards.map((g) => substituteExpr(g.cond, corner)).reduce(and), then: block([...lets, all]), else: each, ...at };
}

/** Does a condition hold everywhere in a block where it holds in its last row and column: does it say where rows and columns end, and nothing else of them? */
function ends(e: Expr, r: Var, c: Var): boolean {
  const free = (x: Expr): boolean => !usesVar(x, r) && !usesVar(x, c);
  const rises = (x: Expr): boolean => free(x) || x.kind === 'var' || (x.kind === 'binary' && rises(x.a) && (x.fn === 'add' ? rises(x.b) : x.fn === 'mul' && isConst(x.b) && x.b.value >= 0));
  return e.kind === 'binary' && e.fn === 'and' ? ends(e.a, r, c) && ends(e.b, r, c) : free(e) || (e.kind === 'cmp' && (e.fn === 'lt' || e.fn === 'le') && rises(e.a) && free(e.b));
}

/** Is e a sum in which v stands once, by itself? */
function isNext(e: Expr, v: Var): boolean {
  if (e.kind === 'var') return e.id === v.id;
  if (e.kind !== 'binary' || e.fn !== 'add') return false;
  return (isNext(e.a, v) && !usesVar(e.b, v)) || (isNext(e.b, v) && !usesVar(e.a, v));
}
