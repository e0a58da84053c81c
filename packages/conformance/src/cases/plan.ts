import fc from 'fast-check';
import type { KernelIR } from '@quern/kernel-dsl';
import { below, oneOf, randomFrom } from './random.ts';
import { interesting } from './sizes.ts';
import type { SizeHint } from './sizes.ts';

/** How a tensor lies. */
interface Layout {
  /** Elements between the rows, and between whatever is further out. */
  readonly pad: number;
  /** Innermost stride less one; only where the parameter is strided. */
  readonly inner: number;
  /** Elements before the tensor. */
  readonly offset: number;
  /** The outermost dimension runs backwards. */
  readonly reversed: boolean;
  /** Columns first; only where the parameter is strided. */
  readonly transposed: boolean;
}

/** Everything that tells one run from another; small means simple, so that a failure can be made smaller. */
export interface Case {
  readonly sizes: Readonly<Record<string, number>>;
  readonly layouts: Readonly<Record<string, Layout>>;
  /** 0: small whole numbers, 1: ordinary, 2: with NaN, infinities, signed zeros, subnormals and extremes, 3: with signed zeros and large numbers. */
  readonly values: number;
  readonly seed: number;
}

/** All cases of a kernel: those that are always tried, and where more come from. */
export interface Plan {
  readonly always: readonly Case[];
  readonly arbitrary: fc.Arbitrary<Case>;
  /** Factors with a size too large for the work allowed: not covered. */
  readonly uncovered: readonly number[];
}

const MOST = 1 << 14;

/** Makes sizes small enough: the product of all stays within `work`; the last to shrink is the one at `keep`. */
function within(sizes: Record<string, number>, work: number, hints: Readonly<Record<string, SizeHint>>, keep?: string): Record<string, number> {
  const out = { ...sizes }, product = (): number => Object.values(out).reduce((a, b) => a * Math.max(1, b), 1);
  while (product() > work) {
    const least = (n: string): number => Math.max(1, hints[n]?.min ?? 0, hints[n]?.multipleOf ?? 1);
    const [n] = Object.entries(out).filter(([x, v]) => x !== keep && v > least(x)).sort((a, b) => b[1] - a[1])[0] ?? [];
    if (n === undefined) break;
    out[n] = Math.max(least(n), floorTo(Math.floor(out[n]! / 2), hints[n]?.multipleOf ?? 1));
  }
  return out;
}
const floorTo = (x: number, step: number): number => Math.floor(x / step) * step;

/** Plans the cases of a kernel whose schedules split by `factors`. `work` bounds the product of all sizes. */
export function planOf(k: KernelIR, factors: readonly number[], hints: Readonly<Record<string, SizeHint>>, work: number, seed: number): Plan {
  const { factor, other } = interesting(factors, k), r = randomFrom(seed), names = k.sizes;
  const top = Math.max(64, ...factors.map((f) => 2 * f + 1));
  const range = (n: string): { min: number; max: number; step: number } => {
    const h = hints[n] ?? {}, step = h.multipleOf ?? 1, min = Math.ceil((h.min ?? 0) / step) * step;
    return { min, max: Math.max(min, floorTo(Math.min(h.max ?? top, work, MOST), step)), step };
  };
  const allowed = (n: string, all: readonly number[]): number[] => {
    const { min, max, step } = range(n), hint = hints[n];
    const inside = new Set([...all.filter((x) => x >= min && x <= max && x % step === 0), ...(hint?.min === undefined ? [] : [min]), ...(hint?.max === undefined ? [] : [max])]);
    return inside.size > 0 ? [...inside] : [min];
  };
  const layout = (): Layout => ({ pad: oneOf(r, [0, 0, 1, 3]), inner: below(r, 3), offset: below(r, 4), reversed: r() < 0.2, transposed: r() < 0.3 });
  const layouts = (): Record<string, Layout> => Object.fromEntries(k.params.flatMap((p) => (p.kind === 'tensor' ? [[p.name, layout()]] : [])));
  const other1 = (n: string): number => oneOf(r, allowed(n, [...other, ...factor].filter((x) => x > 0)));
  const always: Case[] = [];
  for (const focus of names) {
    for (const at of allowed(focus, [...factor, ...other])) {
      const sizes = Object.fromEntries(names.map((n) => [n, n === focus ? at : other1(n)]));
      always.push({ sizes: within(sizes, work, hints, focus), layouts: layouts(), values: always.length % 3, seed: below(r, 1 << 20) });
    }
  }
  if (names.length === 0) for (let i = 0; i < 6; i++) always.push({ sizes: {}, layouts: layouts(), values: i % 3, seed: below(r, 1 << 20) });

  const sizeArb = (n: string): fc.Arbitrary<number> => {
    const { min, max, step } = range(n);
    return fc.integer({ min: min / step, max: max / step }).map((x) => x * step, (x) => (x as number) / step);
  };
  const layoutArb: fc.Arbitrary<Layout> = fc.record({ pad: fc.nat(3), inner: fc.nat(2), offset: fc.nat(3), reversed: fc.boolean(), transposed: fc.boolean() }, { noNullPrototype: true });
  const arbitrary = fc.record({
    sizes: fc.record(Object.fromEntries(names.map((n) => [n, sizeArb(n)])), { noNullPrototype: true }),
    layouts: fc.record(Object.fromEntries(k.params.flatMap((p) => (p.kind === 'tensor' ? [[p.name, layoutArb] as const] : []))), { noNullPrototype: true }),
    values: fc.nat(2), seed: fc.nat(1 << 20),
  }, { noNullPrototype: true });
  const reach = Math.max(0, ...names.map((n) => range(n).max));
  return {
    always, uncovered: names.length === 0 ? [] : factors.filter((f) => f > reach),
    arbitrary: arbitrary.map((c) => ({ ...c, sizes: within(c.sizes, work, hints) }), (c) => c as Case),
  };
}
