import type { CallArg, Param, SourcedLine } from '../../../ir/index.ts';
import { bytesOf, exprsOf, visitExpr, visitStmt } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { Namer } from '../../names.ts';
import { elements, liveIn, place, Writer } from '../../text/index.ts';
import type { GpuArg, GpuLaunch } from '../module.ts';
import { freeVars, workspaceName } from '../plan.ts';
import type { PlannedLaunch } from '../plan.ts';
import { sharedBytesOf, sharedRoom } from '../shared-bytes.ts';
import type { Memory } from './dialect.ts';
import { FAULTS, bufKey, isImage, mapKey, scalarKey, sizeKey, startKey, strideKey, varKey } from './frame.ts';
import type { Frame, ModuleState, Symbol } from './frame.ts';
import { hostBounds } from './interval.ts';
import { printScope } from './stmt.ts';
import { indexType, typeOf } from './types.ts';

/** Bytes of shared memory that a kernel may declare by itself; more is asked for at launch. */
const STATIC_SHARED = 49152;

/** One launch as text, and how to make it. */
export interface PrintedLaunch { readonly launch: GpuLaunch; readonly lines: readonly SourcedLine[] }

interface Offer { readonly key: string; readonly wish: string; readonly arg: GpuArg; readonly type: string; readonly symbol: Omit<Symbol, 'name'> }

/** Every parameter that a launch may have, in order: tensors, workspace, sizes, strides, scalars, variables of the host, faults. */
function offers(m: ModuleState, l: PlannedLaunch): readonly Offer[] {
  const T = indexType(m.options.indexBits), { dialect } = m, out: Offer[] = [];
  const pointer = (t: string, readonly: boolean): string => dialect.pointer('global', t, { readonly, restrict: true });
  const tensors = m.k.params.flatMap((p: Param) => (p.kind === 'tensor' ? [p.buf] : []));
  for (const b of tensors.filter((x) => isImage(m, x))) {
    out.push({ key: bufKey(b), wish: b.name, arg: { kind: 'buffer', param: b.name, access: 'in', image: b.dtype }, type: '__read_only image1d_buffer_t ', symbol: {} });
    out.push({ key: startKey(b), wish: `${b.name}_start`, arg: { kind: 'start', param: b.name }, type: `${T} `, symbol: {} });
  }
  for (const b of tensors) if (!isImage(m, b)) out.push({ key: bufKey(b), wish: b.name, arg: { kind: 'buffer', param: b.name, access: b.access }, type: pointer(typeOf(b.packed ? 'u8' : b.dtype), b.access === 'in'), symbol: { memory: 'global' } });
  for (const { buf } of m.plan.workspace) out.push({ key: bufKey(buf), wish: buf.name, arg: { kind: 'workspace', name: workspaceName(m.plan, buf) }, type: pointer(typeOf(buf.dtype), false), symbol: { memory: 'global' } });
  for (const n of m.k.sizes) out.push({ key: sizeKey(n), wish: n, arg: { kind: 'size', name: n }, type: `${T} `, symbol: {} });
  for (const b of tensors) b.shape.forEach((_, d) => out.push({ key: strideKey(b, d), wish: `${b.name}_s${d}`, arg: { kind: 'stride', param: b.name, dim: d }, type: `${T} `, symbol: {} }));
  for (const p of m.k.params) if (p.kind === 'scalar') out.push({ key: scalarKey(p.name), wish: p.name, arg: { kind: 'scalar', name: p.name, dtype: p.dtype }, type: `${typeOf(p.dtype)} `, symbol: p.dtype === 'i64' ? { bits: 64 } : {} });
  for (const v of freeVars(l.body)) if (m.plan.hostLets.has(v.id) || m.plan.hostLoops.has(v.id)) out.push({ key: varKey(v), wish: v.name, arg: { kind: 'var', v }, type: `${T} `, symbol: { bits: m.options.indexBits } });
  const maps = new Map<string, Extract<CallArg, { kind: 'map' }>>();
  visitStmt(l.body, (s) => { if (s.kind === 'call') for (const a of s.args) if (a.kind === 'map') maps.set(mapKey(a.buf, a.box, a.swizzle), a); });
  for (const [key, a] of maps) out.push({ key, wish: `${a.buf.name}_map`, arg: { kind: 'tensormap', param: a.buf.name, box: a.box, swizzle: a.swizzle }, type: 'const __grid_constant__ tensor_map ', symbol: {} });
  out.push({ key: FAULTS, wish: 'faults', arg: { kind: 'faults' }, type: pointer('u32', false), symbol: {} });
  return out;
}

const EXCHANGED = ['f64', 'f32', 'i64', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8'].map((t) => `exchange_${t}`);

/** Prints one launch as a kernel. */
export function printLaunch(m: ModuleState, l: PlannedLaunch, entries: readonly string[]): PrintedLaunch {
  if (l.cluster && m.options.flatGrid) throw new EmitError(`kernel ${m.k.name} has clusters of workgroups that are numbered along x alone`, m.k.loc, 'call it with fewer rows or columns, or schedule it without clusters');
  const { dialect } = m, namer = new Namer([...dialect.reserved, ...entries, ...EXCHANGED, 'INFINITY', 'NAN', 'i8', 'u8', 'i16', 'u16', 'u32', 'i64', 'u64']);
  const symbols = new Map<string, Symbol>(), offered = new Map<string, { arg: GpuArg; declaration: string; name: string }>();
  for (const o of offers(m, l)) {
    const name = namer.take(o.wish);
    symbols.set(o.key, { name, ...o.symbol });
    offered.set(o.key, { arg: o.arg, declaration: o.type + name, name });
  }
  const f: Frame = {
    m, launch: l, namer, symbols, offered, args: new Map(), nonNegative: new Set([...m.plan.hostLoops.keys()]), intervals: hostBounds(m.plan), memo: new WeakMap(), varying: new Set(), ranges: new Map(), exchanges: new Map(),
  };
  const shared = l.shared.map((buf) => {
    const name = namer.take(buf.name);
    symbols.set(bufKey(buf), { name, memory: 'shared' satisfies Memory });
    return { name, type: typeOf(buf.dtype), n: elements(buf), bytes: bytesOf(buf.dtype) * elements(buf), loc: buf.loc };
  });
  let waits = false;
  const early = new Set<string>();
  visitStmt(l.body, (s) => {
    waits ||= s.kind === 'call' && s.fn.name === 'wait_for_launch_before';
    if (!waits && s.kind === 'call') for (const a of s.args) if (a.kind === 'place' && a.buf.space === 'param') early.add(a.buf.name);
    if (!waits) for (const e of exprsOf(s)) visitExpr(e, (x) => { if (x.kind === 'load' && x.buf.space === 'param') early.add(x.buf.name); });
  });
  const w = new Writer(1);
  printScope({ f, w, live: liveIn(l.body), waiting: new Set(), at: undefined, diverged: 0 }, l.body);

  const all = [...shared, ...[...f.exchanges].map(([type, x]) => ({ ...x, type, loc: undefined }))], out = new Writer();
  const sharedBytes = sharedBytesOf(all, m.target, l.body.loc), dynamic = dialect.dynamicShared && sharedBytes > STATIC_SHARED ? dialect.dynamicShared : undefined;
  const used = [...offered].filter(([key]) => f.args.has(key)).map(([, o]) => o), begin: string[] = [];
  const args = dialect.starts ? used.flatMap((o) => (o.arg.kind === 'buffer' && !o.arg.image ? withStart(o, o.arg.param, m, namer, begin) : [o])) : used;
  out.locs = m.k.loc ? [m.k.loc] : [];
  openEntry(out, `${dialect.entry(l.entry, l.block, m.k.resident)}(`, args.map((a) => a.declaration));
  for (const line of begin) out.line(line);
  if (dynamic) out.line(dynamic.declaration);
  let at = 0;
  for (const x of all) {
    out.locs = x.loc ? [x.loc] : [];
    const where = place(x.loc);
    out.line(`${dynamic ? dynamic.part(x.type, x.name, at) : dialect.shared(x.type, x.name, x.n)}${where ? `   // ${where}` : ''}`);
    at += sharedRoom(x.bytes);
  }
  out.lines.push(...w.lines);
  out.locs = [];
  out.close();
  return { lines: out.lines, launch: { entry: l.entry, grid: l.grid, block: l.block, sharedBytes, dynamicSharedBytes: dynamic ? sharedBytes : 0, args: args.map((a) => a.arg), ...(l.cluster && { cluster: l.cluster }), ...(waits ? { overlap: true, ...(early.size > 0 ? { early: [...early] } : {}) } : {}) } };
}

interface Used { readonly arg: GpuArg; readonly declaration: string; readonly name: string }

/** A tensor as its memory and the place of element 0 in it, with the line that makes a pointer of them. */
function withStart(o: Used, param: string, m: ModuleState, namer: Namer, begin: string[]): readonly Used[] {
  const type = o.declaration.slice(0, o.declaration.length - o.name.length), memory = namer.take(`${o.name}_memory`), start = namer.take(`${o.name}_start`);
  begin.push(`${type}${o.name} = ${memory} + ${start};`);
  return [{ ...o, name: memory, declaration: `${type}${memory}` }, { arg: { kind: 'start', param }, declaration: `${indexType(m.options.indexBits)} ${start}`, name: start }];
}

/** The head with its parameters, on as many lines as they take. */
function openEntry(out: Writer, head: string, params: readonly string[]): void {
  const flat = `${head}${params.join(', ')}) {`;
  if (flat.length <= 120) { out.open(flat); return; }
  out.line(head);
  let line = '   ';
  params.forEach((p, i) => {
    const piece = ` ${p}${i < params.length - 1 ? ',' : ') {'}`;
    if (line.length + piece.length > 120 && line.trim() !== '') { out.line(line); line = '   '; }
    line += piece;
  });
  out.open(line);
}
