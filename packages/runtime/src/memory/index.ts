/** Memory outside JavaScript's heap: aligned allocations and files mapped for reading. */
export { type Advice, allocate, mapFile, Memory, memoryOf } from './memory.ts';
