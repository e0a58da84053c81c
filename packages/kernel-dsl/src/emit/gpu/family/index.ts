/** What CUDA C++ and OpenCL C share: nearly everything; a dialect says the rest. */
export { crossesBarriers } from './crossing.ts';
export type { Dialect, Helper, Memory, SubgroupDialect } from './dialect.ts';
export { emitFamily } from './emit.ts';
export { FAULTS, bufKey, demand, scalarKey, sizeKey, strideKey, varKey } from './frame.ts';
export type { Indexing } from './frame.ts';
export { demandAll, interval, isNarrow } from './index-text.ts';
export { hostBounds, intervalOf } from './interval.ts';
export type { Interval } from './interval.ts';
export { isAligned } from './memory.ts';
export { bindLoopVar, blockOf, inside, isSimple, markWritten, printBranches, printRegion, trailing } from './printing.ts';
export type { Printing } from './printing.ts';
export { rangeOf, rangeOfType, unwrapped } from './ranges.ts';
export type { Range } from './ranges.ts';
export { noteVarying, varies } from './varying.ts';
export { helper } from './helper.ts';
export { NAMES, typedefs, typeOf, vectorName } from './types.ts';
