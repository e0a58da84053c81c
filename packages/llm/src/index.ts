/** Run GGUF language models on Quern kernels: formats, tokenizers, decoder and engine. */
export * from './quant/index.ts';
