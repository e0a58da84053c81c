import type { Target } from '../targets/index.ts';
import type { GotoBlocks } from './goto.ts';

/** What a core has of the caches, in bytes. */
export interface CacheSizes { readonly l1d: number; readonly l2: number; readonly l3: number }

/**
 * Block sizes worth measuring for `goto`, from the registers of a target and the caches of a machine:
 * - Tiles of mr rows and v vectors: for each v, as many rows as leave registers for v loads of B, a broadcast of A (and a product, without fma), and
 *   half as many. At least eight sums stay under way, which hides the latency of an fma. Tall tiles load least, small ones waste least at edges;
 *   which pays more depends on how many loads a processor makes beside its multiplications.
 * - kc: a micro-panel of A takes up to half of L1.
 * - mc: about 24 rows or 64, in whole micro-panels: small, so that threads get even shares.
 * - nc: the packed block of B takes the L3 that a core has, at most 4 MB (1 MB where nothing is known).
 * Those with the fewest loads a multiplication come first.
 * @param bytes size of an element
 * @example gotoCandidates(target('x86-64-v3'), 4, { l1d: 32768, l2: 1 << 20, l3: 32 << 20 })[0] // { mr: 4, nr: 24, mc: 24, kc: 256, … }
 */
export function gotoCandidates(t: Target, bytes: number, caches: CacheSizes): readonly GotoBlocks[] {
  const lanes = t.vecBytes / bytes, l1 = caches.l1d || 32 << 10, block = Math.min(caches.l3 || 1 << 20, 4 << 20), spare = t.fma ? 1 : 2;
  const tiles = [1, 2, 3, 4, 5, 6].flatMap((v) => {
    const most = Math.min(16, Math.floor((t.vectorRegisters - spare - v) / v));
    return [most, most >> 1].filter((mr) => mr >= 1 && mr * v >= 8).map((mr) => ({ mr, v, loads: (mr + v) / (mr * v) }));
  }).sort((a, b) => a.loads - b.loads);
  return tiles.flatMap(({ mr, v }) => [256, 384, 512].filter((kc) => kc * mr * bytes <= l1 / 2).flatMap((kc) => {
    const nr = v * lanes, nc = Math.max(1, Math.floor(block / (kc * bytes * nr))) * nr;
    return [...new Set([24, 64].map((rows) => Math.max(1, Math.round(rows / mr)) * mr))].map((mc): GotoBlocks => ({ mr, nr, mc, kc, nc }));
  }));
}
