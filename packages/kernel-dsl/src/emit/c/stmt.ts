import type { Accum, Alloc, Atomic, Buffer, Expr, For, Instr, Let, Stmt, Store, While } from '../../ir/index.ts';
import { bytesOf, isConst, locsOf } from '../../ir/index.ts';
import { EmitError } from '../error.ts';
import { call, castTo, elements, flatIndex, flatten, infix, isDead, nonNegative, oneLine, place, PREC, prefix, primary, rampOf, strideOf, wrap, writtenFirst } from '../text/index.ts';
import type { Live, Text, Writer } from '../text/index.ts';
import { pointersFor } from './address.ts';
import type { SharedPlace } from './address.ts';
import { addressText, elementText, exprText, laneTexts, maskText, naturalMask, pickLane } from './expr.ts';
import type { Frame } from './frame.ts';
import { RANK, bufKey, nameOf, need, varKey } from './frame.ts';
import { atomicHelper, minMaxHelper, scatterHelper, storeHelper } from './helpers/index.ts';
import { instrText } from './instr.ts';
import { laneOf } from './lane.ts';
import { outline } from './outline.ts';
import { printText } from './print.ts';
import { maskBit } from './casts.ts';
import { cType } from './types.ts';

/** What statements of one function share besides the frame. */
export interface Printing {
  readonly f: Frame;
  readonly w: Writer;
  readonly live: Live;
  readonly kernelName: string;
  /** Registers whose declaration waits for the store that gives them their first value. */
  readonly waiting: Set<number>;
  /** The author's line that was printed last. */
  at: string | undefined;
}

/** Prints a C scope: names, pointers and memory that it takes are free again after it. */
export function printScope(p: Printing, s: Stmt): void {
  const { namer } = p.f.kernel, names = namer.mark(), memory = p.f.memory, pointers = [...p.f.pointers.keys()];
  const list = flatten(s).filter((x) => !isDead(p.live, x)), wanted = pointersFor(list);
  list.forEach((x, i) => {
    for (const place of wanted.get(x) ?? []) printPointer(p, place);
    printStmt(p, x, list.slice(i + 1));
  });
  namer.restore(names);
  p.f.memory = memory;
  for (const key of [...p.f.pointers.keys()]) if (!pointers.includes(key)) p.f.pointers.delete(key);
}

function printPointer(p: Printing, { key, buf, base }: SharedPlace): void {
  const { f } = p;
  if (f.pointers.has(key)) return;
  const at = `&${nameOf(f, bufKey(buf), buf.name)}[${exprText(f, base).t}]`, name = f.kernel.namer.take(`${buf.name}_at`);
  p.w.line(`${buf.access === 'in' ? 'const ' : ''}${cType(buf.dtype)} *${name} = ${at};`);
  f.pointers.set(key, name);
}

function printStmt(p: Printing, s: Stmt, following: readonly Stmt[]): void {
  p.w.locs = locsOf(s);
  switch (s.kind) {
    case 'block': return; // flattened
    case 'region': {
      const where = place(s.loc);
      p.w.heading(`${oneLine(s.name)}${where ? `   ${where}` : ''}`);
      if (where) p.at = where;
      return;
    }
    case 'for': printFor(p, s); return;
    case 'if':
      p.w.open(s.rare ? `if (__builtin_expect(${exprText(p.f, s.cond).t}, 0)) {` : `if (${exprText(p.f, s.cond).t}) {`);
      printScope(p, s.then);
      if (s.else) { p.w.turn('} else {'); printScope(p, s.else); }
      p.w.locs = [];
      p.w.close();
      return;
    case 'while': printWhile(p, s); return;
    case 'atomic': printAtomic(p, s); return;
    case 'print': p.w.line(`${printText(p.f, s)};`); return;
    case 'let': printLet(p, s); return;
    case 'alloc': printAlloc(p, s, following); return;
    case 'store': printStore(p, s); return;
    case 'accum': printAccum(p, s); return;
    case 'assume': printAssume(p, s); return;
    case 'instr': printInstr(p, s); return;
    case 'barrier': throw new EmitError(`a ${s.scope} barrier in C`, s.loc);
  }
}

/** `if (!(cond)) return k;`: assumptions stand in front of all that writes, and are numbered from 1 in the order of the text. */
function printAssume(p: Printing, s: Extract<Stmt, { kind: 'assume' }>): void {
  if (p.f.parent) throw new EmitError(`an assumption (${s.text}) inside of a parallel loop`, s.loc);
  p.w.line(`if (${prefix('!', exprText(p.f, s.cond)).t}) return ${++p.f.kernel.assumptions};   // assumes ${oneLine(s.text)}`);
}

/** The author's line as a trailing comment, once while it stays the same. */
function trailing(p: Printing, s: Stmt): string {
  const where = place(s.loc);
  if (!where || where === p.at) return '';
  p.at = where;
  return `   // ${where}`;
}

const isSimple = (e: Expr): boolean => e.kind === 'const' || e.kind === 'size' || e.kind === 'var';

function bindLoopVar(p: Printing, s: For | While): string {
  const name = p.f.kernel.namer.take(s.v.name);
  p.f.symbols.set(varKey(s.v), { name, type: 'int64_t', declaration: 'const int64_t', rank: RANK.value });
  p.f.kernel.nonNegative.add(s.v.id);
  return name;
}

function printFor(p: Printing, s: For): void {
  if (s.loop === 'parallel' && !p.f.parent) { printParallel(p, s); return; }
  if (s.loop !== 'seq' && s.loop !== 'parallel') throw new EmitError(`the loop ${s.v.name} is ${s.loop} in C`, s.loc);
  const names = p.f.kernel.namer.mark(), extent = exprText(p.f, s.extent), v = bindLoopVar(p, s), note = trailing(p, s);
  const limit = isSimple(s.extent) ? extent.t : p.f.kernel.namer.take(`${s.v.name}_end`);
  const also = isSimple(s.extent) ? '' : `, ${limit} = ${extent.t}`;
  p.w.open(`for (int64_t ${v} = 0${also}; ${v} < ${limit}; ${v}++) {${note}`);
  printScope(p, s.body);
  p.w.locs = [];
  p.w.close();
  p.f.kernel.namer.restore(names);
}

function printWhile(p: Printing, s: While): void {
  const names = p.f.kernel.namer.mark(), max = exprText(p.f, s.max), v = bindLoopVar(p, s), note = trailing(p, s);
  const limit = isSimple(s.max) ? max.t : p.f.kernel.namer.take(`${s.v.name}_end`);
  const more = infix('&&', infix('<', primary(v), primary(limit)), exprText(p.f, s.cond)).t;
  p.w.open(`for (int64_t ${v} = 0${isSimple(s.max) ? '' : `, ${limit} = ${max.t}`}; ${more}; ${v}++) {${note}`);
  printScope(p, s.body);
  p.w.locs = [];
  p.w.close();
  p.f.kernel.namer.restore(names);
}

function printAtomic(p: Printing, s: Atomic): void {
  const { f, w } = p, { buf } = s, value = exprText(f, s.value);
  const update = call(need(f, atomicHelper(s.fn, buf.dtype)), primary(addressText(f, buf, s.index)), value).t;
  if (!s.old || !p.live.vars.has(s.old.id)) { w.line(`${update};`); return; }
  const type = cType(buf.dtype), name = f.kernel.namer.take(s.old.name);
  f.symbols.set(varKey(s.old), { name, type, declaration: `const ${type}`, rank: RANK.value });
  w.declare(`const ${type}`, name, update);
}

function printParallel(p: Printing, s: For): void {
  const { f, w } = p, note = place(s.loc);
  const extent = exprText(f, s.extent).t;
  const { fn, env, captured } = outline(f, s, p.kernelName, (inner, iw) => {
    const q: Printing = { f: inner, w: iw, live: p.live, kernelName: p.kernelName, waiting: new Set(), at: note };
    const names = f.kernel.namer.mark(), v = bindLoopVar(q, s);
    iw.locs = locsOf(s);
    iw.open(`for (int64_t ${v} = begin; ${v} < end; ${v}++) {`);
    printScope(q, s.body);
    iw.locs = [];
    iw.close();
    f.kernel.namer.restore(names);
  });
  const ctx = nameOf(f, 'ctx', 'ctx'), comment = `   // ${s.v.name} in parallel`;
  if (!env) { w.line(`${ctx}->parallel(${ctx}, ${fn}, 0, ${extent}, 1);${comment}`); return; }
  w.open(`{${comment}`);
  const fields = captured.map((c) => `.${c.name} = ${c.name}`);
  const flat = `struct ${env} env = {${fields.join(', ')}};`;
  if (flat.length <= 110) w.line(flat);
  else {
    w.open(`struct ${env} env = {`);
    for (let i = 0; i < fields.length; i += 6) w.line(`${fields.slice(i, i + 6).join(', ')},`);
    w.close('};');
  }
  w.line(`${ctx}->parallel(${ctx}, ${fn}, &env, ${extent}, 1);`);
  w.close();
  p.at = undefined;
}

function printLet(p: Printing, s: Let): void {
  const { f } = p, bools = s.v.dtype === 'bool' && s.v.lanes > 1, mask = bools ? naturalMask(f, s.value) : s.v.dtype;
  const type = cType(mask, s.v.lanes), value = bools ? maskText(f, s.value, mask).t : exprText(f, s.value).t;
  if (bools) f.kernel.masks.set(s.v.id, mask);
  if (nonNegative(s.value, f.kernel.nonNegative)) f.kernel.nonNegative.add(s.v.id);
  const name = f.kernel.namer.take(s.v.name);
  f.symbols.set(varKey(s.v), { name, type, declaration: `const ${type}`, rank: RANK.value });
  p.w.declare(`const ${type}`, name, value);
}

function printAlloc(p: Printing, { buf }: Alloc, following: readonly Stmt[]): void {
  const { f, w } = p, k = f.kernel;
  if (buf.space === 'reg') {
    const lanes = elements(buf), type = cType(buf.dtype, lanes), name = k.namer.take(buf.name);
    f.symbols.set(bufKey(buf), { name, type, declaration: `const ${type}`, rank: RANK.value });
    const first = writtenFirst(buf, following);
    if (first === 'branches') w.declare(type, name, undefined);
    else if (first) p.waiting.add(buf.id);
    else w.declare(type, name, lanes === 1 ? '0' : '{0}');
    return;
  }
  const type = cType(buf.dtype), n = elements(buf), name = k.namer.take(buf.name);
  if (buf.space === 'local') {
    f.symbols.set(bufKey(buf), { name, type: `${type} *`, declaration: `${type} *`, rank: RANK.memory });
    w.line(`${type} ${name}[${n}];`);
    return;
  }
  if (buf.space !== 'pack') throw new EmitError(`${buf.name} is ${buf.space} memory in C`, buf.loc);
  const bytes = Math.ceil((n * bytesOf(buf.dtype)) / 64) * 64, from = f.memory, ctx = nameOf(f, 'ctx', 'ctx');
  f.memory += bytes;
  if (f.parent) k.scratchBytes = Math.max(k.scratchBytes, f.memory); else k.sharedBytes = Math.max(k.sharedBytes, f.memory);
  f.symbols.set(bufKey(buf), { name, type: `${type} *`, declaration: `${type} *restrict `, rank: RANK.memory });
  const base = `${ctx}->${f.parent ? 'scratch[worker]' : 'shared'}`;
  w.line(`${type} *restrict ${name} = (${type} *)${from ? `(${base} + ${from})` : base};   // ${n} elements`);
}

const isZero = (e: Expr): boolean => (e.kind === 'broadcast' ? isZero(e.x) : e.kind === 'const' && Object.is(e.value, 0));

/** The value as it is stored: bools as 0 or 1. */
function storedText(p: Printing, e: Expr): Text {
  if (e.dtype !== 'bool' || e.lanes === 1) return exprText(p.f, e);
  return castTo(cType('bool', e.lanes), maskBit(maskText(p.f, e, 'i8')));
}

function registerName(p: Printing, buf: Buffer): string {
  if (!p.f.symbols.has(bufKey(buf))) throw new EmitError(`register ${buf.name} is written inside of a parallel loop around which it is allocated`, buf.loc);
  return nameOf(p.f, bufKey(buf), buf.name);
}

function printStore(p: Printing, s: Store): void {
  const { w } = p, { buf, value } = s;
  if (buf.space === 'reg') {
    const name = registerName(p, buf);
    if (!p.waiting.delete(buf.id)) { w.line(`${name} = ${storedText(p, value).t};`); return; }
    w.declare(cType(buf.dtype, value.lanes), name, isZero(value) && value.lanes > 1 ? '{0}' : storedText(p, value).t);
    return;
  }
  writeMemory(p, buf, s.index, value.lanes, storedText(p, value));
}

/** Writes a value to memory: one element, a vector, or lanes apart. */
function writeMemory(p: Printing, buf: Buffer, index: readonly Expr[], lanes: number, value: Text): void {
  const { f, w } = p;
  const held = buf.dtype;
  if (buf.packed) {
    const scalar = index.every((x) => x.lanes === 1), byte = (at: readonly Expr[]): string => `${nameOf(f, bufKey(buf), buf.name)}[${infix('>>', exprText(f, flatIndex(buf, at)), primary('1')).t}]`;
    if (scalar && lanes === 1) { w.line(`${byte(index)} = ${castTo('uint8_t', value).t};`); return; }
    if (scalar) { w.line(`${need(f, storeHelper(held, lanes))}(&${byte(index)}, ${value.t});`); return; }
    const name = f.kernel.namer.take(`${buf.name}_lanes`);
    w.declare(`const ${cType(held, lanes)}`, name, value.t);
    for (let i = 0; i < lanes; i++) w.line(`${byte(index.map((x) => laneOf(x, i, pickLane(f))))} = (uint8_t)${name}[${i}];`);
    return;
  }
  if (index.some((x) => x.lanes > 1)) {
    const ramp = rampOf(buf, index);
    if (!ramp) {
      const at: Expr = { kind: 'load', dtype: held, lanes, buf, index };
      const name = f.kernel.namer.take(`${buf.name}_lanes`), names = laneTexts(f, at);
      w.declare(`const ${cType(held, lanes)}`, name, value.t);
      names.forEach((target, i) => w.line(`${target} = ${name}[${i}];`));
      return;
    }
    w.line(`${need(f, scatterHelper(held, lanes))}(${addressText(f, buf, ramp.first)}, ${exprText(f, ramp.step).t}, ${value.t});`);
    return;
  }
  const step = buf.shape.length ? strideOf(buf, buf.shape.length - 1) : undefined;
  if (lanes === 1) w.line(`${elementText(f, buf, index)} = ${value.t};`);
  else if (step && !isConst(step, 1)) w.line(`${need(f, scatterHelper(held, lanes))}(${addressText(f, buf, index)}, ${exprText(f, step).t}, ${value.t});`);
  else w.line(`${need(f, storeHelper(held, lanes))}(${addressText(f, buf, index)}, ${value.t});`);
}

function printInstr(p: Printing, s: Instr): void {
  const { text, into } = instrText(p.f, s);
  if (!into) p.w.line(`${text.t};`);
  else if (into.buf.space === 'reg') p.w.line(`${registerName(p, into.buf)} = ${text.t};`);
  else writeMemory(p, into.buf, into.index, into.lanes, text);
}

function printAccum(p: Printing, s: Accum): void {
  const { f, w } = p, { buf, value, fn } = s, lanes = value.lanes;
  const op = fn === 'add' ? '+' : fn === 'mul' ? '*' : undefined;
  const combine = (old: Text): Text => (op ? infix(op, old, exprText(f, value)) : call(need(f, minMaxHelper(fn === 'min' ? 'min' : 'max', buf.dtype, lanes)), old, exprText(f, value)));
  if (buf.space === 'reg' || lanes === 1) {
    const target = buf.space === 'reg' ? registerName(p, buf) : elementText(f, buf, s.index);
    w.line(op ? `${target} ${op}= ${wrap(exprText(f, value), PREC.any)};` : `${target} = ${combine(primary(target)).t};`);
    return;
  }
  const load: Expr = { kind: 'load', dtype: buf.dtype, lanes, buf, index: s.index };
  writeMemory(p, buf, s.index, lanes, combine(exprText(f, load)));
}
