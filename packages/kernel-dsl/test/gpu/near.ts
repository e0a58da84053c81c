import type { DType } from '../../src/ir/index.ts';
import type { TypedArray } from '../../src/run/index.ts';

const f32 = new Float32Array(1), u32 = new Uint32Array(f32.buffer);
/** The number of an f32 among all, in order. */
const rank = (x: number): number => { f32[0] = x; const u = u32[0]!; return u >= 0x80000000 ? 0x80000000 - u : u; };

/** Equal: integers and halves by bits; of f32, as far as `ulp` says, subnormal numbers may be 0. Any NaN equals any other. */
export function differs(got: TypedArray, want: TypedArray, i: number, t: DType, ulp: number, absolute: number): boolean {
  if (Object.is(got[i], want[i])) return false;
  if (typeof got[i] === 'bigint') return true;
  const g = Number(got[i]), w = Number(want[i]);
  if (t === 'f64') return !(Number.isNaN(g) && Number.isNaN(w));
  if (t === 'f32') {
    if (Number.isNaN(g) && Number.isNaN(w)) return false;
    if (g === 0 && w === 0) return ulp === 0;
    if (Math.abs(g - w) <= absolute) return false;
    return !(Math.abs(rank(g) - rank(w)) <= ulp) && !(ulp > 0 && Math.abs(w) < 2 ** -126 && g === 0);
  }
  const nan = (x: number): boolean => (t === 'f16' ? (x & 0x7fff) > 0x7c00 : t === 'bf16' ? (x & 0x7fff) > 0x7f80 : false);
  return !(nan(g) && nan(w));
}
