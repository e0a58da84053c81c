import type { Buffer, Expr } from './expr.ts';
import type { KernelIR } from './kernel.ts';
import type { Stmt } from './stmt.ts';

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
    case 'reduce': return `reduce_${e.fn}(${printExpr(e.x)})`;
  }
}

const shape = (b: Buffer): string => `${b.dtype}[${b.shape.map(printExpr).join(', ')}]`;
const ACCUM = { add: '+=', mul: '*=', min: 'min=', max: 'max=' } as const;

/** A statement as indented text, one line a statement. */
export function printStmt(s: Stmt, indent = ''): string {
  const inner = indent + '  ';
  switch (s.kind) {
    case 'block': return s.body.map((x) => printStmt(x, indent)).join('');
    case 'for': return `${indent}${s.loop === 'seq' ? 'for' : s.loop} ${s.v.name} in 0..${printExpr(s.extent)}:${s.step ? `    # ${s.step}` : ''}\n${printStmt(s.body, inner)}`;
    case 'if': return `${indent}if ${printExpr(s.cond)}:${s.pad ? '    # pad' : ''}\n${printStmt(s.then, inner)}${s.else ? `${indent}else:\n${printStmt(s.else, inner)}` : ''}`;
    case 'let': return `${indent}${s.v.name} = ${printExpr(s.value)}\n`;
    case 'alloc': return `${indent}${s.buf.space} ${s.buf.name}: ${shape(s.buf)}\n`;
    case 'store': return `${indent}${s.buf.name}${s.value.lanes > 1 ? `x${s.value.lanes}` : ''}[${s.index.map(printExpr).join(', ')}] = ${printExpr(s.value)}\n`;
    case 'accum': return `${indent}${s.buf.name}${s.value.lanes > 1 ? `x${s.value.lanes}` : ''}[${s.index.map(printExpr).join(', ')}] ${ACCUM[s.fn]} ${printExpr(s.value)}\n`;
    case 'assume': return `${indent}assume ${printExpr(s.cond)}\n`;
    case 'region': return `${indent}# ${s.name}\n${printStmt(s.body, indent)}`;
    case 'barrier': return `${indent}barrier ${s.scope}\n`;
  }
}

/** A kernel with its signature. */
export function printKernel(k: KernelIR): string {
  const ps = k.params.map((p) => (p.kind === 'scalar' ? `${p.name}: ${p.dtype}` : `${p.buf.access === 'in' ? '' : p.buf.access + ' '}${p.name}: ${shape(p.buf)}${p.buf.strided ? ' strided' : ''}`));
  return `kernel ${k.name}(${ps.join(', ')}):\n${printStmt(k.body, '  ')}`;
}
