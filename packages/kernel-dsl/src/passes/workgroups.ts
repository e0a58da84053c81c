import { block, newBuffer, visitStmt } from '../ir/index.ts';
import type { Buffer, KernelIR, Stmt } from '../ir/index.ts';
import { fission } from './fission.ts';
import { rename } from './fresh.ts';

/**
 * Workgroups on a CPU: the outermost block loop runs on the worker threads, the others inside of it; shared memory is memory of the worker; lanes run one after
 * another, cut where they meet (see fission).
 * @throws DslError KD-L-DIVERGED where not all lanes come to a barrier, KD-L-LANES where the number of lanes is not known or does not fit.
 */
export function workgroups(k: KernelIR): KernelIR {
  let any = false;
  visitStmt(k.body, (s) => { any ||= (s.kind === 'for' && s.loop.includes('.')) || s.kind === 'barrier'; });
  if (!any) return k;
  const mine = new Map<number, Buffer>();
  visitStmt(k.body, (s) => { if (s.kind === 'alloc' && s.buf.space === 'shared') mine.set(s.buf.id, newBuffer({ ...s.buf, space: 'pack' })); });
  return { ...k, body: visit(rename(k.body, { vars: new Map(), buffers: mine }), false, k.subgroup ?? 32) };
}

function visit(s: Stmt, threads: boolean, subgroup: number): Stmt {
  const inside = (x: Stmt): Stmt => visit(x, threads, subgroup);
  switch (s.kind) {
    case 'for': {
      if (s.loop.startsWith('lane.')) return fission(s, subgroup);
      const blocks = s.loop.startsWith('block.');
      if (s.loop.startsWith('team.')) return { ...s, loop: 'seq', body: inside(s.body) };
      return { ...s, loop: blocks ? (threads ? 'seq' : 'parallel') : s.loop, body: visit(s.body, threads || blocks || s.loop === 'parallel', subgroup) };
    }
    case 'block': return block(s.body.map(inside), { loc: s.loc, step: s.step });
    case 'region': case 'while': return { ...s, body: inside(s.body) };
    case 'if': return { ...s, then: inside(s.then), else: s.else && inside(s.else) };
    case 'barrier': return block([]); // between two nests of lanes, which run one after another
    default: return s;
  }
}
