import { blocked } from './blocked.ts';
import type { LaunchPlan } from './launch.ts';
import { ALONE } from './launch.ts';
import { straight } from './straight.ts';
import type { FullSpec } from './spec.ts';
import { scaleOf } from './spec.ts';

const LARGEST_SMALL = 32;
/** Points of the smallest transform that is done in blocks: from here on, passes over all of it would run at the speed of the second-level cache. */
const BLOCKED = 2 ** 13;

/**
 * The launches of a transform, for vectors of a machine. With `inPlace`, no launch writes `out` while another one has to read `in`.
 */
export function launchPlan(s: FullSpec, vecBytes: number, inPlace: boolean): LaunchPlan {
  if (s.n === 1 || s.batch === 0) return { factors: [], launches: [], tables: [], sizes: { a: 0, b: 0, tw: 0 } };
  if (s.n <= LARGEST_SMALL) return small(s);
  return s.n < BLOCKED ? straight(s, vecBytes, inPlace) : blocked(s, vecBytes);
}

/** A transform that is one codelet. */
function small(s: FullSpec): LaunchPlan {
  const { n, batch: P } = s, backward = s.sign === 1;
  return {
    factors: [], tables: [], sizes: { a: 0, b: 0, tw: 0 },
    launches: [{
      kernel: { role: 'small', dtype: s.dtype, n }, scale: scaleOf(s), alone: n * P < ALONE,
      views: {
        x0: { place: 'in', offset: 0, shape: [P, 2], strides: [2 * n, 1] },
        x: { place: 'in', offset: backward ? 2 * (n - 1) : 2, shape: [P, n - 1, 2], strides: [2 * n, backward ? -2 : 2, 1] },
        y: { place: 'out', offset: 0, shape: [P, n, 2], strides: [2 * n, 2, 1] },
      },
    }],
  };
}
