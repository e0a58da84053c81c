import type { Buffer, Expr, Load, Loc } from '../../../ir/index.ts';
import { add, bytesOf, constant, isConst, isFloat, printExpr } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { call, castTo, flatIndex, heldAs, infix, PREC, primary, strideOf, wrap } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import type { Memory } from './dialect.ts';
import { FAULTS, bufKey, isImage, nameOf, need, startKey, symbolOf } from './frame.ts';
import type { Frame, ModuleState } from './frame.ts';
import { bitsHelper, bytesHelper, imageHelper, insideHelper, joinHelper, packedHelper } from './helpers.ts';
import { addressText } from './index-text.ts';
import type { Print } from './index-text.ts';
import { typeOf, vectorName } from './types.ts';

const memoryOf = (f: Frame, buf: Buffer): Memory => symbolOf(f, bufKey(buf), buf.name).memory ?? 'global';

/** `A[i]`. */
export function elementText(f: Frame, buf: Buffer, index: readonly Expr[], print: Print): string {
  const offset = flatIndex(buf, index);
  return `${nameOf(f, bufKey(buf), buf.name)}[${buf.packed ? infix('>>', addressText(f, offset, print), primary('1')).t : addressText(f, offset, print).t}]`;
}
/** `&A[i]`. */
export const placeText = (f: Frame, buf: Buffer, index: readonly Expr[], print: Print): string => `&${elementText(f, buf, index, print)}`;

/** A power of two that divides every value of e; `big` of 0. */
export function factorOf(e: Expr): number {
  switch (e.kind) {
    case 'const': return e.value === 0 ? 2 ** 30 : e.value & -e.value || 2 ** 30;
    case 'binary': {
      const a = factorOf(e.a), b = factorOf(e.b);
      return e.fn === 'mul' ? Math.min(2 ** 30, a * b) : e.fn === 'add' || e.fn === 'sub' || e.fn === 'min' || e.fn === 'max' ? Math.min(a, b) : e.fn === 'shl' && isConst(e.b) ? a * 2 ** e.b.value : 1;
    }
    case 'select': return Math.min(factorOf(e.a), factorOf(e.b));
    default: return 1;
  }
}

/**
 * Does an access begin at a multiple of so many elements? What that asks of a tensor's start and strides is noted with the module; memory of the kernel's own
 * starts at multiples of 16 bytes.
 */
export function isAligned(f: { readonly m: Pick<ModuleState, 'options' | 'alignment'> }, buf: Buffer, index: readonly Expr[], elements: number): boolean {
  if (!f.m.options.aligned) return false;
  if (elements === 1) return true;
  const dims: number[] = [];
  for (const [d, e] of index.entries()) {
    const stride = strideOf(buf, d), own = factorOf(e);
    if (own >= elements || own * factorOf(stride) >= elements) continue;
    if (stride.kind !== 'stride') return false;
    dims.push(d);
  }
  if (buf.space !== 'param') return true;
  const a = f.m.alignment.get(buf.name) ?? { elements: 1, dims: new Set<number>() };
  a.elements = Math.max(a.elements, elements);
  dims.forEach((d) => a.dims.add(d));
  f.m.alignment.set(buf.name, a);
  return true;
}

/** Is it so, and do rows end where such accesses do? */
export function isChunk(f: { readonly m: Pick<ModuleState, 'options' | 'alignment'> }, buf: Buffer, index: readonly Expr[], elements: number): boolean {
  if (!isAligned(f, buf, index, elements)) return false;
  const a = f.m.alignment.get(buf.name);
  if (a) a.whole = true;
  return true;
}

/** `*(const f32x4 *)&x[i]`. */
const through = (f: Frame, T: string, buf: Buffer, index: readonly Expr[], print: Print): string => {
  const readonly = buf.space === 'param' && buf.access === 'in';
  return `*(${f.m.dialect.pointer(memoryOf(f, buf), T, { readonly })})${placeText(f, buf, index, print)}`;
};
const next = (index: readonly Expr[], by: number): readonly Expr[] => index.map((e, d) => (d === index.length - 1 ? add(e, constant(by)) : e));

/** The condition that an access lies in its tensor, dimension by dimension, with a number for each; undefined where nothing checks. */
export function insideText(f: Frame, buf: Buffer, index: readonly Expr[], access: 'read' | 'written' | 'updated', span: number, print: Print, loc: Loc | undefined = buf.loc): Text | undefined {
  if (!f.m.options.bounds || buf.space === 'reg') return undefined;
  const T = f.m.options.indexBits === 32 ? 'int' : 'i64', h = need(f, insideHelper(T)), faults = nameOf(f, FAULTS, 'faults');
  let all: Text | undefined;
  buf.shape.forEach((extent, d) => {
    const last = d === buf.shape.length - 1 ? span - 1 : 0, e = index[d]!;
    const site = f.m.sites.push({ kind: 'bounds', name: buf.name, access, dim: d, index: printExpr(e), loc }) - 1;
    // Both ends of what it touches.
    for (const at of last > 0 ? [e, add(e, constant(last))] : [e]) {
      const one = call(h, primary(faults), primary(String(site)), addressText(f, at, print), addressText(f, extent, print));
      all = all ? infix('&&', all, one) : one;
    }
  });
  return all;
}

/** A load that is checked first: 0 where it would be outside. */
const guarded = (inside: Text | undefined, x: Text): Text => (inside ? { t: `(${wrap(inside, PREC.lor)} ? ${wrap(x, PREC.lor)} : 0)`, p: PREC.primary } : x);

/** Elements of a tensor that is an image from the start of its memory on. */
const imageText = (f: Frame, buf: Buffer, index: readonly Expr[], lanes: 1 | 4, print: Print): Text =>
  call(need(f, imageHelper(buf.dtype, lanes)), primary(nameOf(f, bufKey(buf), buf.name)), castTo('int', infix('+', primary(nameOf(f, startKey(buf), buf.name)), addressText(f, flatIndex(buf, index), print))));

/** The value at a place of memory. */
export function loadText(f: Frame, e: Load, print: Print): Text {
  const { buf, index } = e;
  if (e.lanes !== 1) throw new EmitError(`a load of ${e.lanes} lanes in an expression`, e.loc);
  if (buf.space === 'reg') return primary(nameOf(f, bufKey(buf), buf.name));
  const inside = insideText(f, buf, index, 'read', e.as ? bytesOf(e.as) : 1, print, e.loc);
  if (isImage(f.m, buf)) return guarded(inside, imageText(f, buf, index, 1, print));
  if (buf.packed) return guarded(inside, call(need(f, packedHelper(buf.packed)), primary(elementText(f, buf, index, print)), castTo('int', addressText(f, flatIndex(buf, index), print))));
  return guarded(inside, e.as ? bytesText(f, buf, index, e.as, print) : primary(elementText(f, buf, index, print)));
}

/** A value of another dtype out of bytes. */
function bytesText(f: Frame, buf: Buffer, index: readonly Expr[], as: NonNullable<Load['as']>, print: Print): Text {
  const n = bytesOf(as), held = heldAs(as), bits = `u${n * 8}`;
  if (n === 1) return castTo(typeOf(as), primary(elementText(f, buf, index, print)));
  if (isAligned(f, buf, index, n)) return { t: through(f, typeOf(held), buf, index, print), p: PREC.unary };
  const raw = call(need(f, bytesHelper(n as 2 | 4 | 8)), ...Array.from({ length: n }, (_, i) => primary(elementText(f, buf, next(index, i), print))));
  if (isFloat(held)) return n === 8 ? call(need(f, bitsHelper('i64', held)), castTo('i64', raw)) : call(need(f, bitsHelper('u32', held)), raw);
  return typeOf(held) === bits ? raw : castTo(typeOf(held), raw);
}

/** The value of a whole load, as a vector. */
export function wideLoadText(f: Frame, e: Load, print: Print): Text {
  const { buf, index, lanes } = e, T = vectorName(e.dtype, lanes), step = e.as ? bytesOf(e.as) : 1, elements = lanes * step;
  const inside = insideText(f, buf, index, 'read', elements, print, e.loc);
  const image = isImage(f.m, buf), fits = !inside && isAligned(f, buf, index, elements);
  if (image && fits && lanes % 4 === 0) return { t: `(${T})(${Array.from({ length: lanes / 4 }, (_, i) => imageText(f, buf, next(index, 4 * i), 4, print).t).join(', ')})`, p: PREC.unary };
  if (!image && fits) {
    const own = e.as ? undefined : f.m.dialect.load?.(f.m.target, e.dtype, lanes, placeText(f, buf, index, print));
    return own === undefined ? { t: through(f, T, buf, index, print), p: PREC.unary } : primary(own);
  }
  const parts = Array.from({ length: lanes }, (_, i) => (e.as ? bytesText(f, buf, next(index, i * step), e.as, print) : image ? imageText(f, buf, next(index, i), 1, print) : primary(elementText(f, buf, next(index, i), print))));
  // Checked once: a part outside would be read otherwise.
  return call(need(f, joinHelper(e.dtype, lanes)), ...parts.map((x) => guarded(inside, x)));
}

/** The words whose halves, all of them and in order, a vector of 16-bit numbers is made of. */
function wordsOf(e: Expr): readonly Expr[] | undefined {
  if (e.kind !== 'join' || bytesOf(e.dtype) !== 2 || e.lanes % 2 !== 0) return undefined;
  const bits = (x: Expr): Expr => ((x.kind === 'cast' || x.kind === 'bitcast') && bytesOf(x.dtype) === 2 ? bits(x.x) : x);
  const word = (x: Expr, fn: 'and' | 'shr', by: number): (Expr & { readonly kind: 'var' }) | undefined => { const b = bits(x); return b.kind === 'binary' && b.fn === fn && b.a.kind === 'var' && b.a.dtype === 'u32' && isConst(b.b, by) ? b.a : undefined; };
  const out = Array.from({ length: e.lanes / 2 }, (_, i) => { const low = word(e.parts[2 * i]!, 'and', 0xffff); return low && word(e.parts[2 * i + 1]!, 'shr', 16)?.id === low.id ? low : undefined; });
  return out.every((x) => x !== undefined) ? out : undefined;
}

/** The statements of a whole store. */
export function wideStoreLines(f: Frame, buf: Buffer, index: readonly Expr[], e: Expr, print: Print): readonly string[] {
  const { lanes } = e, T = vectorName(buf.dtype, lanes), aligned = isAligned(f, buf, index, lanes), words = aligned ? wordsOf(e)?.map((w) => print(f, w)) : undefined;
  if (words) return [`${through(f, words.length > 1 ? vectorName('u32', words.length) : 'u32', buf, index, print)} = ${words.length > 1 ? call(need(f, joinHelper('u32', words.length)), ...words).t : words[0]!.t};`];
  const value = print(f, e);
  if (aligned) return [`${through(f, T, buf, index, print)} = ${value.t};`];
  const name = f.namer.take(`${buf.name}_lanes`);
  return [`const ${T} ${name} = ${value.t};`, ...Array.from({ length: lanes }, (_, i) => `${elementText(f, buf, next(index, i), print)} = ${f.m.dialect.vector.lane(name, i)};`)];
}
