/** Words longer than this are rarely met again. */
const LONGEST = 48;
const MOST = 1 << 16;

/** Ids of words met before. Natural text repeats its words, so most of them are merged once only. */
export interface WordCache {
  get(word: string): readonly number[] | undefined;
  set(word: string, ids: readonly number[]): void;
}

/** A cache that forgets everything when it is full, which costs less than keeping an order. */
export function createWordCache(): WordCache {
  const words = new Map<string, readonly number[]>();
  return {
    get: (word) => (word.length <= LONGEST ? words.get(word) : undefined),
    set(word, ids) {
      if (word.length > LONGEST) return;
      if (words.size >= MOST) words.clear();
      words.set(word, ids);
    },
  };
}
