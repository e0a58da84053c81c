import { DslError } from '../errors/index.ts';
import { constant, isConst, newVar, printExpr, visitStmt } from '../ir/index.ts';
import type { Expr, For, Loc, LoopKind, Stmt, Var } from '../ir/index.ts';
import { here } from './here.ts';
import { boundLoops, close, emit, open, tracer, use } from './trace.ts';
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
    yield* this.#record('seq');
  }
  /**
   * Records the loop on a GPU's place: its iterations are the workgroups of a launch (`block.x`, `block.y`, `block.z`) or the lanes of a workgroup (`lane.x`, …), all at
   * once. Lane loops form one nest inside of the block loops and have constant extents. On a CPU, blocks run on the worker threads, lanes one after another.
   * @example for (const b of ax.b.bind('block.x')) for (const t of ax.t.bind('lane.x')) y.at(b.mul(64).add(t)).set(0);
   */
  *bind(to: Place): Generator<Val<'i64'>, void, undefined> {
    const loc = here(), around = boundLoops();
    const fail = (why: string): never => { throw new DslError('KD-BIND', { axis: this.name, to, why }, { loc }); };
    if (around.some((b) => b.to === to)) fail('inside of a loop that is bound there already');
    if (to.startsWith('block.') && around.some((b) => b.to.startsWith('lane.'))) fail('inside of a lane loop');
    if (to.startsWith('lane.') && !isConst(this.extent)) fail(`but its extent ${printExpr(this.extent)} is not a constant`);
    yield* this.#record(to);
  }
  *#record(loop: LoopKind): Generator<Val<'i64'>, void, undefined> {
    tracer(`the loop over ${this.name}`);
    if (this.#used) throw new DslError('KD-AXIS-TWICE', { axis: this.name }, { loc: here() });
    this.#used = true;
    const loc = here() ?? this.loc;
    const extent = use(this.extent);
    open(true, loop === 'seq' ? undefined : { to: loop, v: this.v, extent });
    let done = false;
    try {
      yield new Val(this.v, 'i64');
      done = true;
    } finally {
      const body = close();
      if (!done) throw new DslError('KD-BREAK', { axis: this.name }, { loc });
      const inner = loop.startsWith('lane.') ? laneLoopIn(body) : undefined;
      if (inner && inner !== body) throw new DslError('KD-BIND', { axis: inner.v.name, to: inner.loop, why: `but statements lie between it and the lane loop ${this.name}` }, { loc: inner.loc });
      emit({ kind: 'for', v: this.v, extent, loop, body, loc });
    }
  }
}

/** A place on a GPU that a loop can be bound to: see {@link Axis.bind}. */
export type Place = 'block.x' | 'block.y' | 'block.z' | 'lane.x' | 'lane.y' | 'lane.z';

function laneLoopIn(s: Stmt): For | undefined {
  let found: For | undefined;
  visitStmt(s, (x) => { if (x.kind === 'for' && x.loop.startsWith('lane.')) found ??= x; });
  return found;
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
