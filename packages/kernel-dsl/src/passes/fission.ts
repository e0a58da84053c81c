import { DslError } from '../errors/index.ts';
import { add, binary, block, boundBy, constant, isConst, load, mapOperands, mapOwnExprs, mapStmt, mul, newBuffer, newVar, operands, printExpr, select, sub, visitExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, DType, Expr, For, Let, Stmt, Subgroup } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';

const isExchange = (s: Stmt): s is Let & { value: Subgroup } => s.kind === 'let' && s.value.kind === 'subgroup';

/** The first place in a statement where lanes meet. */
function meetingIn(s: Stmt): Stmt | undefined {
  let found: Stmt | undefined;
  visitStmt(s, (x) => { if (x.kind === 'barrier' || isExchange(x)) found ??= x; });
  return found;
}

/** Where the values of all lanes lie that one part of the nest makes and another one needs. */
interface Kept { readonly buf: Buffer; readonly at: (lane: Expr) => Expr }
/** A nest of lane loops being cut. */
interface Workgroup {
  readonly loops: readonly For[];
  readonly size: number;
  readonly subgroup: number;
  readonly body: Stmt;
  /** By the id of a variable; buffers by their negative id. */
  readonly kept: Map<number, Kept>;
  /** Names for index arithmetic, which every part computes for itself. */
  readonly again: Map<number, Expr>;
}

/**
 * A nest of lane loops as sequential loops. Where lanes meet, the nest is cut (loop fission): what stands before a barrier runs for all lanes before what stands
 * after it, loops and branches around a barrier, which all lanes take alike, go around the lanes, and what a lane keeps across a cut lies in memory, an
 * element a lane. An exchange is written by all lanes and then read by all.
 */
export function fission(nest: For, subgroup: number): Stmt {
  const loops: For[] = [];
  let body: Stmt = nest;
  for (; body.kind === 'for' && body.loop.startsWith('lane.'); body = body.body) loops.push(body);
  const at = { loc: nest.loc, step: nest.step };
  if (!meetingIn(body)) return loops.reduceRight<Stmt>((b, l) => ({ ...l, loop: 'seq', body: b }), body);
  const extents = loops.map((l) => simplifyExpr(l.extent)), open = extents.find((e) => !isConst(e));
  if (open) throw new DslError('KD-L-LANES', { given: printExpr(open), why: 'that is not a constant' }, at);
  const size = extents.reduce((n, e) => n * (isConst(e) ? e.value : 0), 1);
  let exchanges = false;
  visitStmt(body, (s) => { exchanges ||= isExchange(s); });
  if (exchanges && size % subgroup !== 0) throw new DslError('KD-L-LANES', { given: size, why: `they exchange values, but are no multiple of the subgroup's ${subgroup}` }, at);
  return block(parts(body, { loops, size, subgroup, body, kept: new Map(), again: new Map() }), at);
}

/** A statement for all lanes, cut where they meet. */
function parts(s: Stmt, w: Workgroup): readonly Stmt[] {
  const meeting = meetingIn(s);
  if (!meeting) return alone([s], w);
  const alike = (e: Expr): Expr => {
    const x = inlined(e, w), own = new Set<number>(w.loops.map((l) => l.v.id));
    visitStmt(w.body, (y) => { const v = boundBy(y); if (v && y.kind !== 'for') own.add(v.id); });
    const differs = (y: Expr): boolean => y.kind === 'load' || (y.kind === 'var' && own.has(y.id)) || operands(y).some(differs);
    if (!differs(x)) return x;
    const what = isExchange(meeting) ? printExpr(meeting.value) : meeting.kind === 'barrier' ? `the ${meeting.scope} barrier` : meeting.kind;
    throw new DslError('KD-L-DIVERGED', { what, why: `${printExpr(e)} may differ from lane to lane` }, { loc: meeting.loc ?? s.loc, step: s.step });
  };
  switch (s.kind) {
    case 'block': {
      const out: Stmt[] = [];
      for (let i = 0; i < s.body.length;) {
        const end = s.body.findIndex((x, j) => j >= i && meetingIn(x) !== undefined), run = s.body.slice(i, end < 0 ? s.body.length : end), next = s.body[i + run.length];
        if (run.length) out.push(...alone(run, w));
        if (next) out.push(...parts(next, w));
        i += run.length + 1;
      }
      return out;
    }
    case 'for': return [{ ...s, extent: alike(s.extent), body: block(parts(s.body, w)) }];
    case 'while': return [{ ...s, max: alike(s.max), cond: alike(s.cond), body: block(parts(s.body, w)) }];
    case 'if': return [{ ...s, cond: alike(s.cond), then: block(parts(s.then, w)), else: s.else && block(parts(s.else, w)) }];
    case 'region': return [{ ...s, body: block(parts(s.body, w)) }];
    case 'let': return isExchange(s) ? exchange(s, w) : [];
    default: return []; // a barrier: the cut itself
  }
}

/** Names of index arithmetic replaced by what they stand for. */
const inlined = (e: Expr, w: Workgroup): Expr => {
  const other = e.kind === 'var' ? w.again.get(e.id) : undefined;
  return other ? inlined(other, w) : mapOperands(e, (x) => inlined(x, w));
};

const memory = (name: string, dtype: DType, shape: readonly Expr[], s: Stmt): Buffer => newBuffer({ name, dtype, space: 'pack', shape, loc: s.loc });
const readsMemory = (e: Expr): boolean => e.kind === 'load' || operands(e).some(readsMemory);

/** How often variables (by id) and buffers (by negative id) are used under statements. */
function uses(all: readonly Stmt[]): ReadonlyMap<number, number> {
  const n = new Map<number, number>(), see = (id: number): void => { n.set(id, (n.get(id) ?? 0) + 1); };
  for (const s of all) {
    visitExprs(s, (e) => { if (e.kind === 'var') see(e.id); if (e.kind === 'load') see(-e.buf.id); });
    visitStmt(s, (x) => { if (x.kind === 'store' || x.kind === 'accum' || x.kind === 'atomic') see(-x.buf.id); });
  }
  return n;
}

/** Statements in which no lanes meet, for all lanes; what other parts use of them is kept. */
function alone(run: readonly Stmt[], w: Workgroup): readonly Stmt[] {
  const here = uses(run), everywhere = uses([w.body]), wanted = new Set<number>(), leaves = (id: number): boolean => wanted.has(id) || (everywhere.get(id) ?? 0) > (here.get(id) ?? 0);
  // What is computed again elsewhere needs the names that it is computed from.
  for (const s of [...run].reverse()) if (s.kind === 'let' && s.v.dtype === 'i64' && leaves(s.v.id)) visitExpr(s.value, (e) => { if (e.kind === 'var') wanted.add(e.id); });
  const made: Stmt[] = [], lanes = constant(w.size), later = new Map<number, Buffer>();
  for (const s of run) {
    if (s.kind === 'alloc' && leaves(-s.buf.id)) {
      const buf = memory(`${s.buf.name}_lanes`, s.buf.dtype, [lanes, ...s.buf.shape], s);
      made.push({ ...s, buf });
      w.kept.set(-s.buf.id, { buf, at: (lane) => lane });
    }
    const v = s.kind === 'let' || s.kind === 'atomic' ? boundBy(s) : undefined;
    if (!v || !leaves(v.id)) continue;
    if (s.kind === 'let' && v.dtype === 'i64' && !readsMemory(inlined(s.value, w))) { w.again.set(v.id, s.value); continue; }
    const buf = memory(`${v.name}_lanes`, v.dtype, [lanes], s);
    made.push({ kind: 'alloc', buf, loc: s.loc, step: s.step });
    later.set(v.id, buf);
  }
  const loop = forAll(w, (lane) => run.flatMap((s): Stmt[] => {
    if (s.kind === 'alloc' && w.kept.has(-s.buf.id)) return [];
    const v = boundBy(s), buf = v && later.get(v.id);
    return buf ? [s, { kind: 'store', buf, index: [lane], value: v, loc: s.loc, step: s.step }] : [s];
  }));
  for (const [id, buf] of later) w.kept.set(id, { buf, at: (lane) => lane });
  return [...made, loop];
}

/** Runs statements for every lane, by loops with variables of their own. `f` gets the number of the lane in the workgroup; x counts fastest. */
function forAll(w: Workgroup, f: (lane: Expr) => readonly Stmt[]): Stmt {
  const vars = new Map(w.loops.map((l) => [l.v.id, newVar(l.v.name, 'i64', 1, l.v.loc)]));
  const lane = (['lane.z', 'lane.y', 'lane.x'] as const).reduce<Expr>((n, place) => {
    const l = w.loops.find((x) => x.loop === place);
    return l ? add(mul(n, l.extent), vars.get(l.v.id)!) : n;
  }, constant(0));
  const placed = (e: Expr): Expr => {
    if (e.kind === 'var') {
      const own = vars.get(e.id), kept = w.kept.get(e.id), other = w.again.get(e.id);
      return own ?? (kept ? load(kept.buf, [kept.at(lane)], { loc: e.loc }) : other ? placed(other) : e);
    }
    const x = mapOperands(e, placed), kept = x.kind === 'load' ? w.kept.get(-x.buf.id) : undefined;
    return x.kind === 'load' && kept ? { ...x, buf: kept.buf, index: [kept.at(lane), ...x.index] } : x;
  };
  const body = mapStmt(block(f(lane)), (s) => {
    const x = mapOwnExprs(s, placed), kept = x.kind === 'store' || x.kind === 'accum' || x.kind === 'atomic' ? w.kept.get(-x.buf.id) : undefined;
    return kept && (x.kind === 'store' || x.kind === 'accum' || x.kind === 'atomic') ? { ...x, buf: kept.buf, index: [kept.at(lane), ...x.index] } : x;
  })!;
  return w.loops.reduceRight<Stmt>((b, l) => ({ kind: 'for', v: vars.get(l.v.id)!, extent: l.extent, loop: 'seq', body: b, loc: l.loc, step: l.step }), body);
}

/** Lanes give their values, then each takes what it asked for. */
function exchange(s: Let & { value: Subgroup }, w: Workgroup): readonly Stmt[] {
  const e = s.value, origin = { loc: s.loc, step: s.step }, n = constant(w.subgroup), lanes = constant(w.size);
  const given = memory(`${s.v.name}_given`, e.x.dtype, [lanes], s);
  const give: readonly Stmt[] = [{ kind: 'alloc', buf: given, ...origin }, forAll(w, (lane) => [{ kind: 'store', buf: given, index: [lane], value: e.x, ...origin }])];
  if (e.fn === 'shuffle' || e.fn === 'shuffleXor' || e.fn === 'broadcast') {
    const taken = memory(s.v.name, e.dtype, [lanes], s);
    const take = forAll(w, (lane) => {
      const own = binary('mod', lane, n), from = e.fn === 'shuffleXor' ? binary('xor', own, e.lane!) : e.lane!;
      return [{ kind: 'store', buf: taken, index: [lane], value: load(given, [add(sub(lane, own), from)]), ...origin }];
    });
    w.kept.set(s.v.id, { buf: taken, at: (lane) => lane });
    return [...give, { kind: 'alloc', buf: taken, ...origin }, take];
  }
  const taken = memory(s.v.name, e.dtype, [constant(w.size / w.subgroup)], s), g = newVar('group', 'i64', 1, s.loc);
  let level: Expr[] = Array.from({ length: w.subgroup }, (_, i) => {
    const x = load(given, [add(mul(g, n), constant(i))]);
    return e.fn === 'ballot' ? select(x, constant(2 ** i, 'u32'), constant(0, 'u32')) : x;
  });
  const op = e.fn === 'any' || e.fn === 'ballot' ? 'or' : e.fn === 'all' ? 'and' : e.fn;
  while (level.length > 1) {
    const h = level.length / 2;
    level = level.slice(0, h).map((x, i) => binary(op, x, level[i + h]!));
  }
  w.kept.set(s.v.id, { buf: taken, at: (lane) => binary('div', lane, n) });
  return [...give, { kind: 'alloc', buf: taken, ...origin }, { kind: 'for', v: g, extent: constant(w.size / w.subgroup), loop: 'seq', body: { kind: 'store', buf: taken, index: [g], value: level[0]!, ...origin }, ...origin }];
}
