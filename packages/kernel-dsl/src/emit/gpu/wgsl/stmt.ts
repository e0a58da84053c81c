import type { Accum, Alloc, Atomic, Buffer, Expr, For, If, Let, Print, Stmt, Store, Subgroup, While } from '../../../ir/index.ts';
import { isInt, locsOf } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { elements, flatten, infix, isDead, nonNegative, oneLine, PREC, primary, writtenFirst, wrap } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { FAULTS, bindLoopVar, blockOf, bufKey, inside, interval, isNarrow, isSimple, markWritten, noteVarying, printBranches, printRegion, rangeOf, trailing, varKey, varies } from '../family/index.ts';
import type { Printing as FamilyPrinting } from '../family/index.ts';
import { PRINT_HEAD } from '../printed.ts';
import { addressText, indexText } from './address.ts';
import { atomicText } from './atomics.ts';
import { addsMagic, exprText } from './expr.ts';
import { call, nameOf, need, PRINTED, symbolOf } from './frame.ts';
import type { Frame } from './frame.ts';
import { minMaxHelper } from './helpers.ts';
import { assumeHelper, elementStore, elementValue, insideText, laneText, wideLoad, wideStore } from './memory.ts';
import { requireAlike, subgroupText } from './subgroup.ts';
import { typeOf } from './types.ts';

/** What statements of one launch share besides the frame. */
export interface Printing extends FamilyPrinting<Frame> {
  /** The barrier of a workgroup. */
  readonly barrier: readonly string[];
}

/** Prints a scope: names that it takes are free again after it. */
export function printScope(p: Printing, s: Stmt): void {
  const { namer } = p.f, names = namer.mark(), list = flatten(s).filter((x) => !isDead(p.live, x));
  list.forEach((x, i) => printStmt(p, x, list.slice(i + 1)));
  namer.restore(names);
}

function printStmt(p: Printing, s: Stmt, following: readonly Stmt[]): void {
  p.w.locs = locsOf(s);
  noteVarying(p.f, s, p.diverged > 0);
  switch (s.kind) {
    case 'block': return; // flattened
    case 'region': printRegion(p, s); return;
    case 'for': printFor(p, s, following); return;
    case 'if': printIf(p, s); return;
    case 'while': printWhile(p, s); return;
    case 'atomic': printAtomic(p, s); return;
    case 'print': printPrint(p, s); return;
    case 'let': printLet(p, s); return;
    case 'alloc': printAlloc(p, s, following); return;
    case 'store': printStore(p, s); return;
    case 'accum': printAccum(p, s); return;
    case 'assume': {
      const site = p.f.m.sites.push({ kind: 'assume', text: s.text, loc: s.loc }) - 1;
      p.w.line(`${call(need(p.f.m, assumeHelper(nameOf(p.f, FAULTS, 'faults'))), primary(`${site}u`), exprText(p.f, s.cond)).t};   // ${oneLine(s.text)}`);
      return;
    }
    case 'barrier': {
      const lanes = p.f.launch.block.reduce((a, b) => a * b, 1);
      requireAlike(p.f, p.diverged > 0, lanes, `a ${s.scope} barrier`, s);
      if (lanes > 1) p.barrier.forEach((l) => p.w.line(l));
      return;
    }
    case 'instr': throw new EmitError(`the instruction ${s.def.name} has no text for WGSL`, s.loc);
    case 'call': throw new EmitError(`the function ${s.fn.name} has no text for WGSL`, s.loc);
  }
}

/** The end of a loop: its text, named in front where it is more than a name. */
function limitOf(p: Printing, s: For | While, extent: Expr): string {
  const text = indexText(p.f, extent, exprText).t;
  if (isSimple(extent)) return text;
  const name = p.f.namer.take(`${s.v.name}_end`);
  p.w.line(`let ${name} = ${text};`);
  return name;
}

function printFor(p: Printing, s: For, following: readonly Stmt[]): void {
  const { f, w } = p;
  if (s.loop.includes('.')) { printPlace(p, s, following); return; }
  if (s.loop !== 'seq' && s.loop !== 'parallel') throw new EmitError(`the loop ${s.v.name} is ${s.loop} on a GPU`, s.loc);
  const limit = limitOf(p, s, s.extent), names = f.namer.mark(), differs = varies(f, s.extent), v = bindLoopVar<32>(p, s, s.extent, 32, differs);
  markWritten(p, s.body, differs);
  w.open(`for (var ${v} = 0; ${v} < ${limit}; ${v}++) {${trailing(p, s)}`);
  inside(p, differs, () => printScope(p, s.body));
  w.locs = [];
  w.close();
  f.namer.restore(names);
}

/** The variable of a block or lane loop is where this lane is. Its body stands in the same scope if nothing follows it. */
function printPlace(p: Printing, s: For, following: readonly Stmt[]): void {
  const { f, w } = p, d = 'xyz'.indexOf(s.loop.slice(-1)) as 0 | 1 | 2, lane = s.loop.startsWith('lane.'), own = following.some((x) => x.kind !== 'region'), note = trailing(p, s), names = f.namer.mark();
  if (own) w.open('{');
  const v = bindLoopVar<32>(p, s, s.extent, 32, lane);
  w.line(`let ${v} = ${lane ? builtin(f, 'local_invocation_id', d) : blockText(f, d)};${note}`);
  printScope(p, s.body);
  if (own) { w.locs = []; w.close(); f.namer.restore(names); }
}

function builtin(f: Frame, of: 'workgroup_id' | 'local_invocation_id', d: 0 | 1 | 2): string {
  f.builtins.add(of);
  return `i32(${f.builtin[of]}.${'xyz'[d]!})`;
}

/** The number of a workgroup along a direction. */
function blockText(f: Frame, d: 0 | 1 | 2): string {
  return f.m.options.flatGrid ? blockOf(primary(flatName(f)), d, f.launch.grid, (k) => indexText(f, f.launch.grid[k]!, exprText)).t : builtin(f, 'workgroup_id', d);
}
/** The number of a workgroup among all: see launch.ts. */
export const flatName = (f: Frame): string => `${f.builtin.workgroup_id}_number`;

function printIf(p: Printing, s: If): void {
  const differs = varies(p.f, s.cond);
  printBranches(p, s, exprText(p.f, s.cond).t, differs, (x) => printScope(p, x));
}

function printWhile(p: Printing, s: While): void {
  const { f } = p;
  markWritten(p, s.body, false);
  const limit = limitOf(p, s, s.max), names = f.namer.mark(), differs = varies(f, s.cond) || varies(f, s.max), v = bindLoopVar<32>(p, s, s.max, 32, differs);
  if (differs) markWritten(p, s.body, true);
  p.w.open(`for (var ${v} = 0; ${infix('&&', infix('<', primary(v), primary(limit)), exprText(f, s.cond)).t}; ${v}++) {${trailing(p, s)}`);
  inside(p, differs, () => printScope(p, s.body));
  p.w.locs = [];
  p.w.close();
  f.namer.restore(names);
}

function printLet(p: Printing, s: Let): void {
  const { f, w } = p, { v, value } = s;
  if (value.kind === 'subgroup') {
    const { before, value: x, after } = subgroupText(f, s as Let & { readonly value: Subgroup }, p.diverged > 0);
    before.forEach((l) => w.line(l));
    bind(p, s, x.t);
    after.forEach((l) => w.line(l));
    return;
  }
  if (v.lanes > 1) { printWide(p, s); return; }
  if (addsMagic(value)) f.shifted.add(v.id);
  if (nonNegative(value, f.nonNegative)) f.nonNegative.add(v.id);
  if (isInt(v.dtype) && v.dtype !== 'i64') f.ranges.set(v.id, rangeOf(value, f.ranges));
  if (v.dtype !== 'i64') { bind(p, s, exprText(f, value).t); return; }
  f.intervals.set(v.id, interval(f, value));
  // What may not fit is good for addresses alone.
  if (isNarrow(f, value)) bind(p, s, indexText(f, value, exprText).t, 32); else bind(p, s, addressText(f, value, exprText).t);
}

function bind(p: Printing, s: Let, value: string, bits?: 32): void {
  const name = p.f.namer.take(s.v.name);
  p.f.symbols.set(varKey(s.v), { name, ...(bits && { bits }) });
  // A constant alone would be a number without a type.
  p.w.line(`let ${name}${/^-?[\d.]/.test(value) || /^select\(/.test(value) ? `: ${typeOf(s.v.dtype)}` : ''} = ${value};`);
}

function printWide(p: Printing, s: Let): void {
  const { f, w } = p, { v, value } = s;
  if (value.kind !== 'load') throw new EmitError(`${v.name} is a vector made of a ${value.kind}`, s.loc);
  const x = wideLoad(f, value, exprText);
  if (x.value) {
    const name = f.namer.take(v.name);
    f.symbols.set(varKey(v), { name, held: x.held });
    w.line(`let ${name} = ${x.value.t};`);
    return;
  }
  const names = (x.parts ?? []).map((part, i) => { const name = f.namer.take(`${v.name}_${i}`); w.line(`let ${name} = ${part.t};`); return name; });
  f.symbols.set(varKey(v), { name: names[0]!, held: { kind: 'lanes', names } });
}

function printAlloc(p: Printing, { buf }: Alloc, following: readonly Stmt[]): void {
  const { f, w } = p;
  if (buf.space === 'shared') return; // a variable of the module
  const type = typeOf(buf.dtype), name = f.namer.take(buf.name);
  f.symbols.set(bufKey(buf), { name });
  if (buf.space !== 'reg') { w.line(`var ${name}: array<${type}, ${elements(buf)}>;`); return; }
  if (elements(buf) !== 1) throw new EmitError(`the register ${buf.name} is a vector on a GPU`, buf.loc);
  const first = writtenFirst(buf, following);
  if (first && first !== 'branches') p.waiting.add(buf.id); else w.line(`var ${name}: ${type};`);
}

/** `if (inside(…)) { … }`, or the line alone where nothing checks. */
const guarded = (check: Text | undefined, line: string): string => (check ? `if (${wrap(check, PREC.any)}) { ${line} }` : line);

function printStore(p: Printing, s: Store): void {
  const { f, w } = p, { buf, value } = s;
  if (buf.space === 'reg') {
    const name = symbolOf(f, bufKey(buf), buf.name).name, text = exprText(f, value).t;
    w.line(p.waiting.delete(buf.id) ? `var ${name}: ${typeOf(buf.dtype)} = ${text};` : `${name} = ${text};`);
    return;
  }
  const check = insideText(f, buf, s.index, 'written', buf.packed ? 2 : value.lanes, exprText, s.loc);
  if (value.lanes === 1) { w.line(guarded(check, elementStore(f, buf, s.index, exprText(f, value), exprText))); return; }
  const parts = lanesOf(p, value, buf);
  if (check) w.open(`if (${check.t}) {`);
  wideStore(f, buf, s.index, parts, exprText).forEach((l) => w.line(l));
  if (check) w.close();
}

/** The lanes of what is stored whole, all computed before the first of them is written. */
function lanesOf(p: Printing, value: Expr, buf: Buffer): readonly Text[] {
  const { f, w } = p;
  if (value.kind === 'var') { const s = symbolOf(f, varKey(value), value.name); return Array.from({ length: value.lanes }, (_, i) => (s.held ? laneText(s.name, s.held, value.dtype, i) : primary(s.name))); }
  if (value.kind !== 'join') throw new EmitError(`a ${value.kind} of ${value.lanes} lanes is stored`, value.loc);
  return value.parts.map((e, i) => {
    const x = exprText(f, e);
    if (/^[\w.]+$/.test(x.t)) return x;
    const name = f.namer.take(`${buf.name.toLowerCase()}_${i}`);
    w.line(`let ${name}: ${typeOf(e.dtype)} = ${x.t};`);
    return primary(name);
  });
}

/** A cell after an update. */
function updated(f: Frame, buf: Buffer, index: readonly Expr[], fn: Accum['fn'] | Exclude<Atomic['fn'], 'exchange'>, value: Expr): Text {
  const old: Expr = { kind: 'load', dtype: buf.dtype, lanes: 1, buf, index };
  if ((fn === 'min' || fn === 'max') && buf.dtype === 'f32') return call(need(f.m, minMaxHelper(fn)), elementValue(f, buf, index, exprText), exprText(f, value));
  // What it reads was checked with what it writes.
  return exprText({ ...f, m: { ...f.m, options: { ...f.m.options, bounds: false } } }, { kind: 'binary', fn, dtype: buf.dtype, lanes: 1, a: old, b: value });
}

function printAccum(p: Printing, s: Accum): void {
  const { f, w } = p, { buf } = s, check = insideText(f, buf, s.index, 'updated', 1, exprText, s.loc), next = updated(f, buf, s.index, s.fn, s.value);
  w.line(buf.space === 'reg' ? `${nameOf(f, bufKey(buf), buf.name)} = ${next.t};` : guarded(check, elementStore(f, buf, s.index, next, exprText)));
}

function printAtomic(p: Printing, s: Atomic): void {
  const { f, w } = p, { buf } = s, check = insideText(f, buf, s.index, 'updated', 1, exprText, s.loc), old = s.old && p.live.vars.has(s.old.id) ? s.old : undefined;
  const own = buf.space === 'reg' || buf.space === 'local', type = typeOf(buf.dtype);
  let name = '';
  if (old) {
    name = f.namer.take(old.name);
    f.symbols.set(varKey(old), { name });
    if (own) w.line(`let ${name} = ${elementValue(f, buf, s.index, exprText).t};`); else if (check) w.line(`var ${name}: ${type};`);
  }
  if (own) {
    // Nobody else sees a lane's own memory: an update of it is one like any other.
    const next = s.fn === 'exchange' ? exprText(f, s.value) : updated(f, buf, s.index, s.fn, s.value);
    w.line(buf.space === 'reg' ? `${nameOf(f, bufKey(buf), buf.name)} = ${next.t};` : elementStore(f, buf, s.index, next, exprText));
    return;
  }
  const update = atomicText(f, s).t;
  if (!old) w.line(guarded(check, `${update};`));
  else w.line(check ? guarded(check, `${name} = ${update};`) : `let ${name} = ${update};`);
}

/** A line of `print`: its number and the bits of its values, one record in the buffer that the host reads (see printed.ts). */
function printPrint(p: Printing, s: Print): void {
  const { f, w } = p, to = nameOf(f, PRINTED, 'the buffer of print'), n = s.values.length, at = f.namer.take('record');
  const id = f.m.prints.push({ text: s.text, dtypes: s.values.map((e) => e.dtype), loc: s.loc });
  f.m.features.add('print');
  w.open('{');
  w.line(`let ${at} = atomicAdd(&${to}[0], ${n + 1}u) + ${PRINT_HEAD}u;`);
  w.open(`if (${at} + ${n}u < arrayLength(&${to})) {`);
  w.line(`atomicStore(&${to}[${at}], ${id}u);`);
  s.values.forEach((e, i) => {
    const x = exprText(f, e), T = typeOf(e.dtype);
    w.line(`atomicStore(&${to}[${at} + ${i + 1}u], ${T === 'bool' ? call('select', primary('0u'), primary('1u'), x).t : T === 'u32' ? x.t : `bitcast<u32>(${x.t})`});`);
  });
  w.turn('} else {');
  w.line(`atomicAdd(&${to}[1], 1u);`);
  w.close();
  w.close();
}
