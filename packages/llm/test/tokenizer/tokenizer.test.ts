import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource, ggufBool, ggufF32s, ggufI32s, ggufString, ggufStrings, ggufU32, openGguf, writeGguf, type GgufMetadata, type GgufValue } from '../../src/format/index.ts';
import { TokenizerError, createTokenizer, readVocab, tokenizerFromGguf, type TokenizerErrorCode, type Vocab } from '../../src/tokenizer/index.ts';
import { smallBpe, smallSpm } from './vocabs.ts';
import { same } from '../../../../tools/test/often.ts';

const spm = createTokenizer(smallSpm());
const bpe = createTokenizer(smallBpe());

function metadataOf(pairs: Record<string, GgufValue>): GgufMetadata {
  const metadata = Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key.startsWith('general') ? key : `tokenizer.ggml.${key}`, value]));
  return openGguf(bytesSource(writeGguf({ metadata, tensors: [] }))).metadata;
}

const NUMBERS = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 };
const spmPairs = (vocab: Vocab): Record<string, GgufValue> => ({
  model: ggufString('llama'),
  tokens: ggufStrings(vocab.tokens),
  token_type: ggufI32s(vocab.kinds.map((kind) => NUMBERS[kind])),
  scores: ggufF32s(vocab.scores as Float32Array),
});

function expectCode(code: TokenizerErrorCode, action: () => unknown): void {
  expect(action).toThrow(TokenizerError);
  expect(action).toThrow(expect.objectContaining({ code, fix: expect.stringMatching(/./) }));
}

describe('a vocabulary in a GGUF file', () => {
  it('makes the same tokenizer as the vocabulary itself, with the usual ids and flags by default', () => {
    const fromFile = tokenizerFromGguf(metadataOf(spmPairs(smallSpm())));
    expect([fromFile.bos, fromFile.eos, fromFile.unk, fromFile.pad, fromFile.size]).toEqual([1, 2, 0, undefined, spm.size]);
    for (const text of ['the cat', 'naïve ☃ <|u|>x', '']) expect(fromFile.encode(text)).toEqual(spm.encode(text));
  });

  it('obeys its flags and ids', () => {
    const vocab = readVocab(metadataOf({
      ...spmPairs(smallSpm()), bos_token_id: ggufU32(7), eos_token_id: ggufU32(8), padding_token_id: ggufU32(0xffffffff), unknown_token_id: ggufU32(9), eot_token_id: ggufU32(4),
      add_bos_token: ggufBool(false), add_eos_token: ggufBool(true), add_space_prefix: ggufBool(false),
    }));
    expect(vocab).toMatchObject({ bos: 7, eos: 8, unk: 9, addBos: false, addEos: true, addSpacePrefix: false, endOfTurn: [4] });
    expect(vocab.pad).toBeUndefined();
    const tokenizer = createTokenizer(vocab);
    expect(tokenizer.ends).toEqual(new Set([8, 4]));
    expect(tokenizer.encode('a').at(-1)).toBe(8);
  });

  it('knows byte-level files, their pre-tokenizer and the tokens that end a turn', () => {
    const small = smallBpe();
    const pairs = { model: ggufString('gpt2'), pre: ggufString('llama-bpe'), tokens: ggufStrings(small.tokens), merges: ggufStrings(small.merges as string[]), token_type: ggufI32s(small.kinds.map((kind) => NUMBERS[kind])), bos_token_id: ggufU32(3) };
    const tokenizer = tokenizerFromGguf(metadataOf(pairs));
    expect(tokenizer.encode('the')[0]).toBe(3); // llama3 wants its bos though the file does not say so
    expect(tokenizer.ends).toEqual(new Set([tokenizer.find('<|end|>')]));
    expectCode('unknown-pre-tokenizer', () => tokenizerFromGguf(metadataOf({ ...pairs, pre: ggufString('new-one') })));
  });

  it('knows which of its tokens swallow white space, for a Phi-3', () => {
    const vocab = readVocab(metadataOf({ ...spmPairs(smallSpm()), 'general.name': ggufString('Phi-3 mini') }));
    expect(vocab.stripAfter).toEqual(new Set([2, 3, 4]));
  });

  it('is refused where it is inconsistent', () => {
    const small = smallSpm();
    const pairs = spmPairs(small);
    expectCode('unsupported-model', () => tokenizerFromGguf(metadataOf({ ...pairs, model: ggufString('t5') })));
    expectCode('bad-vocabulary', () => tokenizerFromGguf(metadataOf({ ...pairs, scores: ggufF32s([1, 2]) })));
    expectCode('bad-vocabulary', () => tokenizerFromGguf(metadataOf({ ...pairs, token_type: ggufI32s([1, 2]) })));
    expectCode('bad-vocabulary', () => tokenizerFromGguf(metadataOf({ ...pairs, token_type: ggufI32s(small.kinds.map(() => 9)) })));
    expectCode('bad-vocabulary', () => createTokenizer({ ...small, scores: new Float32Array(small.tokens.length).fill(NaN) }));
    expectCode('bad-vocabulary', () => createTokenizer({ ...small, bos: small.tokens.length }));
    expectCode('bad-vocabulary', () => createTokenizer({ ...small, tokens: [], kinds: [], scores: new Float32Array(0) }));
    expectCode('bad-vocabulary', () => createTokenizer({ ...small, tokens: small.tokens.map((t) => (t === '<0x41>' ? '<0xZZ>' : t)) }));
    expectCode('bad-vocabulary', () => createTokenizer(smallBpe({ merges: ['ab'] })));
    expectCode('bad-vocabulary', () => createTokenizer(smallBpe({ merges: ['ab '] })));
  });
});

describe('arguments', () => {
  it('are checked', () => {
    expectCode('bad-text', () => spm.encode(42 as unknown as string));
    for (const id of [-1, 1.5, NaN, spm.size, 2 ** 40]) {
      expectCode('bad-token-id', () => spm.decode([id]));
      expectCode('bad-token-id', () => spm.text(id));
      expectCode('bad-token-id', () => bpe.bytes(id));
    }
  });
});

describe('tokens', () => {
  it('have texts, kinds and bytes', () => {
    expect([spm.text(1), spm.kind(1), spm.bytes(1).length]).toEqual(['<s>', 'control', 0]);
    const the = spm.find('▁the') as number;
    expect([spm.text(the), spm.kind(the), new TextDecoder().decode(spm.bytes(the))]).toEqual(['▁the', 'normal', ' the']);
    expect(spm.bytes(spm.find('<0xE2>') as number)).toEqual(Uint8Array.of(0xe2));
    expect(spm.bytes(spm.find('<|u|>') as number)).toEqual(new TextEncoder().encode('<|u|>'));
    expect(spm.bytes(spm.find('<pad>') as number)).toHaveLength(0);
    expect(spm.find('no such token')).toBeUndefined();
    expect(bpe.bytes(bpe.find('Ġthe') as number)).toEqual(new TextEncoder().encode(' the'));
  });
});

describe('stream', () => {
  it('gives in pieces what decode gives at once, never half a character', () => {
    for (const tokenizer of [spm, bpe]) {
      fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        const ids = tokenizer.encode(text);
        const stream = tokenizer.stream({ atStart: true });
        const parts = [...ids].map((id) => stream.push(id));
        for (const part of parts) same(/\p{Surrogate}/u.test(part), false, part);
        if (!text.includes('\ufffd')) expect(parts.join('')).not.toContain('\ufffd');
        expect(parts.join('') + stream.flush()).toBe(tokenizer.decode(ids));
      }), { numRuns: 500 });
      fc.assert(fc.property(fc.array(fc.nat(tokenizer.size - 1), { maxLength: 60 }), fc.boolean(), fc.boolean(), (ids, special, atStart) => {
        const stream = tokenizer.stream({ special, atStart });
        expect(ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(tokenizer.decode(ids, { special, atStart }));
      }), { numRuns: 500 });
    }
  });

  it('holds back an unfinished character and gives it whole', () => {
    const stream = spm.stream();
    const bytes = ['<0xF0>', '<0x9F>', '<0xA6>', '<0x99>'].map((t) => spm.find(t) as number);
    expect(bytes.map((id) => stream.push(id))).toEqual(['', '', '', '🦙']);
    expect(stream.push(bytes[0] as number)).toBe('');
    expect(stream.flush()).toBe('\ufffd');
    expect(stream.push(spm.find('▁the') as number)).toBe(' the');
    expect(stream.flush()).toBe('');
  });

  it('replaces bytes that can never be UTF-8, and goes on', () => {
    const stream = spm.stream();
    expect(stream.push(spm.find('<0xE2>') as number) + stream.push(spm.find('<0x41>') as number)).toBe('\ufffdA');
    expect(stream.push(spm.find('<0xFF>') as number)).toBe('\ufffd');
  });

  it('keeps the space before a continuation, and drops the one before a text', () => {
    const the = spm.find('▁the') as number;
    expect(spm.stream().push(the)).toBe(' the');
    expect(spm.stream({ atStart: true }).push(the)).toBe('the');
    expect(spm.decode([1, the, the])).toBe('the the');
    expect(spm.decode([1, the], { special: true })).toBe('<s>the');
  });

  it('keeps a byte order mark', () => {
    for (const tokenizer of [spm, bpe]) expect(tokenizer.decode(tokenizer.encode('\ufeffthe'))).toBe('\ufeffthe');
  });
});
