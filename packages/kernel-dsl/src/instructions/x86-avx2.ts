import type { Instruction } from '../ir/index.ts';
import { axes, fma, kernel, tensor } from '../lang/index.ts';
import { instr } from './instr.ts';

const fmaOf = (T: 'f32' | 'f64', lanes: number, register: string, call: string): Instruction => instr({
  name: `vfmadd_${T}x${lanes}`, needs: ['fma'], operands: { a: 'vector', b: 'vector', c: 'vector' },
  meaning: () => kernel(`vfmadd_${T}x${lanes}`, { a: tensor(T, lanes), b: tensor(T, lanes), c: tensor(T, lanes).inout() }, ({ a, b, c }) => {
    const ax = axes({ l: lanes });
    for (const l of ax.l) c.at(l).set(fma(a.at(l), b.at(l), c.at(l)));
    return ax;
  }),
  emit: { c: `return (${T}x${lanes})${call}((${register})a, (${register})b, (${register})c);` },
});

/** c = a * b + c, rounded once, over 8 floats. */
export const vfmadd_f32x8: Instruction = fmaOf('f32', 8, '__m256', '_mm256_fmadd_ps');
/** c = a * b + c, rounded once, over 4 doubles. */
export const vfmadd_f64x4: Instruction = fmaOf('f64', 4, '__m256d', '_mm256_fmadd_pd');

/** Products of 16-bit integers, added in pairs: c[l] += a[l, 0] * b[l, 0] + a[l, 1] * b[l, 1], exact. */
export const vpmaddwd_i32x8: Instruction = instr({
  name: 'vpmaddwd_i32x8', needs: ['avx2'], operands: { a: 'vector', b: 'vector', c: 'vector' },
  meaning: () => kernel('vpmaddwd_i32x8', { a: tensor('i16', 8, 2), b: tensor('i16', 8, 2), c: tensor('i32', 8).inout() }, ({ a, b, c }) => {
    const ax = axes({ l: 8, q: 2 });
    for (const l of ax.l) for (const q of ax.q) c.at(l).addAssign(a.at(l, q).to('i32').mul(b.at(l, q).to('i32')));
    return ax;
  }),
  emit: { c: 'return c + (i32x8)_mm256_madd_epi16((__m256i)a, (__m256i)b);' },
});

/** The instructions of x86-64-v3. */
export const AVX2: readonly Instruction[] = [vfmadd_f32x8, vfmadd_f64x4, vpmaddwd_i32x8];
