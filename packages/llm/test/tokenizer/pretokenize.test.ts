import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRE_TOKENIZERS, TokenizerError, splitText } from '../../src/tokenizer/index.ts';

const TRICKY = "I'll  DON'T caf\u00e9 \u21673\u00bd 12345 HelloWorld\n\n  x\r\n/\u0085\u00a0\u65e5\u672c\u8a9e\u3072\u3089\u30ab\u30ca e\u0301!? 'S_v//\n\t end  ";

describe('pre-tokenizers', () => {
  // Made once with the `tokenizers` package from the expressions that the models' own files hold; '|' separates pieces.
  it.each([
    ['gpt-2', "I|'ll| | DON|'|T| café| Ⅷ3½| 12345| HelloWorld|\n\n | x|\r|\n|/|\u0085|\u00a0|日本語ひらカナ| e|\u0301!?| '|S|_|v|//|\n\t| end|  "],
    ['llama-bpe', "I|'ll| | DON|'T| café| |Ⅷ3½| |123|45| HelloWorld|\n\n| | x|\r\n|/|\u0085|\u00a0日本語ひらカナ| e|\u0301!?| '|S|_v|//\n|\t| end|  "],
    ['qwen2', "I|'ll| | DON|'T| café| |Ⅷ|3|½| |1|2|3|4|5| HelloWorld|\n\n| | x|\r\n|/|\u0085|\u00a0日本語ひらカナ| e|\u0301!?| '|S|_v|//\n|\t| end|  "],
    ['gpt-4o', "I'll| | DON'T| café| |Ⅷ3½| |123|45| Hello|World|\n\n| | x|\r\n|/|\u0085|\u00a0日本語ひらカナ| e\u0301|!?| '|S|_v|//\n|\t| end|  "],
    ['tekken', "I|'ll| | DON|'T| café| |Ⅷ|3|½| |1|2|3|4|5| Hello|World|\n\n| | x|\r\n|/|\u0085|\u00a0日本語ひらカナ| e\u0301|!?| '|S|_v|//\n|\t| end|  "],
    ['deepseek-v3', "I|'ll| | DON|'T| café| |Ⅷ3½| |123|45| HelloWorld|\n\n| | x|\r\n|/|\u0085\u00a0|日本語ひらカナ| e\u0301|!?| '|S|_v|//\n|\t| end|  "],
    ['smollm', "I|'ll| | DON|'|T| café| |Ⅷ|3|½| |1|2|3|4|5| HelloWorld|\n\n | x|\r|\n|/|\u0085|\u00a0|日本語ひらカナ| e|\u0301!?| '|S|_|v|//|\n\t| end|  "],
  ])('%s splits as its model did', (pre, wanted) => {
    expect(splitText(pre, TRICKY)).toEqual(wanted.split('|'));
  });

  it('splits in stages: punctuation, words, digits in threes', () => {
    expect(splitText('falcon', "a,b `x` 12345 don't")).toEqual(['a', ',', 'b', ' ', '`', 'x', '`', ' ', '123', '45', ' don', "'", 't']);
    expect(splitText('default', 'a `x` 12345')).toEqual(['a', ' `', 'x', '`', ' ', '123', '45']);
  });

  it('loses nothing and makes no empty piece', () => {
    fc.assert(fc.property(fc.constantFrom(...PRE_TOKENIZERS), fc.string({ unit: 'binary', maxLength: 60 }), (pre, text) => {
      const pieces = splitText(pre, text);
      expect(pieces.join('')).toBe(text);
      if (text !== '') expect(pieces).not.toContain('');
    }), { numRuns: 2000 });
  });

  it('takes a word of millions of characters, and refuses one of tens of millions by a typed error', () => {
    expect(splitText('llama-bpe', '字'.repeat(3e6))).toHaveLength(1);
    expect(() => splitText('llama-bpe', '字'.repeat(4e7))).toThrow(expect.objectContaining({ name: 'TokenizerError', code: 'bad-text' }));
  });

  it('refuses a rule that it does not know, naming those that it does', () => {
    for (const pre of ['kimi-k9', 'toString']) {
      expect(() => splitText(pre, 'x')).toThrow(TokenizerError);
      expect(() => splitText(pre, 'x')).toThrow(/llama-bpe/);
    }
  });
});
