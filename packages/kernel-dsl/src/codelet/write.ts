import { here, locatedAt, named, value } from '../lang/index.ts';
import type { Val } from '../lang/index.ts';
import { toFloat } from './exact.ts';
import { reachable } from './graph.ts';
import type { Codelet, Node, Signed } from './graph.ts';
import { bisect } from './order.ts';

/** The dtypes of a codelet's real and imaginary parts. */
export type Real = 'f32' | 'f64';
/** A complex value of a kernel. */
export interface ComplexVal<T extends Real> { readonly re: Val<T>; readonly im: Val<T> }

/**
 * Writes a codelet into the body of a kernel as straight-line code. An input is asked for where it is first used, an output is handed over as
 * soon as both of its parts are there: that keeps few values alive. Each sum gets a name, so the text is as long as the graph is large; products stay
 * inside of the sums that use them, where a machine with fused multiply-add takes them for nothing. Sums come in the order in which they were made,
 * or in that of `bisect`.
 *
 * @param input the value of an input; called once for each, in the order of need
 * @param output takes an output; called once for each, in the order in which they are ready
 */
export function writeCodelet<T extends Real>(c: Codelet, dtype: T, input: (index: number) => ComplexVal<T>, output: (index: number, x: ComplexVal<T>) => void, o: { readonly order?: 'made' | 'bisected' } = {}): void {
  const values = new Map<Node, Val<T>>(), inputs = new Map<number, ComplexVal<T>>();
  const waiting = new Map<Node, { readonly index: number; readonly missing: Set<Node> }[]>();

  const loc = here();
  const read = (n: Node): Val<T> => {
    if (n.kind === 'times') { const x = read(n.x); return locatedAt(loc, () => x.mul(value(dtype, toFloat(n.k, dtype)))); }
    if (n.kind !== 'input') return values.get(n)!;
    let both = inputs.get(n.index);
    if (!both) {
      const { index } = n, x = input(index);
      both = locatedAt(loc, () => ({ re: named(`x${index}r`, x.re), im: named(`x${index}i`, x.im) }));
      inputs.set(index, both);
    }
    return both[n.part];
  };
  const signed = (s: Signed): Val<T> => {
    if (!s.node) return value(dtype, 0);
    const v = read(s.node);
    return s.minus ? locatedAt(loc, () => v.neg()) : v;
  };
  const hand = (index: number): void => output(index, { re: signed(c.outputs[index]!.re), im: signed(c.outputs[index]!.im) });

  for (const [index, o] of c.outputs.entries()) {
    const missing = new Set([o.re.node, o.im.node].filter((n): n is Node => n !== undefined));
    for (const n of missing) waiting.set(n, [...(waiting.get(n) ?? []), { index, missing }]);
  }
  const nodes = reachable(c);
  for (const n of o.order === 'bisected' ? bisect(nodes) : nodes) {
    if (n.kind === 'add' || n.kind === 'sub') {
      const a = read(n.a), b = read(n.b);
      values.set(n, locatedAt(loc, () => named(`t${n.id}`, n.kind === 'add' ? a.add(b) : a.sub(b))));
    }
    for (const w of waiting.get(n) ?? []) {
      w.missing.delete(n);
      if (w.missing.size === 0) hand(w.index);
    }
  }
}
