/** The right answers from mathjs, in double precision, in the form that `conform` takes. */
export { add, dot, multiply, scale } from './linear.ts';
export { softmax } from './softmax.ts';
export { fft, ifft } from './fourier.ts';
export { fromRows, rows, vector } from './arrays.ts';
