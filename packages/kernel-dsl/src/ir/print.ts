import type { Buffer, Expr } from './expr.ts';
import type { KernelIR } from './stmt.ts';
import type { Loc } from './loc.ts';
import type { Stmt } from './stmt.ts';
import { exprsOf, visitExpr } from './walk.ts';

const BINARY: Record<string, string> = { add: '+', sub: '-', mul: '*', div: '/', mod: '%', and: '&', or: '|', xor: '^', shl: '<<', shr: '>>' };
const CMP = { lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=' } as const;

/** An expression as people read it. */
export function printExpr(e: Expr): string {
  const p = (x: Expr): string => (x.kind === 'binary' || x.kind === 'cmp' ? `(${printExpr(x)})` : printExpr(x));
  const vec = e.lanes > 1 ? `x${e.lanes}` : '';
  switch (e.kind) {
    case 'const': return e.dtype === 'i64' || e.dtype === 'i32' ? String(e.value) : e.dtype === 'bool' ? String(e.value !== 0) : `${e.value}${e.dtype}`;
    case 'size': case 'scalar': case 'var': return e.name;
    case 'stride': return `${e.buf.name}.stride${e.dim}`;
    case 'load': return `${e.buf.name}${e.as ? `.${e.as}` : ''}${vec}[${e.index.map(printExpr).join(', ')}]`;
    case 'cast': return `${e.dtype}${vec}(${printExpr(e.x)})`;
    case 'bitcast': return `bits_${e.dtype}${vec}(${printExpr(e.x)})`;
    case 'unary': return e.fn === 'neg' ? `-${p(e.x)}` : `${e.fn}(${printExpr(e.x)})`;
    case 'binary': { const o = BINARY[e.fn]; return o ? `${p(e.a)} ${o} ${p(e.b)}` : `${e.fn}(${printExpr(e.a)}, ${printExpr(e.b)})`; }
    case 'cmp': return `${p(e.a)} ${CMP[e.fn]} ${p(e.b)}`;
    case 'fma': return `fma(${printExpr(e.a)}, ${printExpr(e.b)}, ${printExpr(e.c)})`;
    case 'select': return `select(${printExpr(e.cond)}, ${printExpr(e.a)}, ${printExpr(e.b)})`;
    case 'dot4': return `dot4(${printExpr(e.acc)}, ${printExpr(e.a)}, ${printExpr(e.b)})`;
    case 'ramp': return `ramp${vec}(${printExpr(e.base)}, ${printExpr(e.stride)})`;
    case 'broadcast': return `splat${vec}(${printExpr(e.x)})`;
    case 'shuffle': return `shuffle(${printExpr(e.a)}, ${printExpr(e.b)}, ${e.pick.join(' ')})`;
    case 'join': return `join(${e.parts.map(printExpr).join(', ')})`;
    case 'subgroup': return `subgroup_${e.fn}(${[e.x, ...(e.lane ? [e.lane] : [])].map(printExpr).join(', ')})`;
    case 'reduce': return `reduce_${e.fn}(${printExpr(e.x)})`;
  }
}

const shape = (b: Buffer): string => `${b.packed ?? b.dtype}[${b.shape.map(printExpr).join(', ')}]`;
const ACCUM = { add: '+=', mul: '*=', min: 'min=', max: 'max=' } as const;

/** A line of text made from a program, and the lines of the author that it comes from. */
export interface SourcedLine { readonly text: string; readonly locs: readonly Loc[] }

/** Where a statement comes from: its own place first, then those of the expressions it computes (a name's own place is that of its loop); each of the author's lines once. */
export function locsOf(s: Stmt): readonly Loc[] {
  const found = new Map<string, Loc>(), add = (l: Loc | undefined): void => { if (l && !found.has(`${l.file}:${l.line}`)) found.set(`${l.file}:${l.line}`, l); };
  add(s.loc);
  for (const e of exprsOf(s)) visitExpr(e, (x) => { if (x.kind !== 'var') add(x.loc); });
  return [...found.values()];
}

/** A statement as indented lines, each with its origin. */
export function printLines(s: Stmt, indent = ''): SourcedLine[] {
  const inner = indent + '  ', line = (text: string): SourcedLine => ({ text: indent + text, locs: locsOf(s) });
  const place = (b: Buffer, value: Expr, index: readonly Expr[]): string => `${b.name}${value.lanes > 1 ? `x${value.lanes}` : ''}[${index.map(printExpr).join(', ')}]`;
  switch (s.kind) {
    case 'block': return s.body.flatMap((x) => printLines(x, indent));
    case 'for': return [line(`${s.loop === 'seq' ? 'for' : s.loop} ${s.v.name} in 0..${printExpr(s.extent)}${s.ring ? `, ring of ${s.ring}` : ''}${s.overlap ? ', overlapping' : ''}${s.persistent ? `, by ${s.persistent.workgroups} workgroups in bands of ${s.persistent.group}` : ''}${s.cluster ? ', a cluster' : ''}:${s.step ? `    # ${s.step}` : ''}`), ...printLines(s.body, inner)];
    case 'if': return [line(`if ${printExpr(s.cond)}:${s.pad ? '    # pad' : s.rare ? '    # rare' : ''}`), ...printLines(s.then, inner), ...(s.else ? [line('else:'), ...printLines(s.else, inner)] : [])];
    case 'let': return [line(`${s.v.name} = ${printExpr(s.value)}`)];
    case 'alloc': return [line(`${s.buf.space} ${s.buf.name}: ${shape(s.buf)}`)];
    case 'store': return [line(`${place(s.buf, s.value, s.index)} = ${printExpr(s.value)}`)];
    case 'accum': return [line(`${place(s.buf, s.value, s.index)} ${ACCUM[s.fn]} ${printExpr(s.value)}`)];
    case 'while': return [line(`while ${printExpr(s.cond)}, at most ${printExpr(s.max)} times, ${s.v.name} from 0:`), ...printLines(s.body, inner)];
    case 'atomic': return [line(`${s.old ? `${s.old.name} = ` : ''}atomic_${s.fn}(${place(s.buf, s.value, s.index)}, ${printExpr(s.value)})`)];
    case 'print': return [line(`print ${[JSON.stringify(s.text), ...s.values.map(printExpr)].join(', ')}`)];
    case 'assume': return [line(`assume ${printExpr(s.cond)}`)];
    case 'region': return [line(`# ${s.name}`), ...printLines(s.body, indent)];
    case 'instr': return s.body ? [line(`instruction ${s.def.name}:`), ...printLines(s.body, inner)] : [line(`${s.def.name}(${s.args.map((a) => (a.kind === 'value' ? printExpr(a.value) : `${a.buf.name}[${a.index.map(printExpr).join(', ')}]`)).join(', ')})`)];
    case 'barrier': return [line(`barrier ${s.scope}`)];
    case 'call': return [line(`${s.fn.name}(${s.args.map((a) => (a.kind === 'value' ? printExpr(a.value) : a.kind === 'place' ? `&${a.buf.name}[${a.index.map(printExpr).join(', ')}]` : a.buf.name)).join(', ')})`)];
  }
}

/** A statement as indented text, one line a statement. */
export const printStmt = (s: Stmt, indent = ''): string => printLines(s, indent).map((l) => `${l.text}\n`).join('');

/** ` with T = 16`, or nothing where a kernel has no specialisation constants. */
export const printConstants = (k: KernelIR): string => {
  const all = Object.entries(k.constants ?? {}).map(([n, v]) => `${n} = ${JSON.stringify(v)}`);
  return all.length ? ` with ${all.join(', ')}` : '';
};

/** A kernel with its signature, as lines with their origin. */
export function printKernelLines(k: KernelIR): SourcedLine[] {
  const ps = k.params.map((p) => (p.kind === 'scalar' ? `${p.name}: ${p.dtype}` : `${p.buf.access === 'in' ? '' : p.buf.access + ' '}${p.name}: ${shape(p.buf)}${p.buf.strided ? ' strided' : ''}`));
  return [{ text: `kernel ${k.name}(${ps.join(', ')})${printConstants(k)}:`, locs: k.loc ? [k.loc] : [] }, ...printLines(k.body, '  ')];
}

/** A kernel with its signature. */
export const printKernel = (k: KernelIR): string => printKernelLines(k).map((l) => `${l.text}\n`).join('');
