import type { GpuBuffer, GpuGrid, GpuValue } from './driver.ts';

/** Buffers of launches that may not have ended, at most: then one waits for all before it. */
const MOST = 256;

/** What decides, launch by launch, which of them start early. */
export interface EarlyStarts {
  /** May this launch, the next one of the device, start while those before it end? */
  readonly next: (shape: GpuGrid, args: readonly GpuValue[]) => boolean;
  /** Something else was asked of the device: the next launch starts after it. */
  readonly other: () => void;
}

/**
 * Tells of each launch of a device, in order, whether it may start while those before it end. Such a launch waits for them in its text, but for what it reads early: none of them may write that. One
 * that does not start early ends the chain of those that did.
 */
export function earlyStarts(): EarlyStarts {
  const unsettled = new Set<GpuBuffer>();
  let between = true;
  return {
    next: (shape, args) => {
      const may = shape.overlap === true && !between && unsettled.size < MOST && !shape.early?.some((b) => unsettled.has(b));
      if (!may) unsettled.clear();
      between = false;
      for (const b of shape.writes ?? args.flatMap((a) => (a.kind === 'buffer' ? [a.buffer] : []))) unsettled.add(b);
      return may;
    },
    other: () => { between = true; },
  };
}
