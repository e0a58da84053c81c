import { COPIES, COPY_CHUNK, LAUNCHES } from '../instructions/index.ts';
import { block, buffersOf, bytesOf, constant, isConst, mapChildren, mul, sameExpr, select } from '../ir/index.ts';
import type { DeviceFunction, Expr, If, KernelIR, Load, Stmt, Store } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { multiple } from './multiple.ts';

/**
 * Copies ahead become asynchronous where the target has such copies: each from a tensor to shared memory of 4, 8 or 16 bytes, with zero where a condition
 * says that nothing is there. What they are not (narrower, converted on the way, put together at an edge) stays a load and a store, which are over before the next barrier anyway.
 */
export function ahead(k: KernelIR, target: Target): KernelIR {
  if (!target.features.includes('cp_async')) return k;
  const go = (s: Stmt): Stmt => {
    if (s.kind === 'region' && s.ahead) return block([{ ...s, body: copies(s.body) }, { kind: 'call', fn: COPIES.commit, args: [], meaning: block([]), loc: s.loc, step: s.step }]);
    if (s.kind === 'barrier' && s.groups !== undefined) return block([{ kind: 'call', fn: COPIES.wait(s.groups), args: [], meaning: block([]), loc: s.loc, step: s.step }, s]);
    return mapChildren(s, go);
  };
  return { ...k, body: target.features.includes('tma') ? overlapping(go(k.body)) : go(k.body) };
}

/**
 * Where the work of lanes begins with copies ahead, these do not wait for the launch before: the host sees to it that nothing still writes what they read. All
 * else waits until that launch is done with memory, and then lets the next one begin.
 */
function overlapping(s: Stmt): Stmt {
  if (s.kind !== 'for' || !s.loop.startsWith('lane.') || (s.body.kind === 'for' && s.body.loop.startsWith('lane.'))) return mapChildren(s, overlapping);
  const list = s.body.kind === 'block' ? s.body.body : [s.body], isAhead = (x: Stmt): boolean => x.kind === 'region' && x.ahead === true;
  const begins = (x: Stmt): boolean => x.kind === 'alloc' || [...buffersOf(x).values()].every(({ buf }) => buf.space === 'reg' || buf.space === 'local');
  // The call that closes the group of copies follows them.
  let after = 0;
  for (let n = 0; n < list.length && (isAhead(list[n]!) || begins(list[n]!)); n++) if (isAhead(list[n]!)) after = n + 2;
  if (after === 0) return s;
  const call = (fn: DeviceFunction): Stmt => ({ kind: 'call', fn, args: [], meaning: block([]), loc: s.loc, step: s.step });
  return { ...s, body: block([...list.slice(0, after), call(LAUNCHES.before), call(LAUNCHES.next), ...list.slice(after)]) };
}

function copies(s: Stmt): Stmt {
  const guarded = s.kind === 'if' ? orZero(s) : undefined;
  if (guarded) return copy(s, guarded, (s as If).cond) ?? s;
  return s.kind === 'store' ? copy(s, s, undefined) ?? s : mapChildren(s, copies);
}

/** `if (c) to = from; else to = 0;` as its store. */
export function orZero(s: If): Store | undefined {
  const then = only(s.then), other = s.else && only(s.else);
  if (then?.kind !== 'store' || other?.kind !== 'store' || other.buf.id !== then.buf.id || !isConst(other.value.kind === 'broadcast' ? other.value.x : other.value, 0) || !then.index.every((e, d) => sameExpr(e, other.index[d]!))) return undefined;
  return then;
}
const only = (s: Stmt): Stmt | undefined => (s.kind === 'block' ? (s.body.length === 1 ? only(s.body[0]!) : undefined) : s);

/** The copy of a store; `meaning` is what it stands for. */
function copy(meaning: Stmt, s: Store, cond: Expr | undefined): Stmt | undefined {
  const from = s.value;
  if (!plain(from, s) || !whole(s, from.lanes)) return undefined;
  const element = bytesOf(s.buf.dtype), size = element * from.lanes;
  if (size !== 4 && size !== 8 && size !== 16) return undefined;
  // A single element is aligned as itself; of several, all exist or none.
  const { fn, unaligned } = COPY_CHUNK(element, (size / 4) as 1 | 2 | 4), several = from.lanes > 1, chunk = several ? { chunk: from.lanes } : {}, all = constant(from.lanes, 'i32');
  return {
    kind: 'call', fn, meaning, ...(several && { unaligned }), loc: s.loc, step: s.step,
    args: [{ kind: 'place', buf: s.buf, index: s.index, writes: true, ...chunk }, { kind: 'place', buf: from.buf, index: from.index, writes: false, ...chunk }, { kind: 'value', value: cond ? select(cond, all, constant(0, 'i32')) : all }],
  };
}
const plain = (e: Expr, s: Store): e is Load => e.kind === 'load' && e.as === undefined && e.dtype === s.buf.dtype && e.buf.dtype === s.buf.dtype && e.buf.space === 'param' && !e.buf.packed && s.buf.space === 'shared';

/** Does a store of so many elements begin at a multiple of them? Rows that are padded by less do not. */
const whole = ({ buf, index }: Store, lanes: number): boolean => index.every((e, d) => {
  const stride = buf.shape.slice(d + 1).reduce((n, x) => n * (isConst(x) ? x.value : NaN), 1);
  return stride % lanes === 0 || multiple(mul(e, constant(stride)), lanes);
});
