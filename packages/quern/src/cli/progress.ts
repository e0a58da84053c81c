/** A line on stderr that changes while something takes long. Nothing is shown for quick things, nor where nobody watches. */
export function progressLine(what: string): { update(done: number, total: number): void; end(): void } {
  const started = performance.now();
  let shown = false;
  return {
    update(done, total) {
      if (!process.stderr.isTTY || performance.now() - started < 300) return;
      shown = true;
      const width = 24, filled = Math.round((width * done) / Math.max(1, total));
      process.stderr.write(`\r${what} ${'#'.repeat(filled)}${'.'.repeat(width - filled)} ${done}/${total}`);
    },
    end() {
      if (shown) process.stderr.write('\r\x1b[K');
    },
  };
}
