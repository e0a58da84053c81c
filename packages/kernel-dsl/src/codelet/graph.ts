import { divide, fixedOne, multiply, settled } from './exact.ts';
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

/**
 * Real operations of a codelet: additions and products as written. `fused` counts what a machine with fused multiply-add does: a sum takes one product for
 * nothing; products that a sum cannot take, or that leave the codelet, are operations of their own.
 */
export interface CodeletCount { readonly adds: number; readonly muls: number; readonly fused: number }

/** A linear map of `inputs` complex numbers: its graph and its outputs in order. */
export interface Codelet { readonly inputs: number; readonly graph: Graph; readonly outputs: readonly Complex[] }

/** How a graph is built. */
export interface GraphOptions {
  /** Make sums of products by one constant a product of the sum: that saves a product where neither is used elsewhere. */
  readonly factor?: boolean;
  /** Multiply by constants of unit length as c (1 + i t), t at most 1, so that with `factor` products move on into later sums: for fused multiply-add. */
  readonly tangent?: boolean;
}

/**
 * Traces a linear map.
 * @example codelet(2, (g, [a, b]) => [g.plus(a!, b!), g.minus(a!, b!)]) // the transform of two points
 */
export function codelet(inputs: number, body: (g: Graph, x: readonly Complex[]) => readonly Complex[], o: GraphOptions = {}): Codelet {
  const graph = new Graph(o);
  return { inputs, graph, outputs: body(graph, Array.from({ length: inputs }, (_, i) => graph.input(i))) };
}

/** Builds a graph. Every rule that makes it small is applied as nodes are made, so what is never needed is never built. */
export class Graph {
  /** In order of creation, operands first. */
  readonly nodes: Node[] = [];
  readonly #known = new Map<string, Node>();
  readonly #o: GraphOptions;
  constructor(o: GraphOptions = {}) {
    this.#o = o;
  }

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

  /** x + y. */
  add(x: Signed, y: Signed): Signed {
    const { node: a } = x, { node: b } = y;
    if (!a) return y;
    if (!b) return x;
    if (this.#o.factor && a.kind === 'times' && b.kind === 'times' && a.k === b.k && a !== b) return this.times(a.k, this.add({ minus: x.minus, node: a.x }, { minus: y.minus, node: b.x }));
    if (x.minus !== y.minus) return x.minus ? this.#sub(b, a) : this.#sub(a, b);
    const [first, second] = a.id < b.id ? [a, b] : [b, a];
    return { minus: x.minus, node: this.#node(`${first.id}+${second.id}`, (id) => ({ kind: 'add', id, a: first, b: second })) };
  }

  /** x - y. */
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
  times(by: Fixed, x: Signed): Signed {
    const k = settled(by);
    if (k === 0n || !x.node) return { minus: false, node: undefined };
    if (k < 0n) return negate(this.times(-k, x));
    if (k === fixedOne) return x;
    const { node } = x;
    if (node.kind === 'times') return this.times(multiply(k, node.k), { minus: x.minus, node: node.x });
    return { minus: x.minus, node: this.#node(`${k}*${node.id}`, (id) => ({ kind: 'times', id, k, x: node })) };
  }

  /** x + y. */
  plus(x: Complex, y: Complex): Complex {
    return { re: this.add(x.re, y.re), im: this.add(x.im, y.im) };
  }

  /** x - y. */
  minus(x: Complex, y: Complex): Complex {
    return { re: this.sub(x.re, y.re), im: this.sub(x.im, y.im) };
  }

  /** w * x for a constant w. Powers of i cost nothing; where both parts of w have one size, two products do. */
  rotate(w: { readonly re: Fixed; readonly im: Fixed }, x: Complex): Complex {
    const size = (k: Fixed): Fixed => settled(k < 0n ? -k : k);
    if (size(w.re) !== 0n && size(w.re) === size(w.im)) {
      const k = size(w.re), re = w.re < 0n ? negate(x.re) : x.re, im = w.re < 0n ? negate(x.im) : x.im;
      const same = (w.re < 0n) === (w.im < 0n);
      return same
        ? { re: this.times(k, this.sub(re, im)), im: this.times(k, this.add(im, re)) }
        : { re: this.times(k, this.add(re, im)), im: this.times(k, this.sub(im, re)) };
    }
    if (this.#o.tangent && w.re !== 0n && w.im !== 0n) {
      const cosine = size(w.re) > size(w.im), c = cosine ? w.re : w.im, t = cosine ? divide(w.im, w.re) : divide(w.re, w.im);
      return cosine
        ? { re: this.times(c, this.sub(x.re, this.times(t, x.im))), im: this.times(c, this.add(x.im, this.times(t, x.re))) }
        : { re: this.times(c, this.sub(this.times(t, x.re), x.im)), im: this.times(c, this.add(this.times(t, x.im), x.re)) };
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
export function reachable(c: Codelet): readonly Node[] {
  const used = new Set<Node>();
  for (const o of c.outputs) for (const s of [o.re, o.im]) if (s.node) used.add(s.node);
  for (const n of [...c.graph.nodes].reverse()) {
    if (!used.has(n)) continue;
    if (n.kind === 'times') used.add(n.x);
    else if (n.kind !== 'input') { used.add(n.a); used.add(n.b); }
  }
  return c.graph.nodes.filter((n) => used.has(n));
}

/** A codelet as a part of another graph: its outputs for the given inputs. */
export function embed(g: Graph, c: Codelet, inputs: readonly Complex[]): readonly Complex[] {
  const values = new Map<Node, Signed>(), of = (s: Signed): Signed => { const v = s.node ? values.get(s.node)! : s; return s.minus ? negate(v) : v; };
  for (const n of reachable(c)) {
    const [a, b] = n.kind === 'input' || n.kind === 'times' ? [] : [values.get(n.a)!, values.get(n.b)!];
    values.set(n, n.kind === 'input' ? inputs[n.index]![n.part] : n.kind === 'times' ? g.times(n.k, values.get(n.x)!) : n.kind === 'add' ? g.add(a!, b!) : g.sub(a!, b!));
  }
  return c.outputs.map((o) => ({ re: of(o.re), im: of(o.im) }));
}

/** Operations that the outputs cost. A negated output counts as an addition. */
export function count(c: Codelet): CodeletCount {
  type Sum = Extract<Node, { readonly a: Node }>;
  const nodes = reachable(c), signed = c.outputs.flatMap((o) => [o.re, o.im]), negated = signed.filter((s) => s.minus).length;
  const sums = nodes.filter((n): n is Sum => n.kind === 'add' || n.kind === 'sub'), muls = nodes.filter((n) => n.kind === 'times').length;
  // A sum takes one product; where it has two, one that is an operation of its own already is not the one to take.
  const own = new Set<Node>(signed.flatMap((x) => (x.node?.kind === 'times' ? [x.node] : [])));
  for (const n of sums) if (n.a.kind === 'times' && n.b.kind === 'times' && !own.has(n.a) && !own.has(n.b)) own.add(n.b);
  return { adds: sums.length + negated, muls, fused: sums.length + negated + own.size };
}
