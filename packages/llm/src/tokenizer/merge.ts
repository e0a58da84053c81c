/** Merges neighbours in a row of symbols. */
export interface Merger {
  /**
   * Repeatedly merges the two neighbours of lowest rank, the leftmost of equals, until none can be merged: O(n log n).
   * Symbols are known by their positions 0..n-1; a merged pair keeps the position of its left half.
   * @param rank rank of merging the symbols at two positions, or -1 where they do not merge; asked again after merges
   * @param merge told of each merge
   * @returns for each surviving position the next one, or -1 at the end; position 0 always survives. Valid until the next call.
   */
  run(n: number, rank: (left: number, right: number) => number, merge: (left: number, right: number) => void): Int32Array;
}

const DEAD = -2;
/** A heap entry is rank * POSITIONS + position: exact in a double for ranks below 2^21 and positions below 2^32. */
const POSITIONS = 2 ** 32;

/** A merger; it keeps its working space from call to call. */
export function createMerger(): Merger {
  let next = new Int32Array(64);
  let previous = new Int32Array(64);
  const heap = createHeap();
  return {
    run(n, rank, merge) {
      if (next.length < n) {
        next = new Int32Array(2 * n);
        previous = new Int32Array(2 * n);
      }
      for (let i = 0; i < n; i++) {
        next[i] = i + 1 < n ? i + 1 : -1;
        previous[i] = i - 1;
      }
      const offer = (left: number, right: number): void => {
        const r = rank(left, right);
        if (r >= 0) heap.push(r * POSITIONS + left);
      };
      for (let i = 0; i + 1 < n; i++) offer(i, i + 1);
      for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) {
        const left = entry % POSITIONS;
        const right = next[left] as number;
        // An entry is stale where one of its symbols has changed since; then the pair there now has its own entry.
        if (right < 0 || rank(left, right) !== Math.floor(entry / POSITIONS)) continue;
        merge(left, right);
        const after = next[right] as number;
        next[left] = after;
        next[right] = DEAD;
        if (after >= 0) {
          previous[after] = left;
          offer(left, after);
        }
        const before = previous[left] as number;
        if (before >= 0) offer(before, left);
      }
      return next;
    },
  };
}

interface Heap {
  push(key: number): void;
  pop(): number | undefined;
}

/** A binary heap of numbers, smallest first. */
function createHeap(): Heap {
  let keys = new Float64Array(64);
  let size = 0;
  return {
    push(key) {
      if (size === keys.length) {
        const larger = new Float64Array(2 * size);
        larger.set(keys);
        keys = larger;
      }
      let at = size++;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if ((keys[parent] as number) <= key) break;
        keys[at] = keys[parent] as number;
        at = parent;
      }
      keys[at] = key;
    },
    pop() {
      if (size === 0) return undefined;
      const top = keys[0] as number;
      const key = keys[--size] as number;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child++;
        if ((keys[child] as number) >= key) break;
        keys[at] = keys[child] as number;
        at = child;
      }
      keys[at] = key;
      return top;
    },
  };
}
