import { DslError } from '../errors/index.ts';
import { argsOf, matchInstruction } from '../instructions/index.ts';
import { binary, bytesOf, cast, constant, isConst, load, newBuffer, sameExpr, substituteExpr } from '../ir/index.ts';
import type { Buffer, CallArg, Expr, Instr, Stmt } from '../ir/index.ts';
import { CHUNK } from './chunks.ts';
import type { Tile } from './chunks.ts';
import { WARP, offsetOf, tileRegisters } from './fragments.ts';
import type { Fragment, Team } from './fragments.ts';
import { multiple } from './multiple.ts';
import { noTeam } from './team.ts';

/** Registers of a lane for both factors of a product. */
export interface Factors { readonly a: Buffer; readonly b: Buffer }

/** A product of a warp in two parts. */
export interface Product {
  /** New registers for its factors. */
  readonly factors: (suffix: string) => Factors;
  /** Brings the factors from their tiles; of those of a ring, from the place in use or from another one. */
  readonly load: (to: Factors, slot?: Expr) => Stmt;
  /** Multiplies, and adds to its sums. */
  readonly multiply: (from: Factors) => Stmt;
}

/** The parts of an instruction. `own`: what stands for the loops over warps. @throws DslError KD-L-TEAM, KD-L-INSTR */
export function productOf(q: Instr, { fragments, tiles }: { readonly fragments: ReadonlyMap<number, Fragment>; readonly tiles: ReadonlyMap<number, Tile> }, team: Team, own: ReadonlyMap<number, Expr>): Product {
  const at = { loc: q.loc, step: q.step }, text = q.def.team, how = text?.factors, m = matchInstruction(q.def, q.body!);
  if (!text || !how) return noTeam(`${q.def.name} is no product of a warp`, q);
  if ('why' in m) throw new DslError('KD-L-INSTR', { name: q.def.name, why: m.why }, q);
  const [a, b, c] = argsOf(q.def, m).flatMap((x) => (x.kind === 'place' ? [x] : [])) as [Place, Place, Place], sums = fragments.get(c.buf.id) ?? noTeam(`${c.buf.name} is no register of the team`, q);
  if (sums.form !== 'tile' || !isConst(offsetOf(sums, c.index, team, q), 0) || !isConst(sums.own.shape[0]!, tileRegisters(c.buf, WARP))) return noTeam(`${c.buf.name} has several tiles a team: one is possible today`, q);
  const tile = ({ buf, index }: Place, col: Expr = constant(0)): ((slot: Expr | undefined) => CallArg) => {
    const t = tiles.get(buf.id) ?? noTeam(`a product reads ${buf.name}, which is no tile of a bulk copy`, q), row = index.at(-2)!;
    if (!multiple(row, 8)) noTeam(`a product reads ${buf.name} from a row on that is no multiple of 8`, q);
    return (slot) => ({ kind: 'place', buf: t.buf, index: [t.slot ? slot ?? cast(load(t.slot, []), 'i64') : constant(0), ...index.slice(0, -2).map((e) => substituteExpr(e, own)), substituteExpr(row, own), col], writes: false });
  };
  if (!how.blocks && !sameExpr(a.index.at(-1)!, b.index.at(-1)!)) return noTeam('its factors begin at different places of their rows', q);
  const from = [tile(a), tile(b, how.blocks && b.index.at(-1))] as const, pitch: readonly CallArg[] = how.blocks ? [{ kind: 'value', value: cast(tiles.get(b.buf.id)!.buf.shape.at(-1)!, 'i32') }] : [], chunk: CallArg = { kind: 'value', value: cast(binary('div', a.index.at(-1)!, constant(CHUNK / bytesOf(a.buf.dtype))), 'i32') };
  const registers = (name: string, n: number): Buffer => newBuffer({ name, dtype: how.dtype, space: 'local', shape: [constant(n)], loc: q.loc });
  return {
    factors: (suffix) => ({ a: registers(`a${suffix}`, how.a), b: registers(`b${suffix}`, how.b) }),
    load: (to, slot) => ({ kind: 'call', fn: how.load, args: [{ kind: 'array', buf: to.a }, { kind: 'array', buf: to.b }, from[0](slot), from[1](slot), chunk, ...pitch], ...at }),
    multiply: (f) => ({ kind: 'call', fn: text.fn, args: [{ kind: 'array', buf: sums.own }, { kind: 'array', buf: f.a }, { kind: 'array', buf: f.b }], ...at }),
  };
}
type Place = Extract<Instr['args'][number], { kind: 'place' }>;
