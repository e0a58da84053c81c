import type { Buffer, DType, Expr, Stmt } from '../../../ir/index.ts';
import { bytesOf, visitExprs, visitStmt } from '../../../ir/index.ts';
import type { Namer } from '../../names.ts';
import { elements } from '../../text/index.ts';
import { isAligned } from '../family/index.ts';
import type { Form, ModuleState } from './frame.ts';
import { cellOf, isSmall } from './types.ts';

interface Uses { buf: Buffer; atomic: boolean; whole: boolean; written: boolean; read: boolean; piecemeal: boolean; elementwise: boolean }

/** Bytes of a wide access. */
const span = (lanes: number, t: DType): number => lanes * bytesOf(t);

/** Looks at every access of a launch. Alignment that a form relies on is noted with the module. */
export function formsOf(m: ModuleState, body: Stmt, names: Namer): ReadonlyMap<number, Form> {
  const uses = new Map<number, Uses>();
  const use = (buf: Buffer): Uses => {
    const known = uses.get(buf.id) ?? { buf, atomic: false, whole: false, written: false, read: false, piecemeal: false, elementwise: false };
    uses.set(buf.id, known);
    return known;
  };
  const inMemory = (b: Buffer): boolean => b.space === 'param' || b.space === 'pack' || b.space === 'shared';
  const aligned = (buf: Buffer, index: readonly Expr[], n: number): boolean => !buf.packed && isAligned({ m }, buf, index, n);
  visitStmt(body, (s) => {
    if (s.kind === 'atomic' && inMemory(s.buf)) { const u = use(s.buf); u.atomic = true; u.read = true; u.written = true; u.elementwise = true; }
    if (s.kind === 'accum' && inMemory(s.buf)) { const u = use(s.buf); u.read = true; u.written = true; u.piecemeal = true; u.elementwise = true; }
    if (s.kind !== 'store' || !inMemory(s.buf)) return;
    const u = use(s.buf), bytes = span(s.value.lanes, s.buf.dtype), fits = s.value.lanes > 1 && aligned(s.buf, s.index, s.value.lanes);
    u.written = true;
    if (fits && bytes === 16) u.whole = true;
    else u.elementwise = true;
    if (!fits || bytes < 4) u.piecemeal = true;
  });
  visitExprs(body, (e) => {
    if (e.kind !== 'load' || !inMemory(e.buf)) return;
    const u = use(e.buf), step = e.as ? bytesOf(e.as) : 1;
    u.read = true;
    if (e.lanes > 1 && span(e.lanes, e.as ?? e.buf.dtype) === 16 && aligned(e.buf, e.index, e.lanes * step)) u.whole = true;
  });
  const out = new Map<number, Form>();
  for (const u of uses.values()) {
    const { buf } = u, small = isSmall(buf.dtype) || buf.packed !== undefined, words = small && buf.space === 'param', own = small && !words;
    const constant = buf.space !== 'param' && elements(buf) % 4 !== 0;
    // Atomic cells are read and written one by one; a word that lanes share is exchanged then.
    const marked = words && u.piecemeal && !u.atomic, quad = u.whole && !u.elementwise && !u.atomic && !own && !marked && !constant, name = names.take(buf.name);
    out.set(buf.id, {
      buf, words, quad, atomic: u.atomic, marked, name, written: u.written, read: u.read,
      cells: names.take(`${name}_cells`), load: names.take(`${name}_at`), set: names.take(`set_${name}`), update: names.take(`update_${name}`),
    });
  }
  return out;
}

/** The element type of its variable, but for `atomic`. */
export function cellType(x: Form): string {
  const T = x.words ? 'u32' : cellOf(x.buf.dtype);
  if (x.atomic) return `atomic<${T === 'f32' ? 'u32' : T}>`;
  return x.quad ? `vec4<${T}>` : T;
}
