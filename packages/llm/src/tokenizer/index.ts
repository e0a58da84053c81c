/** Text to token ids and back, from the vocabulary in a GGUF file: SentencePiece-style and byte-level BPE. */
export { createTokenizer, tokenizerFromGguf } from './tokenizer.ts';
export type { DecodeOptions, EncodeOptions, StreamDecoder, Tokenizer } from './tokenizer.ts';
export { readVocab } from './vocab.ts';
export type { TokenKind, Vocab } from './vocab.ts';
export { PRE_TOKENIZERS, splitText } from './pretokenize.ts';
export { TokenizerError } from './error.ts';
export type { TokenizerErrorCode } from './error.ts';
