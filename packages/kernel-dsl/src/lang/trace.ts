import { DslError } from '../errors/index.ts';
import { block, mapChildren, mapOperands, mapOwnExprs, newVar, operands } from '../ir/index.ts';
import type { Buffer, Expr, Let, Load, LoopKind, Stmt, Var } from '../ir/index.ts';
import { here } from './here.ts';

/** A read, remembered where it happened, so that a later write cannot change what it means. */
export interface Read {
  readonly load: Load;
  readonly v: Var;
  readonly frame: Frame;
  /** How many writes the buffer had seen. */
  readonly writes: number;
  needed: boolean;
}
type Item = Stmt | Read;
/** A loop over the workgroups of a launch or the lanes of a workgroup. */
export interface BoundLoop { readonly to: LoopKind; readonly v: Var; readonly extent: Expr }
/** An open block: the body of the kernel, of a loop or of a branch. */
export interface Frame {
  readonly items: Item[];
  readonly parent: Frame | undefined;
  readonly loop: boolean;
  /** Where the loop runs, when its author bound it to a place on a GPU. */
  readonly bound: BoundLoop | undefined;
  /** Reads from outer frames used in this loop: they must not be changed anywhere in it. */
  readonly outerReads: Read[];
}

/** The state of one trace. A body runs once; what it does to symbols is written down here. */
export interface Tracer {
  frame: Frame;
  readonly writes: Map<number, number>;
  readonly reads: Map<Expr, Read>;
  readonly names: Set<string>;
  /** Lanes of a subgroup. */
  readonly subgroup: number;
}

let active: Tracer | undefined;

const newFrame = (parent: Frame | undefined, loop: boolean, bound?: BoundLoop): Frame => ({ items: [], parent, loop, bound, outerReads: [] });

/** The running trace; an error that names `what` when no kernel is being traced. */
export function tracer(what: string): Tracer {
  if (!active) throw new DslError('KD-NO-KERNEL', { what }, { loc: here() });
  return active;
}

/** Runs a body as a new trace and returns what it recorded. */
export function trace<R>(name: string, body: () => R, subgroup = 32): { result: R; stmt: Stmt } {
  if (active) throw new DslError('KD-NESTED', { name }, { loc: here() });
  active = { frame: newFrame(undefined, false), writes: new Map(), reads: new Map(), names: new Set(), subgroup };
  try {
    const result = body();
    return { result, stmt: settle(finish(active.frame), active.reads) };
  } finally {
    active = undefined;
  }
}

/** Opens a block; statements go there until `close`. */
export function open(loop: boolean, bound?: BoundLoop): void {
  const t = tracer('a block');
  t.frame = newFrame(t.frame, loop, bound);
}

/** Closes the innermost block and returns its statements. */
export function close(): Stmt {
  const t = tracer('a block');
  const f = t.frame;
  if (!f.parent) throw new Error('unbalanced block');
  if (f.loop) {
    for (const r of f.outerReads) {
      // A write anywhere in the loop reaches the next iteration's use of a value read before the loop.
      if ((t.writes.get(r.load.buf.id) ?? 0) !== r.writes) r.needed = true;
      let p: Frame | undefined = f.parent;
      if (p && p !== r.frame) for (; p && p !== r.frame; p = p.parent) if (p.loop) { p.outerReads.push(r); break; }
    }
  }
  t.frame = f.parent;
  return finish(f);
}

const isRead = (x: Item): x is Read => 'needed' in x;

/** Turns the frame's items into statements; each read becomes a Let for now (see `settle`). */
const finish = (f: Frame): Stmt => block(f.items.map((x) => (isRead(x) ? { kind: 'let', v: x.v, value: x.load, loc: x.load.loc } : x)));

/** A read that no write overtook is put back where it is used; the others keep their Let. */
function settle(s: Stmt, reads: ReadonlyMap<Expr, Read>): Stmt {
  const memo = new Map<Expr, Expr>();
  const use = (e: Expr): Expr => {
    const known = memo.get(e);
    if (known) return known;
    const r = reads.get(e);
    const out = r?.needed ? r.v : mapOperands(e, use);
    memo.set(e, out);
    return out;
  };
  const lets = new Map([...reads.values()].map((r) => [r.v.id, r]));
  const one = (x: Stmt): Stmt | null => {
    const r = x.kind === 'let' ? lets.get(x.v.id) : undefined;
    if (r) return r.needed ? { ...(x as Let), value: mapOperands(r.load, use) } : null;
    return mapChildren(mapOwnExprs(x, use), one);
  };
  return one(s) ?? block([]);
}

/** Appends a statement. */
export function emit(s: Stmt): void {
  tracer('a statement').frame.items.push(s);
}

/** Records a write: reads made before it keep their old value. */
export function recordWrite(buf: Buffer): void {
  const t = tracer('a write');
  t.writes.set(buf.id, (t.writes.get(buf.id) ?? 0) + 1);
}

/** Records a read at this point of the program. */
export function recordRead(l: Load): Expr {
  const t = tracer('a read');
  const r: Read = { load: l, v: newVar(`${l.buf.name}_was`, l.dtype, 1, l.loc), frame: t.frame, writes: t.writes.get(l.buf.id) ?? 0, needed: false };
  t.reads.set(l, r);
  t.frame.items.push(r);
  return l;
}

/** Tells the trace that an expression is used here and now: are the reads in it still good? */
export function use(e: Expr): Expr {
  const t = tracer('a use');
  const seen = new Set<Expr>();
  const visit = (x: Expr): void => {
    if (seen.has(x)) return;
    seen.add(x);
    const r = t.reads.get(x);
    if (r) {
      if ((t.writes.get(r.load.buf.id) ?? 0) !== r.writes) r.needed = true;
      for (let f: Frame | undefined = t.frame; f && f !== r.frame; f = f.parent) if (f.loop) { f.outerReads.push(r); break; }
    }
    for (const o of operands(x)) visit(o);
  };
  visit(e);
  return e;
}

/** Is a kernel being traced? */
export const tracing = (): boolean => active !== undefined;

/** The bound loops around this point, outermost first. */
export function boundLoops(): readonly BoundLoop[] {
  const out: BoundLoop[] = [];
  for (let f: Frame | undefined = tracer('a bound loop').frame; f; f = f.parent) if (f.bound) out.unshift(f.bound);
  return out;
}
