/** Compiling C at run time, for kernels that users write: find the compiler, call it, keep an honest cache. */
export { cacheDir, type CacheDir, makeDir } from './cache-dir.ts';
export { BASE_FLAGS, compileC, type Compiled, compileLibrary, type CompileOptions, type CSource } from './compile.ts';
export { compiler, type Compiler, type CompilerSearch, findCompiler } from './compiler.ts';
export { ISAS, isaFlags } from './flags.ts';
export { compileGenerated, type CompiledKernels, type GeneratedFile, kernelOf, type Manifest, parseManifest } from './generated.ts';
