import type { Accum, Alloc, Atomic, Buffer, Call, Expr, For, If, Let, Stmt, Store, Subgroup, While } from '../../../ir/index.ts';
import { bytesOf, isInt, locsOf, visitStmt } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { call, castTo, elements, flatten, infix, isDead, nonNegative, oneLine, PREC, primary, wrap, writtenFirst } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { atomicHelper } from './atomics.ts';
import { exprText } from './expr.ts';
import { crossesBarriers } from './crossing.ts';
import { FAULTS, bufKey, mapKey, nameOf, need, symbolOf, varKey } from './frame.ts';
import type { Frame } from './frame.ts';
import { approximateHelper, assumeHelper, minMaxHelper } from './helpers.ts';
import { indexText, interval } from './index-text.ts';
import { elementText, insideText, isChunk, placeText, wideLoadText, wideStoreLines } from './memory.ts';
import { printLines } from './print.ts';
import { bindLoopVar, blockOf, inside, isSimple, markWritten, printBranches, printRegion, trailing } from './printing.ts';
import type { Printing } from './printing.ts';
import { rangeOf } from './ranges.ts';
import { requireAlike, subgroupText } from './subgroup.ts';
import { indexType, typeOf, vectorName } from './types.ts';
import { noteVarying, varies } from './varying.ts';

/** Prints a C scope: names that it takes are free again after it. */
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
    case 'print': printLines(p.f, s).forEach((l) => p.w.line(l)); return;
    case 'let': printLet(p, s); return;
    case 'alloc': printAlloc(p, s, following); return;
    case 'store': printStore(p, s); return;
    case 'accum': printAccum(p, s); return;
    case 'assume': p.w.line(`${call(need(p.f, assumeHelper()), primary(nameOf(p.f, FAULTS, 'faults')), primary(String(p.f.m.sites.push({ kind: 'assume', text: s.text, loc: s.loc }) - 1)), exprText(p.f, s.cond)).t};   // ${oneLine(s.text)}`); return;
    case 'barrier': {
      const width = p.f.m.k.subgroup ?? 32, lanes = p.f.launch.block.reduce((a, b) => a * b, 1);
      if (lanes === 1) return;
      const { dialect, target } = p.f.m, sub = dialect.subgroup(target);
      const all = dialect.sharedBarrier === undefined || crossesBarriers(p.f.launch.body) ? dialect.barrier : dialect.sharedBarrier;
      if (s.scope === 'workgroup') { p.w.line(all); return; }
      if (sub.kind === 'memory') { requireAlike(p.f, p.diverged > 0, lanes, width, 'a subgroup barrier', s); p.w.line(all); return; }
      const { text, uses } = sub.barrier(width);
      uses.forEach((h) => need(p.f, h));
      p.w.line(text);
      return;
    }
    // Where every access is checked, what a function does is done step by step.
    case 'call': if (s.meaning && p.f.m.options.bounds) printScope(p, s.meaning); else printCall(p, s); return;
    case 'instr': throw new EmitError(`the instruction ${s.def.name} has no text for ${p.f.m.dialect.language}`, s.loc);
  }
}

/** A function of the device. */
function printCall(p: Printing, s: Call): void {
  const { f, w } = p, wide = s.args.every((a) => a.kind !== 'place' || a.chunk === undefined || isChunk(f, a.buf, a.index, a.chunk)), fn = wide ? s.fn : s.unaligned ?? s.fn, helper = { name: fn.name, render: () => ({ signature: fn.signature, body: fn.body }) };
  const args = s.args.map((a): Text => {
    switch (a.kind) {
      case 'value': return a.value.dtype === 'i64' ? indexText(f, a.value, exprText).text : exprText(f, a.value);
      case 'place': return primary(placeText(f, a.buf, a.index, exprText));
      case 'array': return primary(nameOf(f, bufKey(a.buf), a.buf.name));
      case 'map': {
        // Copies by hardware take rows that begin at multiples of 16 bytes.
        const n = 16 / bytesOf(a.buf.dtype), known = f.m.alignment.get(a.buf.name) ?? { elements: 1, dims: new Set<number>() };
        known.elements = Math.max(known.elements, n);
        a.buf.shape.slice(0, -1).forEach((_, d) => known.dims.add(d));
        f.m.alignment.set(a.buf.name, known);
        return primary(`&${nameOf(f, mapKey(a.buf, a.box, a.swizzle), `the map of ${a.buf.name}`)}`);
      }
    }
  });
  w.line(`${call(need(f, helper), ...args).t};`);
}

/**
 * Is it a round of products and nothing else that takes registers? Compilers take the instructions that functions of the device hold for short ones, and write such loops several times over: a
 * product of tensor cores takes them twice as long by that, and gains nothing. Where a round has other work on registers, as that of attention, they may find something to overlap.
 */
function isRound(body: Stmt): boolean {
  let products = false, more = false;
  visitStmt(body, (x) => {
    products ||= x.kind === 'call' && x.args.some((a) => a.kind === 'array');
    more ||= x.kind === 'for' && x.unrolled === true;
  });
  return products && !more;
}

function printFor(p: Printing, s: For, following: readonly Stmt[]): void {
  const { f, w } = p;
  if (s.loop.includes('.')) { printPlace(p, s, following); return; }
  if (s.loop !== 'seq' && s.loop !== 'parallel') throw new EmitError(`the loop ${s.v.name} is ${s.loop} on a GPU`, s.loc);
  const names = f.namer.mark(), extent = indexText(f, s.extent, exprText), differs = varies(f, s.extent), v = bindLoopVar(p, s, s.extent, extent.bits, differs), note = trailing(p, s);
  const limit = isSimple(s.extent) ? extent.text.t : f.namer.take(`${s.v.name}_end`), also = isSimple(s.extent) ? '' : `, ${limit} = ${extent.text.t}`;
  markWritten(p, s.body, differs);
  const how = s.unrolled ? f.m.dialect.unroll : isRound(s.body) ? f.m.dialect.rolled : undefined;
  if (how) w.line(how);
  w.open(`for (${indexType(extent.bits)} ${v} = 0${also}; ${v} < ${limit}; ${v}++) {${note}`);
  inside(p, differs, () => printScope(p, s.body));
  w.locs = [];
  w.close();
  f.namer.restore(names);
}

/** The variable of a block or lane loop is where this lane is. Its body stands in the same scope if nothing follows it. */
function printPlace(p: Printing, s: For, following: readonly Stmt[]): void {
  const { f, w } = p, { dialect } = f.m, d = 'xyz'.indexOf(s.loop.slice(-1)) as 0 | 1 | 2, lane = s.loop.startsWith('lane.');
  const bits = f.m.options.indexBits, own = following.some((x) => x.kind !== 'region'), note = trailing(p, s);
  const names = f.namer.mark();
  if (own) w.open('{');
  const v = bindLoopVar(p, s, s.extent, bits, lane);
  const index = lane ? dialect.laneIndex(d) : blockText(f, d);
  w.line(`const ${indexType(bits)} ${v} = ${index};${note}`);
  printScope(p, s.body);
  if (own) { w.locs = []; w.close(); f.namer.restore(names); }
}

/** The number of a workgroup along a direction. */
function blockText(f: Frame, d: 0 | 1 | 2): string {
  const { dialect, options } = f.m, T = indexType(options.indexBits), flat = (k: 0 | 1 | 2): string => `(${T})${dialect.blockIndex(k)}`;
  return options.flatGrid ? blockOf(primary(flat(0)), d, f.launch.grid, (k) => indexText(f, f.launch.grid[k]!, exprText).text).t : flat(d);
}

function printIf(p: Printing, s: If): void {
  const differs = varies(p.f, s.cond);
  printBranches(p, s, exprText(p.f, s.cond).t, differs, (x) => printScope(p, x));
}

function printWhile(p: Printing, s: While): void {
  const { f } = p, names = f.namer.mark(), max = indexText(f, s.max, exprText);
  markWritten(p, s.body, false);
  const differs = varies(f, s.cond) || varies(f, s.max), v = bindLoopVar(p, s, s.max, max.bits, differs), note = trailing(p, s);
  if (differs) markWritten(p, s.body, true);
  const limit = isSimple(s.max) ? max.text.t : f.namer.take(`${s.v.name}_end`);
  const more = infix('&&', infix('<', primary(v), primary(limit)), exprText(f, s.cond)).t;
  p.w.open(`for (${indexType(max.bits)} ${v} = 0${isSimple(s.max) ? '' : `, ${limit} = ${max.text.t}`}; ${more}; ${v}++) {${note}`);
  inside(p, differs, () => printScope(p, s.body));
  p.w.locs = [];
  p.w.close();
  f.namer.restore(names);
}

function printLet(p: Printing, s: Let): void {
  const { f, w } = p, { v, value } = s;
  if (value.kind === 'subgroup') {
    const { before, value: x, after } = subgroupText(f, s as Let & { readonly value: Subgroup }, p.diverged > 0);
    before.forEach((l) => w.line(l.endsWith(';') ? l : `${l};`));
    bind(p, s, typeName(v.dtype), x.t);
    after.forEach((l) => w.line(l));
    return;
  }
  if (v.lanes > 1) {
    if (value.kind !== 'load') throw new EmitError(`${v.name} is a vector made of a ${value.kind}`, s.loc);
    bind(p, s, vectorName(v.dtype, v.lanes), wideLoadText(f, value, exprText).t);
    return;
  }
  if (nonNegative(value, f.nonNegative)) f.nonNegative.add(v.id);
  if (isInt(v.dtype) && v.dtype !== 'i64') f.ranges.set(v.id, rangeOf(value, f.ranges));
  if (v.dtype !== 'i64') { bind(p, s, typeName(v.dtype), exprText(f, value).t); return; }
  const { text, bits } = indexText(f, value, exprText);
  f.intervals.set(v.id, interval(f, value));
  bind(p, s, indexType(bits), text.t, bits);
}

const typeName = (t: Let['v']['dtype']): string => (t === 'bool' ? 'bool' : typeOf(t));

function bind(p: Printing, s: Let, type: string, value: string, bits?: 32 | 64): void {
  const name = p.f.namer.take(s.v.name);
  p.f.symbols.set(varKey(s.v), { name, ...(bits && { bits }) });
  p.w.declare(`const ${type}`, name, value);
}

function printAlloc(p: Printing, { buf }: Alloc, following: readonly Stmt[]): void {
  const { f, w } = p;
  if (buf.space === 'shared') return; // at the top of the kernel
  const type = typeOf(buf.dtype), name = f.namer.take(buf.name);
  f.symbols.set(bufKey(buf), { name, memory: 'own' });
  if (buf.space !== 'reg') { w.line(`${type} ${name}[${elements(buf)}];`); return; }
  if (elements(buf) !== 1) throw new EmitError(`the register ${buf.name} is a vector on a GPU`, buf.loc);
  const first = writtenFirst(buf, following);
  if (first === 'branches') w.declare(type, name, undefined);
  else if (first) p.waiting.add(buf.id);
  else w.declare(type, name, '0');
}

/** `if (inside(…)) …;`, or the line alone where nothing checks. */
const guarded = (check: Text | undefined, line: string): string => (check ? `if (${wrap(check, PREC.any)}) ${line}` : line);

function printStore(p: Printing, s: Store): void {
  const { f, w } = p, { buf, value } = s;
  if (buf.space === 'reg') {
    const name = symbolOf(f, bufKey(buf), buf.name).name, text = exprText(f, value).t;
    if (p.waiting.delete(buf.id)) w.declare(typeOf(buf.dtype), name, text); else w.line(`${name} = ${text};`);
    return;
  }
  const check = insideText(f, buf, s.index, 'written', buf.packed ? 2 : value.lanes, exprText, s.loc);
  if (value.lanes === 1) { w.line(guarded(check, `${elementText(f, buf, s.index, exprText)} = ${exprText(f, value).t};`)); return; }
  if (check) w.open(`if (${check.t}) {`);
  wideStoreLines(f, buf, s.index, value, exprText).forEach((l) => w.line(l));
  if (check) w.close();
}

function printAccum(p: Printing, s: Accum): void {
  const { f, w } = p, { buf, value, fn } = s, old: Expr = { kind: 'load', dtype: buf.dtype, lanes: 1, buf, index: s.index };
  const target = buf.space === 'reg' ? nameOf(f, bufKey(buf), buf.name) : elementText(f, buf, s.index, exprText), check = insideText(f, buf, s.index, 'updated', 1, exprText, s.loc);
  const next = fn === 'min' || fn === 'max' ? call(need(f, approximateHelper(fn, buf.dtype, f.m) ?? minMaxHelper(fn, buf.dtype)), primary(target), exprText(f, value)) : exprText(f, { kind: 'binary', fn, dtype: buf.dtype, lanes: 1, a: old, b: value });
  w.line(guarded(check, `${target} = ${next.t};`));
}

function printAtomic(p: Printing, s: Atomic): void {
  const { f, w } = p, { buf } = s, memory = symbolOf(f, bufKey(buf), buf.name).memory ?? 'global', check = insideText(f, buf, s.index, 'updated', 1, exprText, s.loc);
  if (bytesOf(buf.dtype) === 8) f.m.features.add('atomic64');
  const update = memory === 'own' ? undefined : call(need(f, atomicHelper(s.fn, buf.dtype, memory)), primary(placeText(f, buf, s.index, exprText)), exprText(f, s.value)).t;
  if (update === undefined) { ownUpdate(p, s, buf); return; }
  if (!s.old || !p.live.vars.has(s.old.id)) { w.line(guarded(check, `${update};`)); return; }
  const name = f.namer.take(s.old.name), type = typeOf(buf.dtype);
  f.symbols.set(varKey(s.old), { name, ...(buf.dtype === 'i64' && { bits: 64 as const }) });
  w.declare(`const ${type}`, name, check ? `${wrap(check, PREC.lor)} ? ${update} : 0` : update);
}

/** Nobody else sees a lane's own memory: an update of it is one like any other. */
function ownUpdate(p: Printing, s: Atomic, buf: Buffer): void {
  const { f, w } = p, target = elementText(f, buf, s.index, exprText), type = typeOf(buf.dtype), old: Expr = { kind: 'load', dtype: buf.dtype, lanes: 1, buf, index: s.index };
  if (s.old && p.live.vars.has(s.old.id)) {
    const name = f.namer.take(s.old.name);
    f.symbols.set(varKey(s.old), { name, ...(buf.dtype === 'i64' && { bits: 64 as const }) });
    w.declare(`const ${type}`, name, target);
  }
  const next = s.fn === 'exchange' ? exprText(f, s.value) : exprText(f, { kind: 'binary', fn: s.fn, dtype: buf.dtype, lanes: 1, a: old, b: s.value });
  w.line(`${target} = ${castTo(type, next).t};`);
}
