import type { GpuBuffer, GpuGrid, GpuValue } from './driver.ts';

/** Buffers of launches that may not have ended, at most: then one waits for all before it. */
const MOST = 256;

/**
 * Tells of each launch of a device, in order, whether it may start while those before it end. Such a launch waits for them in its text, but for what it reads early: none of them may write that. One
 * that does not start early ends the chain of those that did.
 */
export function earlyStarts(): (shape: GpuGrid, args: readonly GpuValue[]) => boolean {
  const unsettled = new Set<GpuBuffer>();
  return (shape, args) => {
    const may = shape.overlap === true && unsettled.size < MOST && !shape.early?.some((b) => unsettled.has(b));
    if (!may) unsettled.clear();
    for (const b of shape.writes ?? args.flatMap((a) => (a.kind === 'buffer' ? [a.buffer] : []))) unsettled.add(b);
    return may;
  };
}
