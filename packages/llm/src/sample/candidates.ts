/** Tokens that may still be chosen, with their logits. */
export interface Candidates {
  readonly ids: Int32Array;
  readonly logits: Float32Array;
}

/**
 * Ids fit below 2^21, and a float's order above them in 32 bits: so a token is one double, and a native sort of doubles
 * orders by logit, then by id.
 */
const IDS = 2 ** 21;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The better the token, the smaller its key. */
function keyOf(logit: number, id: number): number {
  float[0] = logit + 0; // makes +0 of -0
  const word = bits[0] as number;
  // Floats order as their bits do, negative ones in reverse.
  const descending = word >>> 31 ? word : 0x7fffffff - word;
  return descending * IDS + id;
}

function unpack(keys: Float64Array, logits: Float32Array): Candidates {
  const ids = new Int32Array(keys.length);
  const kept = new Float32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const id = (keys[i] as number) % IDS;
    ids[i] = id;
    kept[i] = logits[id] as number;
  }
  return { ids, logits: kept };
}

/**
 * The `k` tokens of highest logit, the best first, equals by id; fewer where fewer are allowed (-Infinity is not).
 * Expects checked logits of fewer than 2^21 tokens, and k of at least 1.
 */
export function topK(logits: Float32Array, k: number): Candidates {
  if (k >= logits.length) return ordered(logits);
  // A heap whose root is the worst token kept.
  const heap = new Float64Array(k);
  let size = 0;
  let worst = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    // An equal of the worst has a higher id, and loses.
    if (!(logit > worst)) continue;
    const key = keyOf(logit, id);
    if (size < k) {
      let at = size++;
      for (let parent = (at - 1) >> 1; at > 0 && (heap[parent] as number) < key; at = parent, parent = (at - 1) >> 1) heap[at] = heap[parent] as number;
      heap[at] = key;
    } else {
      sinkRoot(heap, key);
    }
    if (size === k) worst = logits[(heap[0] as number) % IDS] as number;
  }
  return unpack(heap.subarray(0, size).sort(), logits);
}

/** Replaces the largest key of a heap. */
function sinkRoot(heap: Float64Array, key: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as number) > (heap[child] as number)) child++;
    if ((heap[child] as number) <= key) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = key;
}

/** All allowed tokens whose logit is at least `floor`, the best first, equals by id. */
export function ordered(logits: Float32Array, floor: number = -Infinity): Candidates {
  const keys = new Float64Array(logits.length);
  let size = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (logit >= floor && logit !== -Infinity) keys[size++] = keyOf(logit, id);
  }
  return unpack(keys.subarray(0, size).sort(), logits);
}

/** All allowed tokens whose logit is at least `floor`, by id. */
export function unordered(logits: Float32Array, floor: number): Candidates {
  const ids = new Int32Array(logits.length);
  const kept = new Float32Array(logits.length);
  let size = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (!(logit >= floor) || logit === -Infinity) continue;
    ids[size] = id;
    kept[size++] = logit;
  }
  return { ids: ids.subarray(0, size), logits: kept.subarray(0, size) };
}
