/** Codelets: discrete Fourier transforms without loops, of any number of points. */
export { dft } from './dft.ts';
