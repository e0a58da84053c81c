import { block, load, mapChildren, newBuffer } from '../ir/index.ts';
import type { KernelIR, Stmt, Store } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { orZero } from './ahead.ts';

/** Registers that hold what is on its way. */
const MOST = 16;

/**
 * Copies of elements to shared memory that follow each other, each under a condition of its own, are all fetched before the first is stored: OpenCL's compilers let a load wait for the
 * store before it otherwise.
 */
export function together(k: KernelIR, target: Target): KernelIR {
  if (target.gpu?.language !== 'opencl') return k;
  const go = (s: Stmt): Stmt => { const x = mapChildren(s, go); return x.kind === 'block' ? block(inRuns(x.body), { loc: x.loc, step: x.step }) : x; };
  return { ...k, body: go(k.body) };
}

/** The statements of a block, in which the copies of each run have become fetches, then stores. */
function inRuns(list: readonly Stmt[]): readonly Stmt[] {
  const out: Stmt[] = [];
  let run: Stmt[] = [], copies: Store[] = [];
  const close = (): void => {
    const held = new Map(copies.map((c) => [c, newBuffer({ name: `${c.buf.name}_next`, dtype: c.buf.dtype, space: 'reg', shape: [], loc: c.loc })]));
    if (copies.length < 2) out.push(...run);
    else {
      for (const s of run) {
        const c = s.kind === 'if' ? orZero(s) : undefined, buf = c && held.get(c);
        if (!buf || s.kind !== 'if') { out.push(s); continue; }
        const fetch = (from: Stmt): Stmt => mapStores(from, (x) => ({ ...x, buf, index: [] }));
        out.push({ kind: 'alloc', buf, loc: s.loc, step: s.step }, { ...s, then: fetch(s.then), else: fetch(s.else!) });
      }
      for (const [c, buf] of held) out.push({ ...c, value: load(buf, []) });
    }
    run = [];
    copies = [];
  };
  for (const s of list) {
    const c = s.kind === 'if' ? orZero(s) : undefined, copy = c?.value.kind === 'load' && c.value.lanes === 1 && c.value.buf.space === 'param' && c.buf.space === 'shared' ? c : undefined;
    if (!copy && !(s.kind === 'let' && run.length > 0)) { close(); out.push(s); continue; }
    run.push(s);
    if (copy && copies.push(copy) === MOST) close();
  }
  close();
  return out;
}

const mapStores = (s: Stmt, f: (x: Store) => Stmt): Stmt => (s.kind === 'store' ? f(s) : mapChildren(s, (c) => mapStores(c, f)));
