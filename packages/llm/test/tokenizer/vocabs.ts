import type { TokenKind, Vocab } from '../../src/tokenizer/index.ts';
import { BYTE_CHARS } from '../../src/tokenizer/bytes.ts';

const SAMPLE = 'the cat sat on the mat, the rat ate the hat  and   that was that. Ünïcödé ünïcödé naïve naïve 12 12 123 日本 日本語 the_the_the aaaa aaaa';

/** Byte tokens, then control, unknown and user-defined tokens as SentencePiece files have them. */
const SPM_HEAD: readonly (readonly [string, TokenKind])[] = [
  ['<unk>', 'unknown'], ['<s>', 'control'], ['</s>', 'control'], ['<|u|>', 'user'], ['<|u|>x', 'user'], ['<pad>', 'unused'],
  ...Array.from({ length: 256 }, (_, b) => [`<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`, 'byte'] as const),
];

/** A SentencePiece-style vocabulary made of the most frequent neighbours of a sample; `<s` and `<s>`-like pieces lie in wait for careless merging. */
export function smallSpm(changes: Partial<Vocab> = {}): Vocab {
  const words = SAMPLE.split(/(?= )/).map((word) => [...word.replaceAll(' ', '▁')]);
  const pieces = [...new Set(words.flat()), ...'<>s/'.split(''), '<s', '▁▁', '▁▁▁▁', 'd▁', ...frequentPairs(words, 60).map(([a, b]) => a + b)];
  const normal = [...new Set(pieces)];
  const tokens = [...SPM_HEAD.map(([text]) => text), ...normal];
  return {
    model: 'spm',
    tokens,
    kinds: [...SPM_HEAD.map(([, kind]) => kind), ...normal.map(() => 'normal' as const)],
    // Pairs of pieces share a score, so that ties are common.
    scores: Float32Array.from(tokens, (_, id) => -Math.floor(id / 2)),
    unk: 0, bos: 1, eos: 2, addBos: true, addEos: false, addSpacePrefix: true,
    ...changes,
  };
}

/** A byte-level vocabulary with merges learnt from a sample. */
export function smallBpe(changes: Partial<Vocab> = {}): Vocab {
  const encoder = new TextEncoder();
  const words = SAMPLE.split(/(?= )/).map((word) => Array.from(encoder.encode(word), (byte) => BYTE_CHARS[byte] as string));
  const pairs = frequentPairs(words, 80);
  const tokens = [...new Set([...BYTE_CHARS, ...pairs.map(([a, b]) => a + b)]), '<|end|>', '<|user|>', '  \n  '];
  return {
    model: 'bpe',
    tokens,
    kinds: tokens.map((text) => (text.startsWith('<|') ? 'control' : text === '  \n  ' ? 'user' : 'normal')),
    merges: pairs.map((pair) => pair.join(' ')),
    pre: 'gpt-2',
    eos: tokens.indexOf('<|end|>'), addBos: false, addEos: false, addSpacePrefix: false,
    ...changes,
  };
}

/** Byte-pair training at its plainest: `count` times, joins the most frequent neighbours. */
function frequentPairs(words: readonly (readonly string[])[], count: number): [string, string][] {
  let rows = words;
  const pairs: [string, string][] = [];
  for (let n = 0; n < count; n++) {
    const seen = new Map<string, number>();
    for (const row of rows) for (let i = 0; i + 1 < row.length; i++) seen.set(`${row[i]} ${row[i + 1]}`, (seen.get(`${row[i]} ${row[i + 1]}`) ?? 0) + 1);
    const best = [...seen].sort((a, b) => b[1] - a[1])[0];
    if (!best || best[1] < 2) break;
    const [a, b] = best[0].split(' ') as [string, string];
    pairs.push([a, b]);
    rows = rows.map((row) => joinAll(row, a, b));
  }
  return pairs;
}

/** A row with every occurrence of two neighbours joined, left to right. */
export function joinAll(row: readonly string[], a: string, b: string): string[] {
  const joined: string[] = [];
  for (let i = 0; i < row.length; i++) {
    if (row[i] === a && row[i + 1] === b) joined.push(a + b), i++;
    else joined.push(row[i] as string);
  }
  return joined;
}
