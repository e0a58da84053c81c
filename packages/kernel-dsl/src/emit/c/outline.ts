import type { For } from '../../ir/index.ts';
import { locsOf } from '../../ir/index.ts';
import { place, Writer } from '../text/index.ts';
import type { Frame, Symbol } from './frame.ts';

/** What a parallel loop became: its function, and the values that the caller puts into the struct. */
export interface Outlined {
  readonly fn: string;
  /** Name of the struct; undefined when the body needs nothing from outside. */
  readonly env: string | undefined;
  readonly captured: readonly Symbol[];
}

/** Prints the body of a parallel loop as a function of its own: C has no closures, so what it uses travels in a struct. */
export function outline(f: Frame, s: For, kernelName: string, body: (inner: Frame, w: Writer) => void): Outlined {
  const k = f.kernel, fn = k.globals.take(`${kernelName}_${s.v.name}`);
  const inner: Frame = { kernel: k, symbols: new Map(), captured: new Map(), used: new Set(), pointers: new Map(), parent: f, memory: 0 };
  const w = new Writer(1);
  body(inner, w);
  const captured = [...inner.captured.values()].sort((a, b) => a.rank - b.rank);
  const env = captured.length ? k.globals.take(`${fn}_env`) : undefined;

  const head = new Writer();
  if (env) {
    head.open(`struct ${env} {`);
    for (const c of captured) if (c.type.endsWith('*')) head.line(`${c.type}${c.name};`); else head.declare(c.type, c.name, undefined);
    head.close('};');
  }
  const where = place(s.loc);
  head.locs = locsOf(s);
  head.line(`// Iterations begin to end - 1 of the parallel loop ${s.v.name}${where ? `   ${where}` : ''}`);
  head.open(`static void ${fn}(void *env_, int64_t begin, int64_t end, int32_t worker) {`);
  if (env) head.line(`const struct ${env} *env = env_;`); else head.line('(void)env_;');
  for (const c of captured) {
    if (c.declaration.endsWith(' ') || c.declaration.endsWith('*')) head.line(`${c.declaration}${c.name} = env->${c.name};`);
    else head.declare(c.declaration, c.name, `env->${c.name}`);
  }
  if (!w.lines.some((l) => /\bworker\b/.test(l.text))) head.line('(void)worker;');
  head.lines.push(...w.lines);
  head.close();
  k.functions.push(head.lines);
  return { fn, env, captured };
}
