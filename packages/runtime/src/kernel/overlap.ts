/** The elements of one operand: their places in bytes within memory that is known to be the same. */
export interface Extent {
  readonly shape: readonly number[];
  /** In elements. */
  readonly strides: readonly number[];
  readonly elementBytes: number;
  /** Bytes from the start of the memory to element 0. */
  readonly start: number;
  /** First byte touched, and the one after the last; equal when there is none. */
  readonly low: number;
  readonly high: number;
}

interface Lattice {
  /** Lowest byte. */
  readonly low: number;
  /** Dimensions longer than 1 as steps in bytes, largest first; directions do not matter to the set of places. */
  readonly dims: readonly { readonly n: number; readonly step: number }[];
}

function lattice(e: Extent): Lattice {
  const dims = e.shape.map((n, d) => ({ n, step: Math.abs((e.strides[d] ?? 0) * e.elementBytes) })).filter((d) => d.n > 1);
  return { low: e.low, dims: dims.sort((a, b) => b.step - a.step) };
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Whether two elements of one operand surely lie apart: each step is larger than all that the smaller ones reach. */
export function selfDistinct(e: Extent): boolean {
  if (e.low === e.high) return true;
  let reach = e.elementBytes;
  for (const { n, step } of lattice(e).dims.toReversed()) {
    if (step < reach) return false;
    reach += (n - 1) * step;
  }
  return true;
}

/**
 * Whether two operands over one memory may share a byte. Never says no wrongly. Exact for what programs do: separate
 * ranges, blocks and columns of one matrix, interleaved views.
 */
export function mayOverlap(a: Extent, b: Extent): boolean {
  if (a.low >= b.high || b.low >= a.high || a.low === a.high || b.low === b.high) return false;
  const la = lattice(a);
  const lb = lattice(b);
  // Every place is low + multiples of the steps. Modulo a pitch (a step, or what divides them all) the wider steps vanish,
  // and what is left are the columns that an operand occupies.
  const steps = [...la.dims, ...lb.dims].map((d) => d.step).filter((step) => step > 0);
  const pitches = new Set([steps.reduce(gcd, 0), ...steps]);
  pitches.delete(0);
  return ![...pitches].some((pitch) => columnsApart(la, lb, a.elementBytes, b.elementBytes, pitch));
}

/** Whether ranges of lengths la and lb, the second starting `shift` after the first, never meet on a circle of length `circle`. */
function apart(shift: number, la: number, lb: number, circle: number): boolean {
  const at = ((shift % circle) + circle) % circle;
  return la + lb <= circle && at >= la && at + lb <= circle;
}

/** Whether the two, taken modulo a pitch, occupy columns that do not meet. Steps that are multiples of it only change rows. */
function columnsApart(a: Lattice, b: Lattice, bytesA: number, bytesB: number, pitch: number): boolean {
  const width = (l: Lattice, bytes: number): number => l.dims.reduce((sum, d) => (d.step % pitch === 0 ? sum : sum + (d.n - 1) * d.step), bytes);
  return apart(b.low - a.low, width(a, bytesA), width(b, bytesB), pitch);
}
