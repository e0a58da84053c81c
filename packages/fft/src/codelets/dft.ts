import { Graph } from './dag.ts';
import type { Complex } from './dag.ts';
import { unitRoot } from './exact.ts';

/** A transform without loops: its graph and its outputs in natural order. */
export interface Codelet { readonly n: number; readonly graph: Graph; readonly outputs: readonly Complex[] }

/**
 * The forward discrete Fourier transform of n complex values, X[k] = sum over t of x[t] exp(-2 pi i k t / n), as a graph.
 *
 * Split radix (Yavne 1968; Duhamel and Hollmann 1984): half of the inputs in one transform of n/2, the odd ones in two of n/4. It takes
 * 4 n log2 n - 6 n + 8 real operations for n > 1.
 *
 * The backward transform is this one with the inputs 1 .. n-1 (or the outputs) in reverse order.
 *
 * @param n a power of two
 * @throws RangeError for any other n
 */
export function dft(n: number): Codelet {
  if (!Number.isInteger(n) || n < 1 || (n & (n - 1)) !== 0) throw new RangeError(`a codelet has a power of two of points, got ${n}`);
  const graph = new Graph();
  return { n, graph, outputs: transform(graph, n, (t) => graph.input(t)) };
}

function transform(g: Graph, n: number, x: (t: number) => Complex): readonly Complex[] {
  if (n === 1) return [x(0)];
  if (n === 2) {
    const a = x(0), b = x(1);
    return [g.plus(a, b), g.minus(a, b)];
  }
  const q = n / 4;
  const even = transform(g, n / 2, (t) => x(2 * t)), first = transform(g, q, (t) => x(4 * t + 1)), third = transform(g, q, (t) => x(4 * t + 3));
  const out: Complex[] = new Array<Complex>(n);
  for (let k = 0; k < q; k++) {
    const a = g.rotate(unitRoot(-k, n), first[k]!), b = g.rotate(unitRoot(-3 * k, n), third[k]!);
    const sum = g.plus(a, b), d = g.minus(a, b), turned = { re: d.im, im: { minus: !d.re.minus, node: d.re.node } };
    out[k] = g.plus(even[k]!, sum);
    out[k + 2 * q] = g.minus(even[k]!, sum);
    out[k + q] = g.plus(even[k + q]!, turned);
    out[k + 3 * q] = g.minus(even[k + q]!, turned);
  }
  return out;
}
