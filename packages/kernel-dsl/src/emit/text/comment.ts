import type { KernelIR, Loc, Stmt } from '../../ir/index.ts';
import { printConstants, printExpr, visitStmt } from '../../ir/index.ts';

/** `gemm.ts:9`: the author's file without its folders, so that text does not depend on where it was made. */
export function place(loc: Loc | undefined): string | undefined {
  if (!loc) return undefined;
  const file = loc.file.replace(/[?#].*$/, '').split(/[\\/]/).at(-1) ?? '';
  return `${file}:${loc.line}`;
}

/** Text that may stand in a `//` comment. */
export const oneLine = (s: string): string => s.replace(/\s+/g, ' ').replace(/\\$/, '').trim();

function wrapLines(first: string, words: readonly string[], width: number): string[] {
  const out: string[] = [];
  let line = first;
  for (const [i, w] of words.entries()) {
    const piece = i < words.length - 1 ? `${w}, ` : w;
    if (line.length + piece.length > width && line !== first) { out.push(line.trimEnd()); line = '//   '; }
    line += piece;
  }
  return [...out, line.trimEnd()];
}

/** The comment above a kernel: its signature, where it comes from, and the schedule that shaped it. */
export function headerComment(k: KernelIR): string[] {
  const params = k.params.map((p) => (p.kind === 'scalar' ? `${p.name}: ${p.dtype}`
    : `${p.buf.access === 'in' ? '' : `${p.buf.access} `}${p.name}: ${p.buf.packed ?? p.buf.dtype}[${p.buf.shape.map(printExpr).join(', ')}]${p.buf.strided ? ' strided' : ''}`));
  const where = place(k.loc), signature = oneLine(`// ${k.name}(${params.join(', ')})${printConstants(k)}`);
  const steps = scheduleOf(k.body);
  return [`${signature}${where ? `   ${where}` : ''}`, ...(steps.length ? wrapLines('// schedule: ', steps.map(oneLine), 118) : [])];
}

/** Every schedule step that left a trace, once, in order of appearance. */
function scheduleOf(body: Stmt): string[] {
  const steps = new Set<string>();
  visitStmt(body, (s) => { if (s.step) steps.add(s.step); });
  return [...steps];
}
