import { DslError } from '../errors/index.ts';
import { constant, newVar } from '../ir/index.ts';
import type { Expr, Loc, Var } from '../ir/index.ts';
import { here } from './here.ts';
import { close, emit, open, tracer, use } from './trace.ts';
import { Val, indexOf } from './val.ts';
import type { Index } from './val.ts';

/**
 * One loop of a kernel and its typed handle in schedules. Iterating it records the loop:
 * the body runs once, with a symbol for the index.
 * @example for (const i of ax.i) y.at(i).set(0)
 */
export class Axis<N extends string = string> implements Iterable<Val<'i64'>> {
  readonly name: N;
  readonly extent: Expr;
  readonly v: Var;
  readonly loc: Loc | undefined;
  #used = false;
  constructor(name: N, extent: Expr, v?: Var, loc?: Loc) {
    this.name = name;
    this.extent = extent;
    this.v = v ?? newVar(name, 'i64', 1, loc);
    this.loc = loc;
  }
  /** Records the loop: gives its index once, from 0 to the extent - 1 when it runs. Each axis can be iterated once and not left early. */
  *[Symbol.iterator](): Generator<Val<'i64'>, void, undefined> {
    tracer(`the loop over ${this.name}`);
    if (this.#used) throw new DslError('KD-AXIS-TWICE', { axis: this.name }, { loc: here() });
    this.#used = true;
    const loc = here() ?? this.loc;
    const extent = use(this.extent);
    open(true);
    let done = false;
    try {
      yield new Val(this.v, 'i64');
      done = true;
    } finally {
      const body = close();
      if (!done) throw new DslError('KD-BREAK', { axis: this.name }, { loc });
      emit({ kind: 'for', v: this.v, extent, loop: 'seq', body, loc });
    }
  }
}

/**
 * Declares loops: a name and how often each runs (a size, a constant or an i64 value).
 * @example const ax = axes({ i: M, j: N, k: K });
 */
export function axes<const T extends Readonly<Record<string, Index>>>(extents: T): { readonly [K in keyof T & string]: Axis<K> } {
  const t = tracer('axes');
  const loc = here();
  const out: Record<string, Axis> = {};
  for (const [name, x] of Object.entries(extents)) {
    if (!/^[A-Za-z]\w*$/.test(name)) throw new DslError('KD-NAME', { name }, { loc });
    if (typeof x === 'number' && (!Number.isInteger(x) || x < 0)) throw new DslError('KD-EXTENT', { axis: name, given: x }, { loc });
    out[name] = new Axis(name, typeof x === 'number' ? constant(x) : indexOf(x, `axis ${name}`), undefined, loc);
  }
  void t;
  return out as { readonly [K in keyof T & string]: Axis<K> };
}
