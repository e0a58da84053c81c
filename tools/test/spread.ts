/**
 * `npm test` runs every kernel and every operation, but not on every instruction set with every dtype by every compiler: it takes some of each
 * such product, another part for each kernel. `npm run test:all` sets QUERN_FULL and runs the whole of it.
 */
export const FULL: boolean = process.env['QUERN_FULL'] !== undefined;

/**
 * Some `n` of a list, as far apart in it as can be; all of it with QUERN_FULL.
 *
 * @param turn which part: callers pass the place of a kernel in its list, so that the kernels together meet everything in `all`
 */
export function spread<T>(all: readonly T[], n: number, turn = 0): readonly T[] {
  if (FULL || all.length <= n) return all;
  return Array.from({ length: n }, (_, i) => all[(turn + Math.floor((i * all.length) / n)) % all.length]!);
}

/** How many random cases: a third of `n`, all of them with QUERN_FULL. */
export const runs = (n: number): number => (FULL ? n : Math.ceil(n / 3));

/** A target whose C is compiled at -O1, which takes half of the time where there is much of it; with QUERN_FULL the target as it ships. */
export const quickly = <T extends { readonly cflags: readonly string[] }>(t: T): T => (FULL ? t : { ...t, cflags: t.cflags.map((f) => (f === '-O2' ? '-O1' : f)) });
