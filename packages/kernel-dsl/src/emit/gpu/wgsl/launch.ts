import type { Buffer, Param, SourcedLine } from '../../../ir/index.ts';
import { isConst, visitStmt } from '../../../ir/index.ts';
import { Namer } from '../../names.ts';
import { elements, infix, liveIn, place, primary, Writer } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { FAULTS, bufKey, crossesBarriers, hostBounds, scalarKey, sizeKey, strideKey, varKey } from '../family/index.ts';
import type { GpuArg, GpuLaunch } from '../module.ts';
import { freeVars, workspaceName } from '../plan.ts';
import type { PlannedLaunch } from '../plan.ts';
import { sharedBytesOf } from '../shared-bytes.ts';
import { indexText } from './address.ts';
import { exprText } from './expr.ts';
import { cellType, formsOf } from './forms.ts';
import { PRINTED, cellsKey, lacks, lowKey, startKey } from './frame.ts';
import type { Form, Frame, ModuleState, Offer, Parts, Symbol } from './frame.ts';
import { marksOf } from './marks.ts';
import type { Marks } from './marks.ts';
import { cellsOf } from './memory.ts';
import { partsOf } from './parts.ts';
import { flatName, printScope } from './stmt.ts';
import { RESERVED, cellOf, isSmall, typeOf } from './types.ts';
import { wholeRows } from './whole.ts';

/** One launch as text, how to make it, and the tensors that it writes to cells. */
export interface PrintedLaunch { readonly launch: GpuLaunch; readonly lines: readonly SourcedLine[]; readonly marks: readonly Marks[] }

interface Entry { readonly key: string; readonly wish: string; readonly arg: GpuArg; readonly type: string; /** Of memory. */ readonly access?: 'read' | 'read_write'; readonly bits?: 32 }

/** Every argument that a launch may have: bindings of memory, then the numbers of its uniform block. */
function entriesOf(m: ModuleState, l: PlannedLaunch, forms: ReadonlyMap<number, Form>, marks: ReadonlyMap<number, Marks>): readonly Entry[] {
  const out: Entry[] = [], tensors = m.k.params.filter((p): p is Extract<Param, { kind: 'tensor' }> => p.kind === 'tensor').map((p) => p.buf);
  const memory = (key: string, wish: string, arg: GpuArg, type: string, access: Entry['access'] & string = 'read_write'): void => { out.push({ key, wish, arg, type, access }); };
  for (const b of tensors) {
    const x = forms.get(b.id), access = x?.written ? b.access : 'in';
    if (x) memory(bufKey(b), x.name, { kind: 'buffer', param: b.name, access }, cellType(x), access === 'in' && !x.atomic ? 'read' : 'read_write');
  }
  for (const { buf } of m.plan.workspace) { const x = forms.get(buf.id); if (x) memory(bufKey(buf), x.name, { kind: 'workspace', name: workspaceName(m.plan, buf) }, cellType(x)); }
  for (const x of marks.values()) { const { cells } = forms.get(x.buf.id)!; memory(cellsKey(x.buf), cells, { kind: 'workspace', name: x.workspace.name }, 'u32'); }
  for (const [key, wish, arg] of [[FAULTS, 'faults', { kind: 'faults' }], [PRINTED, 'printed', { kind: 'print' }]] as const) { const name = m.names.take(wish); memory(key, name, arg, 'atomic<u32>'); }
  const number = (key: string, wish: string, arg: GpuArg, type = 'i32', bits?: 32): void => { out.push({ key, wish, arg, type, ...(bits && { bits }) }); };
  for (const b of tensors) number(startKey(b), `${b.name}_start`, { kind: 'start', param: b.name });
  for (const n of m.k.sizes) number(sizeKey(n), n, { kind: 'size', name: n });
  for (const b of tensors) b.shape.forEach((_, d) => number(strideKey(b, d), `${b.name}_s${d}`, { kind: 'stride', param: b.name, dim: d }));
  for (const p of m.k.params) if (p.kind === 'scalar') number(scalarKey(p.name), p.name, { kind: 'scalar', name: p.name, dtype: p.dtype }, p.dtype === 'bool' ? 'u32' : typeOf(p.dtype));
  for (const v of freeVars(l.body)) if (m.plan.hostLets.has(v.id) || m.plan.hostLoops.has(v.id)) number(varKey(v), v.name, { kind: 'var', v }, 'i32', 32);
  for (const x of marks.values()) number(lowKey(x.buf), `${x.buf.name}_low`, { kind: 'var', v: x.low });
  return out;
}

/** Prints one launch: its memory, its numbers, its entry. `known`: tensors that have cells already. */
export function printLaunch(m: ModuleState, planned: PlannedLaunch, known: Map<number, Marks>): PrintedLaunch {
  const l = { ...planned, body: wholeRows(m, planned.body) }, forms = formsOf(m, l.body, m.names), marks = new Map<number, Marks>();
  for (const x of forms.values()) if (x.marked) { const own = known.get(x.buf.id) ?? marksOf(x.buf); known.set(x.buf.id, own); marks.set(x.buf.id, own); }
  const argsName = m.names.take('args'), struct = m.names.take(`${l.entry}_args`), entries = entriesOf(m, l, forms, marks), members = new Namer(RESERVED);
  const reserved = [...forms.values()].flatMap((x) => [x.name, x.cells, x.load, x.set, x.update]);
  const symbols = new Map<string, Symbol>(), offered = new Map<string, Offer>(), parts = new Map<string, Parts>();
  for (const e of entries) {
    const member = e.access ? e.wish : members.take(e.wish), own = e.access && partsOf(m, e.wish, e.type, e.arg);
    if (own?.get) parts.set(e.key, own);
    symbols.set(e.key, { name: e.access ? member : `${argsName}.${member}`, ...(e.bits && { bits: e.bits }) });
    offered.set(e.key, { arg: e.arg, name: member, type: e.type });
  }
  const namer = new Namer([...RESERVED, ...m.names.mark(), ...reserved]), shared = l.shared.flatMap((buf) => forms.get(buf.id) ?? []);
  for (const x of shared) symbols.set(bufKey(x.buf), { name: x.name });
  const f: Frame = {
    m, launch: l, namer, symbols, used: new Set(), offered, forms, parts, nonNegative: new Set([...m.plan.hostLoops.keys()]), intervals: hostBounds(m.plan), memo: new WeakMap(), varying: new Set(), ranges: new Map(), shifted: new Set(), exchanges: new Map(),
    builtins: new Set(), builtin: { workgroup_id: namer.take('group'), local_invocation_id: namer.take('lane'), num_workgroups: namer.take('groups') },
  };
  namer.take(flatName(f));
  const own: Buffer[] = [], most = m.target.gpu!.laneBytes ?? Infinity;
  visitStmt(l.body, (x) => { if (x.kind === 'alloc' && x.buf.space !== 'shared' && x.buf.space !== 'reg') own.push(x.buf); });
  const each = own.reduce((n, b) => n + 4 * elements(b), 0);
  if (each > most) lacks(f, `${each} bytes for each lane`, `${own.map((b) => b.name).join(', ')}, where ${most} are sure`, 'deal their loops out, so that the lanes of a workgroup share them, or keep less', own[0]!);
  const w = new Writer(m.options.flatGrid ? 2 : 1), global = crossesBarriers(l.body);
  printScope({ f, w, live: liveIn(l.body), waiting: new Set(), at: undefined, diverged: 0, barrier: global ? ['workgroupBarrier();', 'storageBarrier();'] : ['workgroupBarrier();'] }, l.body);
  const total = m.options.flatGrid ? [0, 1, 2].reduce<Text | undefined>((n, d) => { const g = l.grid[d]!; if (isConst(g, 1)) return n; const x = indexText(f, g, exprText); return n ? infix('*', n, x) : x; }, undefined) ?? primary('1') : undefined;

  const at = m.k.loc ? [m.k.loc] : [], out = new Writer(), used = entries.filter((e) => f.used.has(e.key)), numbers = used.filter((e) => !e.access);
  const bindings = used.flatMap((e) => (e.access ? (parts.get(e.key)?.names ?? [e.wish]).map((name, i) => ({ text: `var<storage, ${e.access}> ${name}: array<${e.type}>`, arg: i ? { ...e.arg, part: i } : e.arg })) : []));
  out.locs = at;
  if (numbers.length) out.line(`struct ${struct} { ${numbers.map((e) => `${offered.get(e.key)!.name}: ${e.type}`).join(', ')} }`);
  bindings.forEach((e, i) => out.line(`@group(0) @binding(${i}) ${e.text};`));
  if (numbers.length) out.line(`@group(0) @binding(${bindings.length}) var<uniform> ${argsName}: ${struct};`);
  const all = [...shared.map((x) => ({ name: x.name, type: cellType(x), n: cellsOf(x), bytes: (x.quad ? 16 : 4) * cellsOf(x), loc: x.buf.loc })), ...[...f.exchanges].map(([type, x]) => ({ name: x.name, type, n: x.n, bytes: 4 * x.n, loc: undefined }))];
  const sharedBytes = sharedBytesOf(all, m.target, l.body.loc);
  for (const x of all) { out.locs = x.loc ? [x.loc] : at; const where = place(x.loc); out.line(`var<workgroup> ${x.name}: array<${x.type}, ${x.n}>;${where ? `   // ${where}` : ''}`); }
  out.locs = at;
  if (total) { f.builtins.add('workgroup_id'); f.builtins.add('num_workgroups'); }
  out.line(`@compute @workgroup_size(${l.block.join(', ')})`);
  out.open(`fn ${l.entry}(${[...f.builtins].sort().map((b) => `@builtin(${b}) ${f.builtin[b]}: vec3<u32>`).join(', ')}) {`);
  if (total) {
    out.line(`let ${flatName(f)} = i32(${f.builtin.workgroup_id}.x + ${f.builtin.workgroup_id}.y * ${f.builtin.num_workgroups}.x);`);
    out.open(`if (${flatName(f)} < ${total.t}) {`);
  }
  out.lines.push(...w.lines);
  out.locs = [];
  if (total) out.close();
  out.close();
  return { lines: out.lines, marks: [...marks.values()], launch: { entry: l.entry, grid: l.grid, block: l.block, sharedBytes, dynamicSharedBytes: 0, args: [...bindings, ...numbers].map((e) => e.arg) } };
}

/** The dtype and size of a workspace buffer: smaller elements take a word each. */
export const workspaceDtype = (b: Buffer): Buffer['dtype'] => (isSmall(b.dtype) ? cellOf(b.dtype) : b.dtype);
