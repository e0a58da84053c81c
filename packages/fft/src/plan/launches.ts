import { lanesOf } from '../kernels/index.ts';
import { blocked } from './blocked.ts';
import { ALONE, view } from './launch.ts';
import type { Launch, LaunchPlan } from './launch.ts';
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
  if (s.n <= LARGEST_SMALL) return small(s, vecBytes);
  return s.n < BLOCKED ? straight(s, vecBytes, inPlace) : blocked(s, vecBytes);
}

/** Transforms that are one codelet: as many at once as a vector has lanes, and the rest one by one. */
function small(s: FullSpec, vecBytes: number): LaunchPlan {
  const { n, batch, dtype } = s, lanes = lanesOf({ vecBytes }, { dtype, narrow: false });
  const scalars = { backward: s.sign === 1 ? 1 : 0, scale: scaleOf(s) }, alone = n * batch < ALONE, blocks = Math.floor(batch / lanes);
  const part = (role: 'small' | 'batch', start: number, count: number, row: number): Launch => ({
    kernel: { role, dtype, n }, scalars, alone, views: { x: view('in', start, [count, row], [row, 1]), y: view('out', start, [count, row], [row, 1]) },
  });
  const launches = [part('batch', 0, blocks, 2 * n * lanes), part('small', 2 * n * lanes * blocks, batch - lanes * blocks, 2 * n)];
  return { factors: [], tables: [], launches: launches.filter((l) => l.views['x']!.shape[0]! > 0), sizes: { a: 0, b: 0, tw: 0 } };
}
