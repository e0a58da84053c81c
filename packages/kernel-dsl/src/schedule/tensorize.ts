import { DslError } from '../errors/index.ts';
import { matchInstruction } from '../instructions/index.ts';
import { printStmt } from '../ir/index.ts';
import type { Instruction, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { reorder } from './reorder.ts';
import { findLoop, findVar, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Puts an instruction in the place of a nest of loops that computes what it computes. The axes are the loops of the nest in the order of the
 * instruction's own. Extents, dtypes, the accumulated expression and the layout of each operand must agree with its meaning; nothing is guessed.
 */
export function tensorize(st: State, def: Instruction, order: readonly Axis[], at: At): void {
  const missing = def.needs.filter((f) => !st.target.features.includes(f));
  if (missing.length > 0) throw new DslError('KD-S-NEEDS', { name: def.name, missing: missing.join(', '), isa: st.target.isa }, at);
  const found = order.map((a) => findLoop(st, a, at));
  if (found.length === 0) throw new DslError('KD-S-TENSORIZE', { name: def.name, why: 'no loops are given', nests: '' }, at);
  const depths = found.map((f) => f.path.filter((s) => s.kind === 'for').length);
  if (depths.some((d, i) => i > 0 && d < depths[i - 1]!)) reorder(st, order, at);
  const { loop } = findVar(st.ir.body, order[0]!.v.id)!;
  const m = matchInstruction(def, loop);
  if ('why' in m) throw new DslError('KD-S-TENSORIZE', { name: def.name, why: m.why, nests: sideBySide(['the program', loop], [`what ${def.name} computes`, def.meaning.body]) }, at);
  for (const a of order) {
    for (const twin of def.team ? [] : st.twins.get(a.v.id) ?? []) {
      const copy = findVar(st.ir.body, twin.id)?.loop;
      if (copy && copy.loop === 'seq') setBody(st, replaceStmt(st.ir.body, copy, { ...copy, loop: 'vector' }));
    }
    st.consumed.set(a.v.id, `${at.step} made an instruction of it`);
  }
  const now = findVar(st.ir.body, order[0]!.v.id)!.loop;
  setBody(st, replaceStmt(st.ir.body, now, { kind: 'instr', def, args: [], body: now, loc: loop.loc, step: at.step }));
  if (!def.exact) st.reassociates = true;
}

/** Two programs as two columns. */
function sideBySide(a: readonly [string, Stmt], b: readonly [string, Stmt]): string {
  const [l, r] = [a, b].map(([title, s]) => [`${title}:`, ...printStmt(s).trimEnd().split('\n').map((x) => x.replace(/ +#.*/, ''))]) as [string[], string[]];
  const width = Math.max(...l.map((x) => x.length));
  return Array.from({ length: Math.max(l.length, r.length) }, (_, i) => `  ${(l[i] ?? '').padEnd(width)}  |  ${r[i] ?? ''}`.trimEnd()).join('\n');
}
