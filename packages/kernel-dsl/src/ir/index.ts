/** The intermediate representation: expressions, statements, kernels; builders, walks, printer and the spec of each phase. */
export * from './dtype.ts';
export * from './loc.ts';
export * from './expr.ts';
export * from './stmt.ts';
export * from './build.ts';
export * from './walk.ts';
export { dependsOn, differs } from './differs.ts';
export * from './affine.ts';
export * from './renew.ts';
export * from './print.ts';
export * from './spec.ts';
