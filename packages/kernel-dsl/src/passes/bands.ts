import { add, binary, block, constant, mul, newVar, sub, visitStmt } from '../ir/index.ts';
import type { Expr, For, Stmt, Var } from '../ir/index.ts';
import { isBlock } from './grid.ts';
import { noTeam } from './team.ts';

/** The loops of workgroups from `top` on, what each workgroup does to a tile, what one does in all, and those loops around its program. */
interface Grid { readonly blocks: readonly For[]; readonly body: Stmt; readonly work: Stmt; readonly around: (program: Stmt) => Stmt }

/**
 * The workgroups of a program of teams: some of them take turns where they stay.
 * @throws DslError KD-L-TEAM where their loops lie apart
 */
export function gridOf(top: For): Grid {
  const blocks: For[] = [];
  let body: Stmt = top;
  for (; isBlock(body); body = body.body) blocks.push(body);
  visitStmt(body, (s) => { if (isBlock(s)) noTeam(`the workgroups at ${s.v.name} are not directly inside of those at ${blocks.at(-1)!.v.name}`, s); });
  const at = blocks.findIndex((l) => l.persistent), [outer, inner] = at < 0 ? [] : blocks.slice(at), shared = outer && inner && bands(outer, inner, body), loops = shared ? [...blocks.slice(0, at), shared.grid, ...blocks.slice(at + 2)] : blocks;
  return { blocks, body, work: shared?.body ?? body, around: (program) => loops.reduceRight<Stmt>((b, l) => ({ ...l, body: b }), program) };
}

/**
 * The tiles of two block loops, shared by workgroups that stay: number w takes w, w + workgroups, …; tiles are numbered down the rows of a band, column by column,
 * and then band by band.
 */
function bands(outer: For, inner: For, body: Stmt): { readonly grid: For; readonly body: Stmt } {
  const { workgroups, group } = outer.persistent!, at = { loc: outer.loc, step: outer.step }, w = newVar('workgroup'), t = newVar('turn'), rows = outer.extent, cols = inner.extent;
  const tiles = mul(rows, cols), name = (stem: string, value: Expr): [Var, Stmt] => { const v = newVar(stem); return [v, { kind: 'let', v, value, ...at }]; };
  const [tile, l0] = name('tile', add(mul(t, constant(workgroups)), w)), [first, l1] = name('band', mul(binary('div', tile, mul(cols, constant(group))), constant(group)));
  const [high, l2] = name('rows', binary('max', binary('min', sub(rows, first), constant(group)), constant(1))), [within, l3] = name('in_band', binary('mod', tile, mul(cols, constant(group))));
  const lets: Stmt[] = [l0, l1, l2, l3, { kind: 'let', v: outer.v, value: add(first, binary('mod', within, high)), ...at }, { kind: 'let', v: inner.v, value: binary('div', within, high), ...at }];
  const turns: For = { kind: 'for', v: t, extent: binary('div', add(sub(tiles, w), constant(workgroups - 1)), constant(workgroups)), loop: 'seq', body: block([...lets, body]), ...at };
  return { grid: { kind: 'for', v: w, extent: binary('min', tiles, constant(workgroups)), loop: [outer.loop, inner.loop].includes('block.x') ? 'block.x' : inner.loop, body: block([]), ...at }, body: turns };
}
