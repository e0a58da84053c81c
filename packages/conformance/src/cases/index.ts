/** What a kernel is tried on: sizes around every split factor, layouts, values, and the arguments made from them. */
export { factorsOf, interesting } from './sizes.ts';
export type { SizeHint } from './sizes.ts';
export { makeArgs, MARGIN } from './args.ts';
export type { ArgHint, ArgSource, Trial } from './args.ts';
export { FILL } from './values.ts';
export { planOf } from './plan.ts';
export type { Case, Plan } from './plan.ts';
