import { ir } from '@quern/kernel-dsl';
import type { GpuArg, GpuModule, GpuStep } from '@quern/kernel-dsl/gpu';

function argument(a: GpuArg): string {
  switch (a.kind) {
    case 'buffer': return a.param;
    case 'stride': return `${a.param}.stride${a.dim}`;
    case 'start': return `${a.param}.start`;
    case 'var': return a.v.name;
    case 'tensormap': return `map of ${a.param}`;
    case 'print': case 'faults': return a.kind;
    default: return a.name;
  }
}

/** As many numbers as say something: trailing ones of 1 are left out. */
function extents(all: readonly string[]): string {
  const last = all.reduce((n, x, i) => (x === '1' ? n : i), 0);
  return all.slice(0, last + 1).join(' x ');
}

function lines(s: GpuStep, indent: string): string[] {
  const inner = (steps: readonly GpuStep[]): string[] => steps.flatMap((x) => lines(x, `${indent}  `));
  switch (s.kind) {
    case 'launch': {
      const { launch: l } = s, grid = extents(l.grid.map((e) => (e.kind === 'const' ? String(e.value) : ir.printExpr(e)))), lanes = extents(l.block.map(String));
      return [`${indent}launch ${l.entry}(${l.args.map(argument).join(', ')}) on ${grid} workgroup(s) of ${lanes} lane(s)${l.cluster ? `, clusters of ${extents(l.cluster.map(String))}` : ''}${l.sharedBytes ? `, ${l.sharedBytes} bytes shared` : ''}`];
    }
    case 'check': return [`${indent}check, and wait:`, ...inner(s.body)];
    case 'if': return [`${indent}if ${ir.printExpr(s.cond)}:`, ...inner(s.then), ...(s.else.length ? [`${indent}else:`, ...inner(s.else)] : [])];
    case 'for': return [`${indent}for ${s.v.name} in 0..${ir.printExpr(s.extent)}:`, ...inner(s.body)];
    case 'let': return [`${indent}${s.v.name} = ${ir.printExpr(s.value)}`];
  }
}

/** A module's plan as people read it: what it asks of a call, the memory it takes, and its launches in order. */
export function printPlan(m: GpuModule): string {
  const list = (es: readonly ir.Expr[]): string => es.map(ir.printExpr).join(', ');
  return [
    ...m.assumptions.map((a) => `assume ${ir.printExpr(a.cond)}`),
    ...(m.below.length ? [`32-bit indices while these are below 2^31: ${list(m.below)}`] : []),
    ...m.alignment.map((a) => `${a.param} begins at a multiple of ${a.elements} elements${a.dims.length ? `, and so do steps along dimension ${a.dims.join(' and ')}` : ''}${a.whole ? ', and rows have a multiple of as many' : ''}`),
    ...m.workspace.map((w) => `workspace ${w.name}: ${w.dtype}[${ir.printExpr(w.elements)}]`),
    ...m.plan.flatMap((s) => lines(s, '')),
  ].map((l) => `${l}\n`).join('');
}
