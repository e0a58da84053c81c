import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer, type Vocab } from '../../src/tokenizer/index.ts';
import { smallSpm } from './vocabs.ts';

const vocab = smallSpm();
const tokenizer = createTokenizer(vocab);
const plain = { addSpecial: false };
const spell = (ids: Int32Array): string[] => Array.from(ids, (id) => tokenizer.text(id));

const text = fc.oneof(
  fc.array(fc.constantFrom('the', 'that', ' ', '  ', 'cat', 'd ', 'a', 't', 'h', 'ü', 'é', '日', '本', '12', '_', ',', '\n', '<s', '<s>', '</s>', '<0x41>', '<unk>'), { maxLength: 30 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }).map((s) => s.replaceAll('▁', '')),
);

/** SentencePiece's BPE at its plainest, quadratic, over the whole text: join the leftmost neighbours whose joint text scores highest. */
function naive(input: string, { tokens, kinds, scores }: Vocab): string[] {
  const score = new Map(tokens.flatMap((t, id) => (kinds[id] === 'normal' || kinds[id] === 'user' ? [[t, (scores as Float32Array)[id] as number]] : [])));
  const row = [...(input === '' ? '' : ` ${input}`).replaceAll(' ', '▁')];
  for (;;) {
    let best = -1;
    let highest = -Infinity;
    for (let i = 0; i + 1 < row.length; i++) {
      const s = score.get(`${row[i]}${row[i + 1]}`) ?? -Infinity;
      if (s > highest) [highest, best] = [s, i];
    }
    if (best < 0) break;
    row.splice(best, 2, `${row[best]}${row[best + 1]}`);
  }
  return row.flatMap((piece) => (score.has(piece) ? [piece] : Array.from(new TextEncoder().encode(piece), (b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`)));
}

describe('SentencePiece BPE', () => {
  it('equals the plainest implementation, though it works word by word', () => {
    for (const v of [vocab, smallSpm({ tokens: vocab.tokens.map((t) => (t === 'd▁' ? 'd_' : t)) })]) {
      const fast = createTokenizer(v);
      fc.assert(fc.property(text.filter((s) => !s.includes('<|u|>')), (s) => {
        expect(Array.from(fast.encode(s, plain), (id) => fast.text(id))).toEqual(naive(s, v));
      }), { numRuns: 1500 });
    }
  });

  it('decodes what it encoded', () => {
    fc.assert(fc.property(fc.oneof(text, fc.constantFrom('', ' ', '  ', '<|u|>', '<|u|> a', ' <|u|>x<|u|>')), (s) => {
      expect(tokenizer.decode(tokenizer.encode(s))).toBe(s);
      expect(tokenizer.decode(tokenizer.encode(s, { ...plain, parseSpecial: true }), { special: true })).toBe(s);
    }), { numRuns: 1500 });
  });

  it('never makes control tokens of plain text', () => {
    expect(spell(tokenizer.encode('<s></s>', plain))).toEqual(['▁', '<s', '>', '<', '/', 's', '>']);
    expect(spell(tokenizer.encode('<s></s>', { ...plain, parseSpecial: true }))).toEqual(['<s>', '</s>']);
    fc.assert(fc.property(text, (s) => {
      for (const id of tokenizer.encode(s, plain)) expect(['normal', 'user', 'byte']).toContain(tokenizer.kind(id));
    }));
  });

  it('begins texts, and what follows special tokens, as if behind a space', () => {
    expect(spell(tokenizer.encode('the', plain))).toEqual(['▁the']);
    expect(spell(tokenizer.encode('the<|u|>the', plain))).toEqual(['▁the', '<|u|>', '▁the']);
    expect([...tokenizer.encode('')]).toEqual([1]);
    const without = createTokenizer(smallSpm({ addSpacePrefix: false }));
    expect(without.text(without.encode('the', plain)[0] as number)).not.toContain('▁');
    expect(without.decode(without.encode(' the'))).toBe(' the');
  });

  it('takes the longest of the special tokens at a place', () => {
    expect(spell(tokenizer.encode('<|u|>x', plain))).toEqual(['<|u|>x']);
    expect(spell(tokenizer.encode('<|u|>y', plain))[0]).toBe('<|u|>');
    expect(spell(tokenizer.encode('<|u', plain))).not.toContain('<|u|>');
  });

  it('lets a special token swallow the white space behind it, where the model wants that', () => {
    const stripping = createTokenizer(smallSpm({ stripAfter: new Set([3]) }));
    expect([...stripping.encode('<|u|> \n the', plain)]).toEqual([3, ...tokenizer.encode('the', plain)]);
  });

  it('falls back from bytes to the unknown token, and from that to an error', () => {
    const kinds = vocab.kinds.map((kind) => (kind === 'byte' ? 'unused' : kind));
    expect(createTokenizer(smallSpm({ kinds })).encode('☃', plain).at(-1)).toBe(0);
    const { unk: _, ...rest } = smallSpm({ kinds });
    expect(() => createTokenizer(rest).encode('☃')).toThrow(expect.objectContaining({ name: 'TokenizerError', code: 'not-in-vocabulary' }));
  });

  it.each([['a'.repeat(3e5)], [' '.repeat(3e5)], ['aaaa the '.repeat(3e4)], ['日本'.repeat(1e5)], ['d '.repeat(15e4)]])('takes 300 kB without a break or a quadratic step', (long) => {
    const start = performance.now();
    const ids = tokenizer.encode(long);
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(tokenizer.decode(ids)).toBe(long);
  });
});
