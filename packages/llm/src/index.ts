/** Run GGUF language models on Quern kernels: formats, tokenizers, decoder and engine. */
export * from './format/index.ts';
export * from './quant/index.ts';
export * from './tokenizer/index.ts';
