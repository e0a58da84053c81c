/** A part of a text: one special token, or plain text between them. */
export type Fragment = { readonly kind: 'token'; readonly id: number } | { readonly kind: 'text'; readonly text: string };

interface Node {
  readonly next: Map<number, Node>;
  id: number;
}

/** Finds special tokens in texts: at each place, left to right, the longest that is there. */
export type SpecialFinder = (text: string) => Fragment[];

/** A finder for some tokens, given as pairs of text and id. `stripAfter`: ids that swallow the white space behind them. */
export function specialFinder(specials: Iterable<readonly [text: string, id: number]>, stripAfter: ReadonlySet<number>): SpecialFinder {
  const root: Node = { next: new Map(), id: -1 };
  for (const [text, id] of specials) {
    if (text === '') continue;
    let node = root;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let child = node.next.get(unit);
      if (!child) node.next.set(unit, (child = { next: new Map(), id: -1 }));
      node = child;
    }
    node.id = id;
  }
  if (root.next.size === 0) return (text) => (text === '' ? [] : [{ kind: 'text', text }]);
  return (text) => {
    const fragments: Fragment[] = [];
    let plainFrom = 0;
    for (let at = 0; at < text.length; ) {
      let id = -1;
      let end = at;
      let i = at;
      for (let node = root.next.get(text.charCodeAt(i)); node; node = i < text.length ? node.next.get(text.charCodeAt(i)) : undefined) {
        i++;
        if (node.id >= 0) {
          id = node.id;
          end = i;
        }
      }
      if (id < 0) {
        at++;
        continue;
      }
      if (at > plainFrom) fragments.push({ kind: 'text', text: text.slice(plainFrom, at) });
      fragments.push({ kind: 'token', id });
      if (stripAfter.has(id)) while (end < text.length && /\s/.test(text.charAt(end))) end++;
      at = end;
      plainFrom = end;
    }
    if (plainFrom < text.length) fragments.push({ kind: 'text', text: text.slice(plainFrom) });
    return fragments;
  };
}
