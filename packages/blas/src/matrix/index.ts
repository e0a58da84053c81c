/** Matrices as callers give them, and as views with every element checked to lie in memory. */
export { type Mat, type Matrix, type Real } from './mat.ts';
export { checkOutput, transposed, type View, view } from './view.ts';
