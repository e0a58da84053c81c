/** Finds the hot loop of a disassembled kernel and what it does to the stack. */

interface Instruction { readonly address: number; readonly text: string; readonly target: number | undefined }

/** The functions whose name matches. */
function functionsOf(objdump: string, name: RegExp): Instruction[][] {
  const out: Instruction[][] = [];
  let wanted = false;
  for (const line of objdump.split('\n')) {
    const head = /^[0-9a-f]+ <(.*)>:$/.exec(line);
    if (head) { wanted = name.test(head[1]!); if (wanted) out.push([]); continue; }
    if (!wanted) continue;
    const m = /^\s*([0-9a-f]+):\s+(.*)$/.exec(line);
    if (!m) continue;
    const jump = /^(?:bnd )?j\w+\s+([0-9a-f]+)\b/.exec(m[2]!);
    out.at(-1)?.push({ address: parseInt(m[1]!, 16), text: m[2]!, target: jump ? parseInt(jump[1]!, 16) : undefined });
  }
  return out;
}

/** The innermost loop with the most fused multiply-adds of vectors, over the functions; and whether its function keeps a frame pointer. */
function hotLoop(functions: readonly Instruction[][]): { body: readonly Instruction[]; frame: boolean; fmas: number } {
  let best: { body: readonly Instruction[]; frame: boolean; fmas: number } = { body: [], frame: false, fmas: 0 };
  for (const fn of functions) {
    const frame = fn.some((i) => /^mov\s+%rsp,%rbp/.test(i.text));
    const loops = fn.flatMap((i) => (i.target !== undefined && i.target <= i.address && i.target >= (fn[0]?.address ?? 0) ? [{ from: i.target, to: i.address }] : []));
    for (const l of loops) {
      if (loops.some((x) => x !== l && x.from >= l.from && x.to <= l.to && (x.from !== l.from || x.to !== l.to))) continue;
      const body = fn.filter((i) => i.address >= l.from && i.address <= l.to);
      const fmas = body.filter((i) => /^vfn?m(add|sub)\d+[ps][sd]\b/.test(i.text) || /^(vpdpbusd|mulp[sd])\b/.test(i.text)).length;
      if (fmas > best.fmas) best = { body, frame, fmas };
    }
  }
  return best;
}

/**
 * Instructions of the hot loop that read or write the stack: spilled registers. `objdump -d --no-show-raw-insn` text goes in.
 * `name` picks the functions to look at.
 * @throws Error when no loop with a fused multiply-add is found: then the gate would prove nothing.
 */
export function hotLoopStackRefs(objdump: string, name: RegExp = /./): { refs: readonly string[]; fmas: number; length: number } {
  const { body, frame, fmas } = hotLoop(functionsOf(objdump, name));
  if (fmas === 0) throw new Error('no loop with vector multiply-adds found');
  const refs = body.map((i) => i.text).filter((t) => /\(%rsp/.test(t) || (frame && /\(%rbp/.test(t)));
  return { refs, fmas, length: body.length };
}
