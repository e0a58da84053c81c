/** Decoders: a model with its key-value cache, as a plan of native kernels or as a reference in plain TypeScript. */
export type { Decoder } from './decoder.ts';
export { referenceDecoder } from './reference.ts';
export type { ReferenceOptions } from './reference.ts';
export { nativeDecoder } from './native.ts';
export type { NativeDecoderOptions } from './native.ts';
