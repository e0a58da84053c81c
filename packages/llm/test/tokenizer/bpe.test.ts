import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer, splitText, type Vocab } from '../../src/tokenizer/index.ts';
import { BYTE_CHARS } from '../../src/tokenizer/bytes.ts';
import { smallBpe } from './vocabs.ts';

const vocab = smallBpe();
const tokenizer = createTokenizer(vocab);
const spell = (ids: Int32Array, using = tokenizer): string[] => Array.from(ids, (id) => using.text(id));

/** Text near the vocabulary's, and text far from it. */
const text = fc.oneof(
  fc.array(fc.constantFrom('the', 'that', ' ', '  ', 'cat', 'a', 't', 'h', 'ü', 'é', '日', '本', '12', '_', ',', '\n'), { maxLength: 30 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

/** Byte-level BPE at its plainest, quadratic: join the leftmost pair of lowest rank, over and over. */
function naive(input: string): string[] {
  const rank = new Map((vocab.merges as string[]).map((merge, i) => [merge, i]));
  return splitText('gpt-2', input).flatMap((word) => {
    const row = Array.from(new TextEncoder().encode(word), (byte) => BYTE_CHARS[byte] as string);
    for (;;) {
      let best = -1;
      let lowest = Infinity;
      for (let i = 0; i + 1 < row.length; i++) {
        const r = rank.get(`${row[i]} ${row[i + 1]}`) ?? Infinity;
        if (r < lowest) [lowest, best] = [r, i];
      }
      if (best < 0) return row;
      row.splice(best, 2, `${row[best]}${row[best + 1]}`);
    }
  });
}

describe('byte-level BPE', () => {
  it('spells bytes as GPT-2 does', () => {
    expect(BYTE_CHARS[0x20]).toBe('Ġ');
    expect(BYTE_CHARS[0x0a]).toBe('Ċ');
    expect(BYTE_CHARS[0x41]).toBe('A');
    expect(BYTE_CHARS[0xad]).toBe('Ń');
    expect(new Set(BYTE_CHARS).size).toBe(256);
  });

  it('merges in the order of the list', () => {
    expect(spell(tokenizer.encode(' the that'))).toEqual(['Ġthe', 'Ġthat']);
    const ab = createTokenizer(smallBpe({ tokens: [...BYTE_CHARS, 'ab', 'bc', 'abc'], kinds: Array.from({ length: 259 }, () => 'normal' as const), merges: ['b c', 'a b', 'a bc'], eos: 0 }));
    expect(spell(ab.encode('abc abab'), ab)).toEqual(['abc', 'Ġ', 'ab', 'ab']);
  });

  it('obeys the first of a merge that is listed twice', () => {
    const twice = createTokenizer(smallBpe({ tokens: [...BYTE_CHARS, 'ab', 'bc'], kinds: Array.from({ length: 258 }, () => 'normal' as const), merges: ['a b', 'b c', 'a b'], eos: 0 }));
    expect(spell(twice.encode('abc'), twice)).toEqual(['ab', 'c']);
  });

  it('equals the plainest implementation', () => {
    fc.assert(fc.property(text.filter((s) => !s.includes('  \n  ')), (s) => {
      expect(spell(tokenizer.encode(s))).toEqual(naive(s));
    }), { numRuns: 2000 });
  });

  it('decodes what it encoded', () => {
    fc.assert(fc.property(text, (s) => {
      expect(tokenizer.decode(tokenizer.encode(s))).toBe(s);
    }), { numRuns: 1000 });
  });

  it('takes any string; lone surrogates become U+FFFD', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const s = String.fromCharCode(...units);
      expect(tokenizer.decode(tokenizer.encode(s))).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(s)));
    }), { numRuns: 1000 });
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
    // As if U+FFFD had been written: this rule joins it with punctuation, and a surrogate with nothing.
    const merges = ['ï ¿', 'ï¿ ½', '! ï¿½'];
    const joining = createTokenizer(smallBpe({ tokens: [...BYTE_CHARS, 'ï¿', 'ï¿½', '!ï¿½'], kinds: Array.from({ length: 259 }, () => 'normal' as const), merges, pre: 'deepseek-v3', eos: 0 }));
    expect(spell(joining.encode('!\udc00'), joining)).toEqual(['!ï¿½']);
  });

  it('finds user-defined tokens always and control tokens when asked to', () => {
    const input = 'a  \n  <|end|>b';
    expect(spell(tokenizer.encode(input))).toEqual(['a', '  \n  ', ...naive('<|end|>b')]);
    expect(spell(tokenizer.encode(input, { parseSpecial: true }))).toEqual(['a', '  \n  ', '<|end|>', 'b']);
    const ids = tokenizer.encode(input, { parseSpecial: true });
    expect(tokenizer.decode(ids)).toBe('a  \n  b');
    expect(tokenizer.decode(ids, { special: true })).toBe(input);
  });

  it('takes whole words before merges where the model does', () => {
    const merges = (vocab.merges as string[]).filter((m) => m !== 'th e' && m !== 't he');
    const word: Partial<Vocab> = { merges };
    expect(spell(createTokenizer(smallBpe({ ...word, pre: 'gpt-2' })).encode('the')).length).toBeGreaterThan(1);
    expect(spell(createTokenizer(smallBpe({ ...word, pre: 'llama-bpe' })).encode('the'))).toEqual(['the']);
  });

  it('spells a merge that is no token in bytes, and says so where a byte has no token', () => {
    const tokens = vocab.tokens.filter((t) => t !== 'the' && t !== 'Ġthe');
    const kinds = tokens.map((t) => vocab.kinds[vocab.tokens.indexOf(t)] as 'normal');
    const less = createTokenizer({ ...vocab, tokens, kinds, eos: 0 });
    expect(spell(less.encode('the'), less)).toEqual(['t', 'h', 'e']);
    const without = tokens.map((t) => (t === 'z' ? 'zzz' : t));
    expect(() => createTokenizer({ ...vocab, tokens: without, kinds, eos: 0 }).encode('z')).toThrow(expect.objectContaining({ name: 'TokenizerError', code: 'not-in-vocabulary' }));
    expect([...createTokenizer({ ...vocab, tokens: without, kinds, eos: 0, unk: 7 }).encode('z')]).toEqual([7]);
  });

  it('adds bos and eos where the vocabulary asks for it', () => {
    const both = createTokenizer(smallBpe({ bos: 5, eos: 6, addBos: true, addEos: true }));
    const plain = [...tokenizer.encode('the')];
    expect([...both.encode('the')]).toEqual([5, ...plain, 6]);
    expect([...both.encode('the', { addSpecial: false })]).toEqual(plain);
    expect([...both.encode('')]).toEqual([5, 6]);
  });

  it.each([['a'.repeat(3e5)], [' '.repeat(3e5)], ['\n'.repeat(3e5)], ['aaaa the '.repeat(3e4)], ['日本'.repeat(1e5)]])('takes 300 kB without a break or a quadratic step', (long) => {
    const start = performance.now();
    const ids = tokenizer.encode(long);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(tokenizer.decode(ids)).toBe(long);
  });
});
