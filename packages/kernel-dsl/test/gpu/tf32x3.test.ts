/** Products of float32 by three products of tf32: held to float64 by the interpreter, and what nvcc makes of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { tf32 } from '../../src/instructions/index.ts';
import { axes, kernel, tensor } from '../../src/lang/index.ts';
import { hopperTf32x3, tf32Rest, tf32x3 } from '../../src/library/gpu/index.ts';
import type { Tf32x3 } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { NVCC } from './harness.ts';
import { ptxas } from './ptxas.ts';
import { atMost, same } from '../../../../tools/test/often.ts';

const sm90 = target('cuda-sm90a'), SMALL: Tf32x3 = { tile: [128, 64], stages: 2, persistent: { workgroups: 2, group: 2 } };
const scheduled = (o: Tf32x3): ScheduledKernel => schedule(tf32x3(o), sm90, (s, ax) => hopperTf32x3(s, ax, o));
const FORMS = { rows: tf32x3({ transposed: true }).ir, columns: tf32x3().ir };

/** C of A [M, K] and B [N, K]: by the algorithm, or by a scheduled program. */
function product(form: keyof typeof FORMS, [M, N, K]: readonly [number, number, number], a: Float32Array, b: Float32Array, ir = FORMS[form]): Float32Array {
  const none = (m: number, k: number): { data: Float32Array; shape: number[] } => ({ data: new Float32Array(m * k).fill(NaN), shape: [m, k] }), C = none(M, N);
  const B = form === 'rows' ? { data: b, shape: [N, K] } : { data: Float32Array.from({ length: K * N }, (_, i) => b[(i % N) * K + Math.floor(i / N)]!), shape: [K, N] };
  interpret(ir, { A: { data: a, shape: [M, K] }, B, A_rest: none(M, K), B_rest: none(N, K), ...(form === 'columns' && { B_rows: none(N, K) }), C });
  return C.data;
}

/** Numbers of both signs whose exponents lie in a range, from all bits of a float32. */
const numbers = (n: number, seed: number, low: number, high: number): Float32Array => {
  let x = seed | 1;
  const next = (): number => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return x >>> 0; };
  const words = Uint32Array.from({ length: n }, () => (((next() & 0x807fffff) | ((127 + low + (next() % (high - low + 1))) << 23)) >>> 0));
  return new Float32Array(words.buffer);
};

describe('a product of float32 by three of tf32', () => {
  it.each(['rows', 'columns'] as const)('is within its bound of float64: B in %s', (form) => {
    fc.assert(fc.property(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 70 })), fc.integer(), fc.constantFrom([-1, 0], [-50, 50], [50, 58]), ([M, N, K], seed, [low, high]) => {
      const a = numbers(M * K, seed, low!, high!), b = numbers(N * K, ~seed, low!, high!), c = product(form, [M, N, K], a, b);
      for (let q = 0; q < M * N; q++) {
        let want = 0, size = 0;
        for (let k = 0; k < K; k++) { const x = a[Math.floor(q / N) * K + k]! * b[(q % N) * K + k]!; want += x; size += Math.abs(x); }
        expect(Math.abs(c[q]! - want)).toBeLessThanOrEqual(size * 2 ** -24 * (K / 32 + 60));
      }
    }), { numRuns: 25 });
  });

  it('is scheduled without another order of sums', () => {
    const at = [5, 9, 37] as const, a = numbers(5 * 37, 1, -3, 3), b = numbers(9 * 37, 2, -3, 3), c = product('columns', at, a, b, scheduled(SMALL).ir);
    expect(c).toEqual(product('columns', at, a, b));
    expect(new Set(c).size).toBe(45);
  });

  it('keeps infinities, NaN, zeros and the largest numbers', () => {
    const MAX = 3.4028234663852886e38, left = [1, Infinity, -Infinity, NaN, MAX, -MAX, 0, -0, 1 + 2 ** -23, 2 ** -100], right = [1, 0, -2, Infinity, 0.5, 1 + 2 ** -12, NaN];
    // Each element of C has one product that is not of a zero with one.
    const c = product('rows', [left.length, right.length, 2], Float32Array.from(left.flatMap((x) => [x, 0])), Float32Array.from(right.flatMap((x) => [x, 1])));
    left.forEach((x, i) => right.forEach((y, j) => {
      const want = Math.fround(x * y), got = c[i * right.length + j]!;
      if (Number.isFinite(want) && want !== 0) expect(Math.abs(got - want) / Math.abs(want), `${x} * ${y}`).toBeLessThan(2 ** -19);
      else expect(got + 0, `${x} * ${y}`).toBe(want + 0); // of zeros, no sign
    }));
  });

  it('is proved, and asks for the products of a tile as one group', () => {
    const k = scheduled({ ...SMALL, transposed: true }).ir, { source } = emitGpu(lower(k, sm90), sm90), text = source.slice(source.indexOf('the others compute'));
    expect(verify(k).findings).toEqual([]);
    expect(text.match(/wgmma_m64n64k8_tf32\(part/g)).toHaveLength(12);
    expect(text.match(/wgmma_m64n64k8_tf32\(part, [^;]*, 0\);/g)).toHaveLength(1);
    expect(text.match(/wgmma_wait_0\(\)/g)).toHaveLength(1);
  });

  it.skipIf(!NVCC)('stays in registers', () => {
    const said = ptxas(emitGpu(lower(scheduled({ persistent: { workgroups: 132, group: 8 } }).ir, sm90), sm90).source);
    expect(said.match(/ 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads/g)).toHaveLength(3);
    expect(said).not.toMatch(/serialized|error|warning/i);
  });
});

describe('tf32Rest', () => {
  const k = kernel('rests', { x: tensor('f32', 'N'), high: tensor('f32', 'N').out(), low: tensor('f32', 'N').out() }, ({ x, high, low, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) {
      high.at(i).set(tf32(x.at(i)));
      low.at(i).set(tf32Rest(x.at(i)));
    }
    return ax;
  });
  it('and tf32 add up to the number, of any bits', () => {
    fc.assert(fc.property(fc.array(fc.nat(0xffffffff), { minLength: 50 }), (bits) => {
      const x = new Float32Array(Uint32Array.from(bits).buffer), n = x.length, high = new Float32Array(n), low = new Float32Array(n);
      interpret(k.ir, { x: { data: x, shape: [n] }, high: { data: high, shape: [n] }, low: { data: low, shape: [n] } });
      x.forEach((v, i) => {
        const sum = high[i]! + low[i]!, word = new Uint32Array(low.buffer)[i]!;
        if (!Number.isFinite(v)) { same(low[i], v); return; }
        atMost(Math.abs(sum - v), Math.abs(v) * (Math.abs(v) < 2 ** 127 ? 2 ** -22 : 2 ** -21) + 2 ** -136);
        same(Number.isFinite(Math.fround(sum)), true);
        same(word & 0x1fff, 0);
        same(Math.sign(low[i]!), Math.sign(v));
      });
    }), { numRuns: 40, examples: [[[0x7f7fffff, 0xff7fffff, 0x7f000000, 0, 0x80000000, 1, 0x807fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x3f800000, 0x3f801fff]]] });
  });
});
