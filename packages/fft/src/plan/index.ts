/** A transform as data: its checked specification, its radices, and the launches of kernels that compute it. */
export { checkAlias, checkArray, checkSpec, scaleOf } from './spec.ts';
export type { ComplexArray, FftSpec, FullSpec, Norm } from './spec.ts';
export { factor } from './factor.ts';
export type { Factor } from './factor.ts';
export { launchPlan } from './launches.ts';
export type { Launch, LaunchPlan, Place, Table, View } from './launch.ts';
