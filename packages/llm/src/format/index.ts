/** Model files: a GGUF reader that trusts nothing, a GGUF writer, and the byte sources they read from. */
export { bytesSource, fileSource } from './source.ts';
export type { ByteSource, ClosableByteSource } from './source.ts';
export { openGguf, tensorBytes } from './reader.ts';
export type { Gguf, GgufTensor } from './reader.ts';
export type { GgufMetadata } from './metadata.ts';
export { ggufBool, ggufF32, ggufF32s, ggufI32, ggufI32s, ggufString, ggufStrings, ggufU32, ggufU64 } from './value.ts';
export type { GgufArray, GgufScalar, GgufType, GgufValue } from './value.ts';
export { ggufChunks, writeGguf } from './writer.ts';
export type { GgufContents, GgufTensorContents } from './writer.ts';
export { GgufError } from './error.ts';
export type { GgufErrorCode } from './error.ts';
