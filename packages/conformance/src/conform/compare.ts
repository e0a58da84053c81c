import type { InterpretArg, KernelIR, TensorArg, ir } from '@quern/kernel-dsl';
import type { Bounds } from '../bound/index.ts';
import { FILL } from '../cases/index.ts';
import type { Trial } from '../cases/index.ts';
import { decoded, eachElement, sameBits } from '../memory/index.ts';
import { Fault } from './error.ts';
import type { Mismatch } from './error.ts';
import type { Bound, OracleArg } from './options.ts';

type Args = Readonly<Record<string, InterpretArg>>;
type Place = Pick<Mismatch, 'backend' | 'isa'>;

/** Counts of what was compared. */
export interface Tally { exact: number; bounded: number; unbounded: number; worst: number }
export const tally = (): Tally => ({ exact: 0, bounded: 0, unbounded: 0, worst: 0 });

/** The index of element number i. */
export function indexOf(i: number, shape: readonly number[]): number[] {
  const out = shape.map(() => 0);
  for (let d = shape.length - 1, rest = i; d >= 0; d--) {
    out[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return out;
}

const outputs = (k: KernelIR): ir.Buffer[] => k.params.flatMap((p) => (p.kind === 'tensor' && p.buf.access !== 'in' ? [p.buf] : []));

/** What no element holds must be as it was, and so must every tensor that is only read. */
export function checkUntouched(k: KernelIR, before: Args, after: Args, at: Place): void {
  for (const p of k.params) {
    if (p.kind === 'scalar') continue;
    const a = before[p.name] as TensorArg, b = after[p.name] as TensorArg, t = p.buf.dtype, mine = elementsAt(a);
    for (let position = 0; position < a.data.length; position++) {
      const i = mine[position]!;
      if ((i >= 0 && p.buf.access !== 'in') || sameBits(a.data[position]!, b.data[position]!, t)) continue;
      const values = { expected: shown(a.data[position]!, t), got: shown(b.data[position]!, t) };
      if (i >= 0) throw new Fault({ ...at, param: p.name, index: indexOf(i, a.shape), what: `wrote to ${p.name}, which is only read`, ...values });
      const first = mine.findIndex((x) => x >= 0), last = mine.findLastIndex((x) => x >= 0);
      const where = first < 0 ? 'which is empty' : position < first ? `${first - position} elements before the first` : position > last ? `${position - last} elements after the last` : 'between its rows';
      throw new Fault({ ...at, param: p.name, what: `wrote outside of ${p.name}, ${where}`, ...values });
    }
  }
}
/** The number of the element at each position of an array, -1 where there is none. */
function elementsAt(a: TensorArg): Int32Array {
  const mine = new Int32Array(a.data.length).fill(-1);
  eachElement(a, (i, position) => { mine[position] = i; });
  return mine;
}

/** Every output must have the same bits. */
export function checkBits(k: KernelIR, want: Args, got: Args, at: Place, than: string, counts: Tally): void {
  for (const buf of outputs(k)) {
    const a = want[buf.name] as TensorArg, b = got[buf.name] as TensorArg;
    eachElement(a, (i, position) => {
      counts.exact++;
      const x = a.data[position]!, y = b.data[position]!;
      if (sameBits(x, y, buf.dtype)) return;
      const stale = y === toEntry(FILL[buf.dtype], y) && buf.access === 'out' ? ' (it was never written)' : '';
      throw new Fault({ ...at, param: buf.name, index: indexOf(i, a.shape), what: `differs from ${than}${stale}`, expected: shown(x, buf.dtype), got: shown(y, buf.dtype), bound: 0 });
    });
  }
}
const toEntry = (x: number, like: number | bigint): number | bigint => (typeof like === 'bigint' ? BigInt(x) : x);
const shown = (x: number | bigint, t: ir.DType): number | bigint => (typeof x === 'bigint' ? x : decoded(x, t));

/** Values that results may lie around, each with a bound; Infinity where nothing can be said. */
export interface Around { readonly value: ArrayLike<number>; readonly error: (i: number) => number }

/** What every output is held to: the caller's bound around the algorithm's result, or the computed one around the value in doubles. */
export function boundsAround(k: KernelIR, algorithm: Args, trial: Trial, computed: Bounds | undefined, bound: Bound | undefined, seen: Readonly<Record<string, OracleArg>>): ReadonlyMap<string, Around> {
  return new Map(outputs(k).map((buf): [string, Around] => {
    if (bound === undefined) {
      const c = computed?.get(buf.name);
      // Of doubles the computed value has an error of its own, at most as large.
      const slack = buf.dtype === 'f64' ? 2 : 1 + 1e-6;
      return [buf.name, { value: c?.value ?? [], error: (i) => (c ? c.error[i]! * slack : Infinity) }];
    }
    const a = algorithm[buf.name] as TensorArg, value: number[] = [];
    eachElement(a, (_, p) => value.push(decoded(a.data[p]!, buf.dtype)));
    return [buf.name, { value, error: (i) => bound({ param: buf.name, element: i, index: indexOf(i, a.shape), expected: value[i]!, args: seen, sizes: trial.sizes }) }];
  }));
}

/** Every output must lie within its bound and `slack`. */
export function checkNear(k: KernelIR, around: ReadonlyMap<string, Around>, got: Args, at: Place, than: string, counts: Tally, slack = 0): void {
  for (const buf of outputs(k)) {
    const b = got[buf.name] as TensorArg, near = around.get(buf.name);
    if (!near) continue;
    eachElement(b, (i, position) => {
      const bound = near.error(i) + slack, want = near.value[i]!, y = decoded(b.data[position]!, buf.dtype);
      if (bound === Infinity) { counts.unbounded++; return; }
      counts.bounded++;
      if (Number.isFinite(want) ? Math.abs(y - want) <= bound : Object.is(y, want)) {
        if (bound > 0) counts.worst = Math.max(counts.worst, Math.abs(y - want) / bound || 0);
        return;
      }
      const stale = buf.access === 'out' && b.data[position] === toEntry(FILL[buf.dtype], b.data[position]!) ? ' (it was never written)' : '';
      throw new Fault({ ...at, param: buf.name, index: indexOf(i, b.shape), what: `is too far from ${than}${stale}`, expected: want, got: y, bound });
    });
  }
}
