import { ir } from '@quern/kernel-dsl';
import type { KernelIR, Step } from '@quern/kernel-dsl';

/** What a named size may be. */
export interface SizeHint {
  /** Default 0. */
  readonly min?: number;
  /** Default: what `work` leaves, at least enough for the largest factor twice. */
  readonly max?: number;
  /** Only multiples of this. */
  readonly multipleOf?: number;
}

/** Primes: sizes that nothing divides. */
const PRIMES = [2, 3, 5, 7, 13, 29, 61];

/** The factors by which a schedule split loops, from its steps. */
export function factorsOf(steps: readonly Step[]): number[] {
  const found = steps.flatMap((s) => {
    const m = /^split\(\w+, (\d+)/.exec(s.call);
    return m ? [Number(m[1])] : [];
  });
  return [...new Set(found)].filter((f) => f > 1).sort((a, b) => a - b);
}

/** Constants of index arithmetic and of loop bounds: where a kernel may change its ways. */
function constantsOf(k: KernelIR): number[] {
  const found = new Set<number>();
  const look = (e: ir.Expr): void => { if (e.kind === 'const' && e.dtype === 'i64' && Number.isInteger(e.value) && e.value > 1 && e.value <= 64) found.add(e.value); };
  ir.visitExprs(k.body, look);
  return [...found];
}

/**
 * Sizes at which mistakes show, ascending: nothing, one, around every factor and twice it, around constants of the algorithm, primes.
 * Products of two factors matter to loops that were split twice.
 */
export function interesting(factors: readonly number[], k: KernelIR): { readonly factor: readonly number[]; readonly other: readonly number[] } {
  const sorted = (xs: readonly number[]): number[] => [...new Set(xs)].filter((x) => x >= 0).sort((a, b) => a - b);
  return {
    factor: sorted([0, 1, ...factors.flatMap((f) => [f - 1, f, f + 1, 2 * f, 2 * f + 1])]),
    other: sorted([...PRIMES, ...constantsOf(k).flatMap((c) => [c, c + 1])]),
  };
}
