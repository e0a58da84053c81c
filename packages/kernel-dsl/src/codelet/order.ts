import type { Node } from './graph.ts';

const operandsOf = (n: Node): readonly Node[] => (n.kind === 'input' ? [] : n.kind === 'times' ? [n.x] : [n.a, n.b]);

/** The parts of a set of nodes that no edge joins, in the order of their first nodes. */
function components(nodes: readonly Node[], inside: ReadonlySet<Node>): readonly (readonly Node[])[] {
  const root = new Map<Node, Node>(nodes.map((n) => [n, n]));
  const find = (n: Node): Node => { let r = n; while (root.get(r) !== r) r = root.get(r)!; root.set(n, r); return r; };
  for (const n of nodes) for (const x of operandsOf(n)) if (inside.has(x)) root.set(find(n), find(x));
  const groups = new Map<Node, Node[]>();
  for (const n of nodes) { const r = find(n); groups.set(r, [...(groups.get(r) ?? []), n]); }
  return [...groups.values()];
}

/**
 * An order in which few values are alive at a time, whatever the number of registers: the graph is cut in the middle, between what is nearer to its inputs
 * and what is nearer to its outputs; each half falls into parts without an edge between them; those are cut again (Frigo 1999, section 6: a
 * recursive transform of n points in this order misses a cache of C values O(n log n / log C) times, which is optimal).
 *
 * @param nodes operands first
 * @returns the same nodes, operands first
 */
export function bisect(nodes: readonly Node[]): readonly Node[] {
  if (nodes.length <= 2) return nodes;
  const inside = new Set(nodes), parts = components(nodes, inside);
  if (parts.length > 1) return parts.flatMap(bisect);
  // Longest ways from a source and to a sink of this set.
  const before = new Map<Node, number>(), after = new Map<Node, number>();
  for (const n of nodes) before.set(n, Math.max(0, ...operandsOf(n).filter((x) => inside.has(x)).map((x) => before.get(x)! + 1)));
  for (const n of [...nodes].reverse()) {
    const d = after.get(n) ?? 0;
    after.set(n, d);
    for (const x of operandsOf(n)) if (inside.has(x)) after.set(x, Math.max(after.get(x) ?? 0, d + 1));
  }
  const early = nodes.filter((n) => before.get(n)! < after.get(n)!), late = nodes.filter((n) => before.get(n)! >= after.get(n)!);
  return early.length === 0 || late.length === 0 ? nodes : [...bisect(early), ...bisect(late)];
}
