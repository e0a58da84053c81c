/** Run language models from GGUF files on Quern's kernels. */
export * from './arch/index.ts';
export * from './decoder/index.ts';
export * from './engine/index.ts';
export * from './format/index.ts';
export * from './quant/index.ts';
export * from './sample/index.ts';
export * from './tokenizer/index.ts';
