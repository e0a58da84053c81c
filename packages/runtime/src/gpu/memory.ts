import type { GpuBuffer, GpuDriver } from '../driver/index.ts';

/** Memory of a kernel's own on a device. */
export interface OwnMemory {
  /**
   * A buffer of at least so many bytes, what it holds undefined. It belongs to whoever asked until it is given back, so that calls under way at the same
   * time and prepared ones never share one. Buffers of one purpose are used again.
   * @throws OutOfMemoryError
   */
  lend(purpose: string, bytes: number): GpuBuffer;
  /** The next call may have it: launches run in order. */
  giveBack(purpose: string, buffer: GpuBuffer): void;
  /** Frees all of it, lent or not. */
  dispose(): void;
}

/** No memory at first. */
export function ownMemory(driver: GpuDriver): OwnMemory {
  const idle = new Map<string, GpuBuffer[]>(), all = new Set<GpuBuffer>();
  return {
    lend(purpose, bytes) {
      const list = idle.get(purpose) ?? [], i = list.findIndex((b) => b.bytes >= bytes), known = list.splice(i < 0 ? 0 : i, 1)[0];
      if (i >= 0) return known!;
      // One that is too small gives way to one that is not.
      if (known !== undefined) { driver.free(known); all.delete(known); }
      const made = driver.alloc(Math.max(16, bytes));
      all.add(made);
      return made;
    },
    giveBack(purpose, buffer) {
      if (!buffer.freed) idle.set(purpose, [...idle.get(purpose) ?? [], buffer]);
    },
    dispose() {
      for (const b of all) driver.free(b);
      all.clear();
      idle.clear();
    },
  };
}
