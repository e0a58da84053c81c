/** What CUDA C++ and OpenCL C share: nearly everything; a dialect says the rest. */
export type { Dialect, Helper, Memory, SubgroupDialect } from './dialect.ts';
export { emitFamily } from './emit.ts';
export { helper } from './helper.ts';
export { NAMES, typedefs, typeOf, vectorName } from './types.ts';
