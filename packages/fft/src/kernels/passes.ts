import { axes, kernel, scalar, tensor, when, writeCodelet } from '@quern/kernel-dsl';
import type { Axis, Kernel, Val } from '@quern/kernel-dsl';
import { dft } from '../codelets/index.ts';
import type { ComplexVal, Real } from '@quern/kernel-dsl';

/** The loops of a pass: P in parallel around Q around the lanes of a vector. */
export type PassAxes = { readonly p: Axis<'p'>; readonly q: Axis<'q'>; readonly v: Axis<'v'> };

/** x * w, complex. */
const times = <T extends Real>(x: ComplexVal<T>, w: ComplexVal<T>): ComplexVal<T> =>
  ({ re: x.re.mul(w.re).sub(x.im.mul(w.im)), im: x.re.mul(w.im).add(x.im.mul(w.re)) });

/*
 * A transform of n = r1 r2 ... points is a Stockham sequence of passes (decimation in time): no bit reversal, every pass reads and writes in order.
 * After the passes so far, l is the product of their radices and s = n / l; the data is y[j s + k], j < l, k < s: l points of the transforms of s
 * interleaved subsequences. A pass of radix r takes l to l r and s to s' = s / r:
 *
 *     y'[(j + l c) s' + k] = sum over u < r of exp(-2 pi i u c / r) * w[j u] * y[j s + u s' + k],    w[m] = exp(-2 pi i m / (l r))
 *
 * The first pass (l = 1) has no twiddles and separates real and imaginary parts; the last one (s' = 1) joins them again. Between, vectors run
 * along k and twiddles are the same for all lanes; in the last pass they run along j.
 *
 * Row u = 0 of the inputs (of the outputs, in the last pass) is a tensor of its own. Passed with a negative stride, the other rows come in reverse
 * order, and the codelet computes the backward transform: one kernel serves both directions.
 */

/** The first pass: reads interleaved complex numbers, writes the parts apart. */
export function firstPass<T extends Real>(name: string, dtype: T, radix: number, lanes: number): Kernel<PassAxes> {
  return kernel(name, {
    x0: tensor(dtype, 'P', 'Q', 2 * lanes), x: tensor(dtype, 'P', 'Q', radix - 1, 2 * lanes),
    y: tensor(dtype, 'P', 'Q', 2, radix, lanes).out(),
  }, ({ x0, x, y, P, Q }) => {
    const ax = axes({ p: P, q: Q, v: lanes });
    for (const p of ax.p) for (const q of ax.q) for (const v of ax.v) {
      const re = v.mul(2), im = re.add(1);
      writeCodelet(dft(radix), dtype, (u) => (u === 0 ? { re: x0.at(p, q, re), im: x0.at(p, q, im) } : { re: x.at(p, q, u - 1, re), im: x.at(p, q, u - 1, im) }), (c, b) => {
        y.at(p, q, 0, c, v).set(b.re);
        y.at(p, q, 1, c, v).set(b.im);
      });
    }
    return ax;
  });
}

/**
 * A pass in the middle: parts apart on both sides. `tw` holds the twiddles of rows 1 .. radix - 1 in the order of the rows of `x`, as complex numbers:
 * w[j u], or w[j (radix - u)] when the rows are reversed.
 */
export function middlePass<T extends Real>(name: string, dtype: T, radix: number, lanes: number): Kernel<PassAxes & { readonly k: Axis<'k'> }> {
  return kernel(name, {
    x0: tensor(dtype, 'P', 'Q', 2, 'K', lanes), x: tensor(dtype, 'P', 'Q', 2, radix - 1, 'K', lanes), tw: tensor(dtype, 'P', 'Q', 2 * (radix - 1)),
    y: tensor(dtype, 'P', 'Q', 2, radix, 'K', lanes).out(),
  }, ({ x0, x, tw, y, P, Q, K }) => {
    const ax = axes({ p: P, q: Q, k: K, v: lanes });
    for (const p of ax.p) for (const q of ax.q) for (const k of ax.k) for (const v of ax.v) {
      const w = (u: number): ComplexVal<T> => ({ re: tw.at(p, q, 2 * u - 2), im: tw.at(p, q, 2 * u - 1) });
      writeCodelet(dft(radix), dtype, (u) => (u === 0 ? { re: x0.at(p, q, 0, k, v), im: x0.at(p, q, 1, k, v) } : times({ re: x.at(p, q, 0, u - 1, k, v), im: x.at(p, q, 1, u - 1, k, v) }, w(u))), (c, b) => {
        y.at(p, q, 0, c, k, v).set(b.re);
        y.at(p, q, 1, c, k, v).set(b.im);
      });
    }
    return ax;
  });
}

/**
 * The last pass: parts apart in, interleaved complex numbers out. `tw` holds scale * w[j u] for u = 1 .. radix - 1, a vector of real parts and one of
 * imaginary parts each, along j; `scale` multiplies what has no twiddle.
 */
export function lastPass<T extends Real>(name: string, dtype: T, radix: number, lanes: number): Kernel<PassAxes> {
  return kernel(name, {
    x: tensor(dtype, 'P', 'Q', 2, radix * lanes), tw: tensor(dtype, 'P', 'Q', 2 * (radix - 1) * lanes), scale: scalar(dtype),
    y0: tensor(dtype, 'P', 'Q', 2 * lanes).out(), y: tensor(dtype, 'P', 'Q', radix - 1, 2 * lanes).out(),
  }, ({ x, tw, scale, y0, y, P, Q }) => {
    const ax = axes({ p: P, q: Q, v: lanes });
    for (const p of ax.p) for (const q of ax.q) for (const v of ax.v) {
      const re = v.mul(2), im = re.add(1), w = (u: number, part: number): Val<T> => tw.at(p, q, v.add((2 * u - 2 + part) * lanes));
      writeCodelet(dft(radix), dtype, (u) => {
        const at = v.mul(radix).add(u), a = { re: x.at(p, q, 0, at), im: x.at(p, q, 1, at) };
        return u === 0 ? { re: a.re.mul(scale), im: a.im.mul(scale) } : times(a, { re: w(u, 0), im: w(u, 1) });
      }, (c, b) => {
        if (c === 0) {
          y0.at(p, q, re).set(b.re);
          y0.at(p, q, im).set(b.im);
        } else {
          y.at(p, q, c - 1, re).set(b.re);
          y.at(p, q, c - 1, im).set(b.im);
        }
      });
    }
    return ax;
  });
}

/**
 * Whole transforms of a few points, one after another: codelets with nothing around them. With `backward` other than 0, real and imaginary parts change
 * places on both sides, which makes it the backward transform.
 */
export function smallTransform<T extends Real>(name: string, dtype: T, n: number): Kernel<{ readonly p: Axis<'p'> }> {
  return kernel(name, { x: tensor(dtype, 'P', 2 * n), backward: scalar('i32'), scale: scalar(dtype), y: tensor(dtype, 'P', 2 * n).out() }, ({ x, backward, scale, y, P }) => {
    const ax = axes({ p: P });
    for (const p of ax.p) {
      eitherWay(backward, (re, im) => writeCodelet(dft(n), dtype, (t) => ({ re: x.at(p, 2 * t + re), im: x.at(p, 2 * t + im) }), (k, b) => {
        y.at(p, 2 * k + re).set(b.re.mul(scale));
        y.at(p, 2 * k + im).set(b.im.mul(scale));
      }));
    }
    return ax;
  });
}

/** The same, as many transforms at once as a vector has lanes: element t of lane v is number v n + t of a block. */
export function batchTransform<T extends Real>(name: string, dtype: T, n: number, lanes: number): Kernel<{ readonly p: Axis<'p'>; readonly v: Axis<'v'> }> {
  return kernel(name, { x: tensor(dtype, 'P', 2 * n * lanes), backward: scalar('i32'), scale: scalar(dtype), y: tensor(dtype, 'P', 2 * n * lanes).out() }, ({ x, backward, scale, y, P }) => {
    const ax = axes({ p: P, v: lanes });
    for (const p of ax.p) for (const v of ax.v) {
      const at = (t: number, part: number): Val<'i64'> => v.mul(2 * n).add(2 * t + part);
      eitherWay(backward, (re, im) => writeCodelet(dft(n), dtype, (t) => ({ re: x.at(p, at(t, re)), im: x.at(p, at(t, im)) }), (k, b) => {
        y.at(p, at(k, re)).set(b.re.mul(scale));
        y.at(p, at(k, im)).set(b.im.mul(scale));
      }));
    }
    return ax;
  });
}

/** Writes code twice: for real parts first, and for parts in each other's place. */
function eitherWay(backward: Val<'i32'>, write: (re: 0 | 1, im: 0 | 1) => void): void {
  when(backward.eq(0), () => write(0, 1), () => write(1, 0));
}
