import { fixedOne } from './exact.ts';
import type { Fixed } from './exact.ts';

/**
 * A real value of a codelet. Nodes with equal operands are one node. A `times` multiplies by a positive constant; signs live on the edges
 * (see {@link Signed}) until a value leaves the codelet.
 */
export type Node =
  | { readonly kind: 'input'; readonly id: number; readonly index: number; readonly part: 're' | 'im' }
  | { readonly kind: 'add' | 'sub'; readonly id: number; readonly a: Node; readonly b: Node }
  | { readonly kind: 'times'; readonly id: number; readonly k: Fixed; readonly x: Node };

/** plus or minus a node; no node is zero. */
export interface Signed { readonly minus: boolean; readonly node: Node | undefined }
/** A complex value. */
export interface Complex { readonly re: Signed; readonly im: Signed }

/** Real operations of a codelet. */
export interface Count { readonly adds: number; readonly muls: number }

/** Builds a graph. Every rule that makes it small is applied as nodes are made, so what is never needed is never built. */
export class Graph {
  /** In order of creation, operands first. */
  readonly nodes: Node[] = [];
  readonly #known = new Map<string, Node>();

  #node(key: string, make: (id: number) => Node): Node {
    const old = this.#known.get(key);
    if (old) return old;
    const n = make(this.nodes.length);
    this.nodes.push(n);
    this.#known.set(key, n);
    return n;
  }

  /** The index-th complex input. */
  input(index: number): Complex {
    const part = (p: 're' | 'im'): Signed => ({ minus: false, node: this.#node(`${p}${index}`, (id) => ({ kind: 'input', id, index, part: p })) });
    return { re: part('re'), im: part('im') };
  }

  add(x: Signed, y: Signed): Signed {
    const { node: a } = x, { node: b } = y;
    if (!a) return y;
    if (!b) return x;
    if (x.minus !== y.minus) return x.minus ? this.#sub(b, a) : this.#sub(a, b);
    const [first, second] = a.id < b.id ? [a, b] : [b, a];
    return { minus: x.minus, node: this.#node(`${first.id}+${second.id}`, (id) => ({ kind: 'add', id, a: first, b: second })) };
  }

  sub(x: Signed, y: Signed): Signed {
    return this.add(x, negate(y));
  }

  #sub(a: Node, b: Node): Signed {
    if (a === b) return { minus: false, node: undefined };
    const reversed = this.#known.get(`${b.id}-${a.id}`);
    if (reversed) return { minus: true, node: reversed };
    return { minus: false, node: this.#node(`${a.id}-${b.id}`, (id) => ({ kind: 'sub', id, a, b })) };
  }

  /** k * x for a constant. */
  times(k: Fixed, x: Signed): Signed {
    if (k === 0n || !x.node) return { minus: false, node: undefined };
    if (k < 0n) return negate(this.times(-k, x));
    if (k === fixedOne) return x;
    const { node } = x;
    return { minus: x.minus, node: this.#node(`${k}*${node.id}`, (id) => ({ kind: 'times', id, k, x: node })) };
  }

  plus(x: Complex, y: Complex): Complex {
    return { re: this.add(x.re, y.re), im: this.add(x.im, y.im) };
  }

  minus(x: Complex, y: Complex): Complex {
    return { re: this.sub(x.re, y.re), im: this.sub(x.im, y.im) };
  }

  /** w * x for a constant w. Powers of i cost nothing; where both parts of w have one size, two products do. */
  rotate(w: { readonly re: Fixed; readonly im: Fixed }, x: Complex): Complex {
    const size = (k: Fixed): Fixed => (k < 0n ? -k : k);
    if (w.re !== 0n && size(w.re) === size(w.im)) {
      const k = size(w.re), re = w.re < 0n ? negate(x.re) : x.re, im = w.re < 0n ? negate(x.im) : x.im;
      const same = (w.re < 0n) === (w.im < 0n);
      return same
        ? { re: this.times(k, this.sub(re, im)), im: this.times(k, this.add(im, re)) }
        : { re: this.times(k, this.add(re, im)), im: this.times(k, this.sub(im, re)) };
    }
    return {
      re: this.sub(this.times(w.re, x.re), this.times(w.im, x.im)),
      im: this.add(this.times(w.re, x.im), this.times(w.im, x.re)),
    };
  }
}

/** The same value with the other sign. */
export const negate = (x: Signed): Signed => ({ minus: !x.minus, node: x.node });

/** The nodes that outputs depend on, in order of creation. */
export function reachable(g: Graph, outputs: readonly Complex[]): readonly Node[] {
  const used = new Set<Node>();
  for (const o of outputs) for (const s of [o.re, o.im]) if (s.node) used.add(s.node);
  for (const n of [...g.nodes].reverse()) {
    if (!used.has(n)) continue;
    if (n.kind === 'times') used.add(n.x);
    else if (n.kind !== 'input') { used.add(n.a); used.add(n.b); }
  }
  return g.nodes.filter((n) => used.has(n));
}

/** Operations that the outputs cost. A negated output counts as an addition. */
export function count(g: Graph, outputs: readonly Complex[]): Count {
  const nodes = reachable(g, outputs);
  const negated = outputs.flatMap((o) => [o.re, o.im]).filter((s) => s.minus).length;
  return {
    adds: nodes.filter((n) => n.kind === 'add' || n.kind === 'sub').length + negated,
    muls: nodes.filter((n) => n.kind === 'times').length,
  };
}
