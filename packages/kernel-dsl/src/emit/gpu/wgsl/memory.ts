import type { Buffer, DType, Expr, Load, Loc } from '../../../ir/index.ts';
import { add, bytesOf, constant, printExpr } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { elements, flatIndex, infix, PREC, primary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { FAULTS, bufKey, isAligned } from '../family/index.ts';
import { addressText } from './address.ts';
import { call, cellsKey, lacks, lowKey, nameOf, need, startKey } from './frame.ts';
import type { Form, Frame, Held, Helper, Parts } from './frame.ts';
import { helper, packHelper } from './helpers.ts';
import type { Print } from './address.ts';
import { cellText, putText } from './parts.ts';
import { bitsOf, cellOf, component, isSmall, typeOf } from './types.ts';

/** The form of a buffer in memory, whose variable is part of the text from now on. */
export function formOf(f: Frame, buf: Buffer): Form {
  const x = f.forms.get(buf.id);
  if (!x) throw new EmitError(`${buf.name} is in no memory of the launch`, buf.loc);
  return x;
}
/** The bindings of memory, which are part of the text from now on. */
const memory = (f: Frame, key: string, wish: string, type = 'u32'): Parts => { const name = nameOf(f, key, wish); return f.parts.get(key) ?? { names: [name], type, get: '', put: '' }; };
const cell = (f: Frame, x: Form, at: string): string => cellText(f.m, memory(f, bufKey(x.buf), x.name), at);
const put = (f: Frame, x: Form, at: string, value: string): string => putText(f.m, memory(f, bufKey(x.buf), x.name), at, value);
/** The variable of cells that are updated: parts have no name in common. @throws DslError KD-L-LACKS */
export function variable(f: Frame, x: Form): string {
  const { names } = memory(f, bufKey(x.buf), x.name);
  return names.length > 1 ? lacks(f, 'atomic updates of memory in several bindings', `${x.buf.name}, which is larger than a binding`, 'pass slices of it', x.buf) : names[0]!;
}
export const next = (index: readonly Expr[], by: number): readonly Expr[] => index.map((e, d) => (d === index.length - 1 ? add(e, constant(by)) : e));

/** The place of an element from the start of the memory, in elements (of four bits too: the start of those is added where bytes are counted). */
export function placeText(f: Frame, buf: Buffer, index: readonly Expr[], print: Print): Text {
  const at = addressText(f, flatIndex(buf, index), print);
  if (buf.space !== 'param' || buf.packed) return at;
  const start = primary(nameOf(f, startKey(buf), `the start of ${buf.name}`));
  return at.t === '0' ? start : infix('+', start, at);
}

/** at / n for a power of two. */
const over = (at: Text, n: number): Text => (n === 1 ? at : infix('>>', at, primary(`${Math.log2(n)}u`)));
const plus = (at: Text, n: number): Text => (n === 0 ? at : infix('+', at, primary(String(n))));
/** A word by its number. */
const wordOf = (f: Frame, x: Form, at: string): string => (x.quad ? `${cell(f, x, `(${at}) >> 2u`)}[(${at}) & 3]` : x.atomic ? `atomicLoad(&${variable(f, x)}[${at}])` : cell(f, x, at));

/** A value of a small dtype out of bits of a word. */
export function extract(t: DType, word: string, shift: string, bits: number): string {
  const signed = typeOf(bitsOf(t)) === 'i32', x = `extractBits(${signed ? `bitcast<i32>(${word})` : word}, ${shift}, ${bits}u)`;
  return t === 'bool' ? `${x} != 0u` : x;
}
/** The bits of a value of a small dtype, in a u32 whose upper bits may be anything. */
export const rawBits = (t: DType, x: string): string => (t === 'bool' ? `select(0u, 1u, ${x})` : typeOf(bitsOf(t)) === 'i32' ? `bitcast<u32>(${x})` : x);

/** Reads an element of a buffer by its place. */
function loadHelper(f: Frame, x: Form): Helper {
  const { buf } = x, T = typeOf(buf.dtype), sig = `(at: i32) -> ${T}`, body: string[] = [];
  if (!x.words) return helper(x.load, sig, `return ${cell(f, x, 'at >> 2u')}[at & 3];`);
  const bits = bytesOf(buf.dtype) * 8, per = 32 / bits;
  let at = 'at';
  if (buf.packed) { body.push(`let byte = ${nameOf(f, startKey(buf), 'start')} + (at >> 1u);`); at = 'byte'; }
  const half = '(u32(at) & 1u) * 4u', shift = `(u32(${at}) & ${per - 1}u) * ${bits}u`;
  if (x.marked) {
    body.push(`let cell = ${cellText(f.m, memory(f, cellsKey(buf), x.cells), `${at} - ${nameOf(f, startKey(buf), 'start')} - ${nameOf(f, lowKey(buf), 'low')}`)};`,
      `if ((cell & 0x80000000u) != 0u) { return ${buf.packed ? extract(buf.dtype, 'cell', half, 4) : extract(buf.dtype, 'cell', '0u', bits)}; }`);
  }
  const word = wordOf(f, x, `${at} >> ${Math.log2(per)}u`);
  body.push(`return ${buf.packed ? extract(buf.dtype, word, `${shift} + ${half}`, 4) : extract(buf.dtype, word, shift, bits)};`);
  return helper(x.load, sig, body);
}

/** Writes an element of a buffer whose elements share words: into its cell, or by an exchange where the words are atomic. */
function setHelper(f: Frame, x: Form): Helper {
  const { buf } = x, T = typeOf(buf.dtype), bits = bytesOf(buf.dtype) * 8, at = buf.packed ? '(at >> 1u)' : 'at', start = nameOf(f, startKey(buf), 'start'), mask = bits === 8 ? '0xffu' : '0xffffu';
  const value = `(${rawBits(buf.dtype, 'value')} & ${mask})`;
  if (!x.atomic) return helper(x.set, `(at: i32, value: ${T})`, putText(f.m, memory(f, cellsKey(buf), x.cells), `${buf.packed ? at : `at - ${start}`} - ${nameOf(f, lowKey(buf), 'low')}`, `0x80000000u | ${value}`));
  const name = variable(f, x), per = 32 / bits;
  return helper(x.set, `(at: i32, value: ${T})`, [
    `let shift = (u32(at) & ${per - 1}u) * ${bits}u;`, `var seen = atomicLoad(&${name}[at >> ${Math.log2(per)}u]);`, 'loop {',
    `  let r = atomicCompareExchangeWeak(&${name}[at >> ${Math.log2(per)}u], seen, (seen & ~(${mask} << shift)) | (${value} << shift));`, '  if (r.exchanged) { return; }', '  seen = r.old_value;', '}',
  ]);
}

/** An element as a value. */
export function elementValue(f: Frame, buf: Buffer, index: readonly Expr[], print: Print): Text {
  if (buf.space === 'reg') return primary(nameOf(f, bufKey(buf), buf.name));
  if (buf.space === 'local') return primary(`${nameOf(f, bufKey(buf), buf.name)}[${addressText(f, flatIndex(buf, index), print).t}]`);
  const x = formOf(f, buf), at = placeText(f, buf, index, print);
  if (x.words || x.quad) return call(need(f.m, loadHelper(f, x)), at);
  const word = wordOf(f, x, at.t);
  if (x.atomic && buf.dtype === 'f32') return primary(`bitcast<f32>(${word})`);
  return buf.dtype === 'bool' ? infix('!=', primary(word), primary('0u')) : primary(word);
}

/** The statement that writes an element. */
export function elementStore(f: Frame, buf: Buffer, index: readonly Expr[], value: Text, print: Print): string {
  if (buf.space === 'local') return `${nameOf(f, bufKey(buf), buf.name)}[${addressText(f, flatIndex(buf, index), print).t}] = ${value.t};`;
  const x = formOf(f, buf), at = placeText(f, buf, index, print);
  if (x.words) return `${call(need(f.m, setHelper(f, x)), at, value).t};`;
  const word = buf.dtype === 'bool' ? call('select', primary('0u'), primary('1u'), value) : value;
  return x.atomic ? `atomicStore(&${variable(f, x)}[${at.t}], ${buf.dtype === 'f32' ? `bitcast<u32>(${word.t})` : word.t});` : put(f, x, at.t, word.t);
}

/** The value at a place of memory. */
export function loadText(f: Frame, e: Load, print: Print): Text {
  const { buf, index } = e;
  if (e.lanes !== 1) throw new EmitError(`a load of ${e.lanes} lanes in an expression`, e.loc);
  if (buf.space === 'reg') return elementValue(f, buf, index, print);
  const inside = insideText(f, buf, index, 'read', e.as ? bytesOf(e.as) : 1, print, e.loc), x = e.as ? bytesText(f, buf, index, e.as, print) : elementValue(f, buf, index, print);
  if (!inside) return x;
  const T = typeOf(e.as ?? buf.dtype);
  return call('select', primary({ f32: '0.0', i32: '0', u32: '0u', bool: 'false' }[T]), x, inside);
}

/** A value of another dtype out of bytes. */
function bytesText(f: Frame, buf: Buffer, index: readonly Expr[], as: DType, print: Print): Text {
  const n = bytesOf(as), x = formOf(f, buf), at = placeText(f, buf, index, print);
  if (n > 4) throw new EmitError(`${as} out of bytes in WGSL`, buf.loc);
  if (n === 1) return primary(extract(as, rawBits(buf.dtype, elementValue(f, buf, index, print).t), '0u', 8));
  const reinterpret = (word: string): Text => primary(n === 2 ? extract(as, word, '0u', 16) : as === 'u32' ? word : `bitcast<${typeOf(as)}>(${word})`);
  if (x.words && !x.marked && isAligned(f, buf, index, n)) {
    const word = wordOf(f, x, over(at, 4).t);
    return n === 4 ? reinterpret(word) : primary(extract(as, word, `(u32(${at.t}) & 2u) * 8u`, 16));
  }
  const load = need(f.m, loadHelper(f, x)), bits = Array.from({ length: n }, (_, i) => `((${rawBits(buf.dtype, `${load}(at${i ? ` + ${i}` : ''})`)} & 0xffu) << ${8 * i}u)`);
  return reinterpret(call(need(f.m, helper(`${x.load}_u${8 * n}`, '(at: i32) -> u32', `return ${bits.join(' | ')};`)), at).t);
}

/** A whole load: how its value is held, and its text where that is one value. */
export function wideLoad(f: Frame, e: Load, print: Print): { readonly held: Held; readonly value?: Text; readonly parts?: readonly Text[] } {
  const { buf, index, lanes } = e, t = e.as ?? buf.dtype, step = e.as ? bytesOf(e.as) : 1, bytes = lanes * bytesOf(t), x = formOf(f, buf);
  const inside = insideText(f, buf, index, 'read', lanes * step, print, e.loc), fits = !x.marked && !x.atomic && isAligned(f, buf, index, lanes * step);
  const guarded = (v: Text, zero: string): Text => (inside ? call('select', primary(zero), v, inside) : v);
  if (fits && !x.words && x.quad && bytes === 16) return { held: { kind: 'vec4' }, value: guarded(quadText(f, x, index, print), `vec4<${cellOf(t)}>()`) };
  if (fits && x.words && bytes >= 4) {
    const count = bytes / 4, at = over(placeText(f, buf, index, print), 4 / bytesOf(buf.dtype)), held: Held = { kind: 'words', count, dtype: t };
    if (count === 1) return { held, value: guarded(primary(wordOf(f, x, at.t)), '0u') };
    const all = x.quad && count === 4 ? quadText(f, x, index, print) : primary(`vec${count}<u32>(${Array.from({ length: count }, (_, i) => wordOf(f, x, plus(at, i).t)).join(', ')})`);
    return { held, value: guarded(all, `vec${count}<u32>()`) };
  }
  const zero = { f32: '0.0', i32: '0', u32: '0u', bool: 'false' }[typeOf(t)];
  return { held: { kind: 'lanes', names: [] }, parts: Array.from({ length: lanes }, (_, i) => guarded(e.as ? bytesText(f, buf, next(index, i * step), e.as, print) : elementValue(f, buf, next(index, i), print), zero)) };
}
/** A cell of four words. */
const quadText = (f: Frame, x: Form, index: readonly Expr[], print: Print): Text => primary(cell(f, x, quadPlace(f, x, index, print)));
const quadPlace = (f: Frame, x: Form, index: readonly Expr[], print: Print): string => over(placeText(f, x.buf, index, print), 16 / bytesOf(x.buf.dtype)).t;

/** A lane of a vector that has a name. */
export function laneText(name: string, held: Held, dtype: DType, lane: number): Text {
  if (held.kind === 'lanes') return primary(held.names[lane]!);
  if (held.kind === 'vec4') { const x = `${name}.${component(lane)}`; return dtype === 'bool' ? infix('!=', primary(x), primary('0u')) : primary(x); }
  const size = bytesOf(held.dtype), word = held.count === 1 ? name : `${name}.${component(Math.floor((lane * size) / 4))}`;
  if (size === 4) return primary(held.dtype === 'u32' ? word : `bitcast<${typeOf(held.dtype)}>(${word})`);
  const text = extract(held.dtype, word, `${((lane * size) % 4) * 8}u`, size * 8);
  return held.dtype === 'bool' ? { t: text, p: PREC.eq } : primary(text);
}

/** The statements of a whole store of these lanes, which are names or constants. */
export function wideStore(f: Frame, buf: Buffer, index: readonly Expr[], parts: readonly Text[], print: Print): readonly string[] {
  const x = formOf(f, buf), t = buf.dtype, lanes = parts.length, bytes = lanes * bytesOf(t);
  const each = (): readonly string[] => parts.map((p, i) => elementStore(f, buf, next(index, i * (buf.packed ? 2 : 1)), p, print));
  if (x.atomic || x.marked || !isAligned(f, buf, index, lanes)) return each();
  if (!x.words) return x.quad && bytes === 16 && !isSmall(t) ? [put(f, x, quadPlace(f, x, index, print), `vec4<${cellOf(t)}>(${parts.map((p) => p.t).join(', ')})`)] : each();
  const per = 4 / bytesOf(t), pack = need(f.m, packHelper(per === 4 ? 8 : 16)), raw = parts.map((p) => rawBits(t, p.t));
  const words = Array.from({ length: bytes / 4 }, (_, i) => `${pack}(${raw.slice(i * per, (i + 1) * per).join(', ')})`);
  if (x.quad) return [put(f, x, quadPlace(f, x, index, print), `vec4<u32>(${words.join(', ')})`)];
  const at = over(placeText(f, buf, index, print), per);
  return words.map((w, i) => put(f, x, plus(at, i).t, w));
}

/** The condition that an access lies in its tensor, dimension by dimension, with a number for each; undefined where nothing checks. */
export function insideText(f: Frame, buf: Buffer, index: readonly Expr[], access: 'read' | 'written' | 'updated', span: number, print: Print, loc: Loc | undefined = buf.loc): Text | undefined {
  if (!f.m.options.bounds || buf.space === 'reg') return undefined;
  const inside = need(f.m, insideHelper(nameOf(f, FAULTS, 'faults')));
  let all: Text | undefined;
  buf.shape.forEach((extent, d) => {
    const last = d === buf.shape.length - 1 ? span - 1 : 0, e = index[d]!;
    const site = f.m.sites.push({ kind: 'bounds', name: buf.name, access, dim: d, index: printExpr(e), loc }) - 1;
    for (const at of last > 0 ? [e, add(e, constant(last))] : [e]) {
      const one = call(inside, primary(`${site}u`), addressText(f, at, print), addressText(f, extent, print));
      all = all ? infix('&&', all, one) : one;
    }
  });
  return all;
}

/** Records the first fault: nothing is written over it. */
const record = (faults: string): Helper => helper(`record_in_${faults}`, '(site: u32) -> bool', [
  'loop {', `  let r = atomicCompareExchangeWeak(&${faults}[0], 0u, site + 1u);`, '  if (r.exchanged) { return true; }', '  if (r.old_value != 0u) { return false; }', '}',
]);
/** Is an index inside of its extent? */
const insideHelper = (faults: string): Helper => helper(`inside_by_${faults}`, '(site: u32, index: i32, extent: i32) -> bool', [
  'if (index >= 0 && index < extent) { return true; }',
  `if (record_in_${faults}(site)) {`, ...['index', 'extent'].flatMap((v, i) => [`  atomicStore(&${faults}[${2 + 2 * i}], bitcast<u32>(${v}));`, `  atomicStore(&${faults}[${3 + 2 * i}], bitcast<u32>(${v} >> 31u));`]), '}', 'return false;',
], [record(faults)]);
/** Records that an assumption does not hold. */
export const assumeHelper = (faults: string): Helper => helper(`assume_by_${faults}`, '(site: u32, holds: bool)', `if (!holds) { _ = record_in_${faults}(site); }`, [record(faults)]);

/** The size of the variable of memory that the kernel makes itself. */
export const cellsOf = (x: Form): number => (x.quad ? elements(x.buf) / 4 : elements(x.buf));
