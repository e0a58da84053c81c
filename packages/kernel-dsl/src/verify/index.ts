/** Proofs about kernels of every phase: accesses stay in bounds, parallel iterations apart, memory is written before it is read; else a counterexample. */
export { requireVerified, verify } from './verify.ts';
export type { Verdict } from './verify.ts';
export { errorOf } from './finding.ts';
export type { Finding, FindingId } from './finding.ts';
export type { Counterexample } from './search.ts';
