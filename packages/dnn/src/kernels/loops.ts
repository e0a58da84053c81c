import type { Axis, Schedule } from '@quern/kernel-dsl';

/** Independent elements along one axis: vectors of `vectors` registers, then the rest one by one. Returns the loop over vectors. */
export function elementwise(s: Schedule, axis: Axis, vectors = 1): Axis {
  const [outer, lane] = s.split(axis, s.vec('f32') * vectors, { tail: 'peel' });
  s.vectorize(lane);
  return outer;
}

/** A sum (or maximum) over an axis into the register `name`: one partial result for each lane, `vectors` registers of them, the rest one by one. */
export function lanewise(s: Schedule, axis: Axis, name: string, vectors = 1): void {
  const [, lane] = s.split(axis, s.vec('f32') * vectors, { tail: 'peel' });
  s.rfactor(name, lane);
  s.vectorize(lane);
}
