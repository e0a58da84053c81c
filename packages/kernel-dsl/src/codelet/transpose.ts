import { Graph, count, reachable } from './graph.ts';
import type { Codelet, Complex, GraphOptions, Node, Signed } from './graph.ts';

/**
 * The transposed map: what was an output is an input, every sum is a fork and every fork a sum (Bordewijk's theorem; Crochiere and Oppenheim 1975). The
 * matrix is the transpose of the real matrix from (re, im) to (re, im), and it takes as many products.
 */
export function transpose(c: Codelet, o: GraphOptions = {}): Codelet {
  const g = new Graph(o), sums = new Map<Node, Signed>();
  const give = (n: Node, x: Signed): void => { sums.set(n, g.add(sums.get(n) ?? { minus: false, node: undefined }, x)); };
  c.outputs.forEach((out, i) => {
    const x = g.input(i);
    for (const part of ['re', 'im'] as const) { const { node, minus } = out[part]; if (node) give(node, minus ? { minus: !x[part].minus, node: x[part].node } : x[part]); }
  });
  for (const n of [...reachable(c)].reverse()) {
    const x = sums.get(n);
    if (!x || n.kind === 'input') continue;
    if (n.kind === 'times') give(n.x, g.times(n.k, x));
    else {
      give(n.a, x);
      give(n.b, n.kind === 'sub' ? { minus: !x.minus, node: x.node } : x);
    }
  }
  const outputs = Array.from({ length: c.inputs }, (): { re: Signed; im: Signed } => ({ re: { minus: false, node: undefined }, im: { minus: false, node: undefined } }));
  for (const [n, x] of sums) if (n.kind === 'input') outputs[n.index]![n.part] = x;
  return { inputs: c.outputs.length, graph: g, outputs: outputs as readonly Complex[] };
}

const cost = (c: Codelet): number => { const { adds, muls } = count(c); return adds + muls; };

/**
 * The same map with fewer operations, where there are any to save: it is transposed, which turns common factors into common operands and back
 * (Frigo, "A Fast Fourier Transform Compiler", 1999, section 5), as long as that gains something. Never more operations than before.
 */
export function optimize(c: Codelet): Codelet {
  for (let best = c; ;) {
    const tries = [false, true].flatMap((first) => [false, true].map((second) => transpose(transpose(best, { factor: first }), { factor: second })));
    const next = tries.reduce((a, b) => (cost(b) < cost(a) ? b : a), best);
    if (next === best) return best;
    best = next;
  }
}
