import type { GpuModule } from '@quern/kernel-dsl/gpu';
import type { GpuBuffer, GpuDriver } from '../driver/index.ts';

/** What launches print where the device itself does not: `printedLines` of the kernel language. */
export type ReadPrinted = (m: GpuModule, words: Uint32Array) => { readonly lines: readonly string[]; readonly lost: number };

/** Bytes of a print buffer, as many as CUDA has for it. */
const ROOM = 1 << 20;

/** The print buffers of a kernel: lines that its launches leave there go to the standard error (in browsers, to the console) at the next wait. */
export interface Printer {
  /** The buffer for a module's records. */
  buffer(m: GpuModule): GpuBuffer;
  /** A launch of this module is being asked for. */
  expect(m: GpuModule): void;
  /** Frees the buffers, each once what it holds has been printed. */
  dispose(): void;
}

/** No buffer at first. @param name of the kernel, for messages */
export function printerOf(driver: GpuDriver, name: string, lines: ReadPrinted): Printer {
  interface Own { readonly buffer: GpuBuffer; awaited: boolean; given: boolean }
  const all = new Map<GpuModule, Own>();
  const own = (m: GpuModule): Own => {
    const known = all.get(m);
    if (known !== undefined) return known;
    const made: Own = { buffer: driver.alloc(ROOM), awaited: false, given: false };
    driver.fill(made.buffer, 0, 0, ROOM);
    all.set(m, made);
    return made;
  };
  const report = async (m: GpuModule, x: Own, read: GpuDriver['read']): Promise<void> => {
    x.awaited = false;
    // Read and emptied at once: launches that follow find it empty.
    const bytes = read(x.buffer, 0, ROOM);
    bytes.catch(() => undefined); // told where it is awaited, if nothing fails before
    driver.fill(x.buffer, 0, 0, ROOM);
    if (x.given) driver.free(x.buffer);
    const { buffer, byteOffset, byteLength } = await bytes, said = lines(m, new Uint32Array(buffer, byteOffset, byteLength / 4));
    for (const line of said.lines) console.error(line);
    if (said.lost > 0) console.error(`${name}: ${said.lost} more lines of print found no room in ${ROOM} bytes`);
  };
  return {
    buffer: (m) => own(m).buffer,
    expect(m) {
      const x = all.get(m);
      if (x === undefined || x.awaited) return;
      x.awaited = true;
      driver.whenWaited?.((read) => report(m, x, read));
    },
    dispose() {
      for (const x of all.values()) if (x.awaited) x.given = true; else driver.free(x.buffer);
      all.clear();
    },
  };
}
