import type { LaneMarks, LaneShadow, Memory } from './memory.ts';
import { indexAt } from './race.ts';
import { raise } from './site.ts';
import type { Site } from './site.ts';

/** How a lane touched a cell. */
type Touch = 'written' | 'read' | 'atomically updated';

/**
 * What the lanes of the workgroup at hand do to memory that they share. Two lanes may touch a cell, one of them writing, only with a barrier between:
 * then the epoch differs. Barriers of a subgroup separate its own lanes only.
 */
export interface LaneScope {
  /** The lane that runs. */
  lane: number;
  /** Lanes of a subgroup. */
  readonly subgroup: number;
  /** Counts workgroups and barriers. */
  epoch: number;
  /** Barriers of each subgroup; they never repeat a number. */
  readonly subEpoch: Float64Array;
}

/** Most lanes of a workgroup. */
export const MOST_LANES = 1024;

export const laneScope = (subgroup: number): LaneScope => ({ lane: -1, subgroup, epoch: 1, subEpoch: new Float64Array(MOST_LANES) });

const marks = (n: number): LaneMarks => ({ lane: new Int32Array(n), epoch: new Float64Array(n), sub: new Float64Array(n) });

function shadowOf(m: Memory): LaneShadow {
  const x = m.shadow;
  return x && x.written.lane.length >= m.span ? x : m.shadow = { written: marks(m.span), read: [marks(m.span), marks(m.span)], updated: undefined };
}

const groupOf = (s: LaneScope, lane: number): number => Math.floor(lane / s.subgroup);

/** The other lane that touched the cell since the last barrier that separates it from this one. */
function other(s: LaneScope, k: LaneMarks, c: number): number | undefined {
  if (k.epoch[c] !== s.epoch || k.lane[c] === s.lane) return undefined;
  const lane = k.lane[c]!;
  const g = groupOf(s, lane);
  return g === groupOf(s, s.lane) && k.sub[c] !== s.subEpoch[g] ? undefined : lane;
}

function mark(s: LaneScope, k: LaneMarks, c: number): void {
  k.lane[c] = s.lane;
  k.epoch[c] = s.epoch;
  k.sub[c] = s.subEpoch[groupOf(s, s.lane)]!;
}

/** Remembers a lane in the first place that is free, its own, or out of date. */
function note(s: LaneScope, [a, b]: readonly [LaneMarks, LaneMarks], c: number): void {
  mark(s, other(s, a, c) === undefined ? a : b, c);
}

/** The check that an access of memory shared by lanes makes. */
export function onLane(s: LaneScope, m: Memory, site: Site, touch: Touch): (at: number) => void {
  const clash = (k: LaneMarks, first: Touch, at: number): void => {
    const lane = other(s, k, at - m.lo);
    if (lane === undefined) return;
    const index = indexAt(m, at);
    raise(site, 'KD-RUN-RACE', `${m.buf.name}[${index.join(', ')}] is ${first} by lane ${lane} and ${touch} by lane ${s.lane} of the workgroup, with no barrier between`,
      { buffer: m.buf.name, index, fix: 'Put barrier() between the two, or let each lane touch cells of its own.' });
  };
  if (touch === 'atomically updated') return (at) => {
    const x = shadowOf(m), c = at - m.lo;
    clash(x.written, 'written', at);
    for (const k of x.read) clash(k, 'read', at);
    note(s, x.updated ??= [marks(m.span), marks(m.span)], c);
  };
  const writes = touch === 'written';
  return (at) => {
    const x = shadowOf(m), c = at - m.lo, { written, read, updated } = x, [first, second] = read;
    if (written.epoch[c] === s.epoch) clash(written, 'written', at);
    if (updated) for (const k of updated) clash(k, 'atomically updated', at);
    if (!writes) { note(s, read, c); return; }
    if (first.epoch[c] === s.epoch) clash(first, 'read', at);
    if (second.epoch[c] === s.epoch) clash(second, 'read', at);
    mark(s, written, c);
  };
}
