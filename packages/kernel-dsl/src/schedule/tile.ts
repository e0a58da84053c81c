import { add, affine, constant, exprKey, mul, printExpr, upperBound } from '../ir/index.ts';
import type { Buffer, Expr, For } from '../ir/index.ts';
import type { Access } from './access.ts';

/** One dimension of a tile: elements from `origin` on, as many as `n`. */
export interface TileDim {
  readonly origin: Expr;
  readonly n: number;
  /** What the tile begins at beyond what its loops leave open. */
  readonly lo: number;
  /** Where an index of the tensor lies in the tile. */
  readonly within: (index: Expr) => Expr;
}

/** A guard of padding, as k * place + rest + offset < limit, for the place in one dimension of the tile. */
export interface TileCondition { readonly dim: number; readonly k: number; readonly rest: Expr; readonly offset: number; readonly limit: Expr }

/** The part of a tensor that some uses reach while the loops inside run. */
export interface Tile { readonly dims: readonly TileDim[] }

/**
 * The tile of a tensor that uses reach: in each dimension from the least index to the greatest, over all iterations of the given loops. All uses begin
 * at the same place but for constants. `refuse` says why there is no such tile; `unbounded` that a loop has no constant bound.
 */
export function tileOf(src: Buffer, uses: readonly Access[], inner: ReadonlyMap<number, For>, refuse: (why: string) => never, unbounded: (l: For) => never): Tile {
  const ids = new Set(inner.keys());
  const dims = src.shape.map((_, d): TileDim => {
    let rest: Expr | undefined, lo = Infinity, hi = -Infinity;
    for (const u of uses) {
      const a = affine(u.index[d]!, ids) ?? refuse(`its index ${printExpr(u.index[d]!)} is not a sum of multiples of loops`);
      if (rest && exprKey(rest) !== exprKey(a.rest)) return refuse(`it is read at ${printExpr(rest)} and at ${printExpr(a.rest)}, whose distance is not constant`);
      rest = a.rest;
      let least = a.offset, most = a.offset;
      for (const { v, coef } of a.terms.values()) {
        const l = inner.get(v.id)!, n = upperBound(l.extent) ?? unbounded(l);
        if (coef > 0) most += coef * Math.max(0, n - 1); else least += coef * Math.max(0, n - 1);
      }
      lo = Math.min(lo, least);
      hi = Math.max(hi, most);
    }
    const within = (index: Expr): Expr => {
      const a = affine(index, ids)!;
      return add([...a.terms.values()].reduce<Expr>((x, t) => add(x, mul(t.v, constant(t.coef))), constant(0)), constant(a.offset - lo));
    };
    return { origin: add(rest!, constant(lo)), n: hi - lo + 1, lo, within };
  });
  return { dims };
}
