import { complex, fft as forward, ifft as backward } from 'mathjs';
import type { Complex } from 'mathjs';

const pairs = (x: readonly number[]): Complex[] => Array.from({ length: x.length / 2 }, (_, i) => complex(x[2 * i]!, x[2 * i + 1]!));
const flat = (x: readonly (Complex | number)[]): number[] => x.flatMap((z) => (typeof z === 'number' ? [z, 0] : [z.re, z.im]));

/** The discrete Fourier transform of complex numbers, given and returned as re, im, re, im, …: X[k] = sum of x[j] exp(-2 pi i j k / n). */
export const fft = (x: readonly number[]): number[] => (x.length === 0 ? [] : flat(forward(pairs(x)) as Complex[]));
/** The inverse of {@link fft}, divided by n. */
export const ifft = (x: readonly number[]): number[] => (x.length === 0 ? [] : flat(backward(pairs(x)) as Complex[]));
