import type { Instruction } from '../ir/index.ts';
import { axes, kernel, scalar, tensor, when } from '../lang/index.ts';
import { bf16Dot, intDot } from './dot.ts';
import { instr } from './instr.ts';

/** dst[l] = src[l] for the first n of 16 floats, 0 behind them: a load that does not touch what is behind. */
export const masked_load_f32x16: Instruction = instr({
  name: 'masked_load_f32x16', needs: ['avx512f'], operands: { src: 'pointer', dst: 'vector' },
  meaning: () => kernel('masked_load_f32x16', { src: tensor('f32', 16), dst: tensor('f32', 16).out(), n: scalar('i64') }, ({ src, dst, n }) => {
    const ax = axes({ l: 16 });
    for (const l of ax.l) when(l.lt(n), () => dst.at(l).set(src.at(l)), () => dst.at(l).set(0));
    return ax;
  }),
  emit: { c: 'return (f32x16)_mm512_maskz_loadu_ps(n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1), src);' },
});

/** dst[l] = src[l] for the first n of 16 floats: a store that leaves what is behind alone. */
export const masked_store_f32x16: Instruction = instr({
  name: 'masked_store_f32x16', needs: ['avx512f'], operands: { src: 'pointer', dst: 'pointer' },
  meaning: () => kernel('masked_store_f32x16', { src: tensor('f32', 16), dst: tensor('f32', 16).inout(), n: scalar('i64') }, ({ src, dst, n }) => {
    const ax = axes({ l: 16 });
    for (const l of ax.l) when(l.lt(n), () => dst.at(l).set(src.at(l)));
    return ax;
  }),
  emit: {
    c: ['const __mmask16 m = n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);', '_mm512_mask_storeu_ps(dst, m, _mm512_maskz_loadu_ps(m, src));'],
  },
});

/** c[l] += four products of unsigned bytes of a, the same for all 16 lanes, with signed bytes of b; exact, wrapping in 32 bits. */
export const vpdpbusd_i32x16: Instruction = instr({
  name: 'vpdpbusd_i32x16', needs: ['avx512_vnni'], operands: { a: 'word', b: 'vector', c: 'vector' }, meaning: () => intDot('vpdpbusd_i32x16', 'u8', 'i8', 16),
  emit: { c: 'return (i32x16)_mm512_dpbusd_epi32((__m512i)c, _mm512_set1_epi32((int32_t)a), (__m512i)b);' },
});

/** c[l] += two products of bf16 of a, the same for all 16 lanes, with those of b. Added in an order of its own; denormal numbers count as zero. */
export const vdpbf16ps_f32x16: Instruction = instr({
  name: 'vdpbf16ps_f32x16', needs: ['avx512_bf16'], operands: { a: 'word', b: 'vector', c: 'vector' }, meaning: () => bf16Dot('vdpbf16ps_f32x16', 16), exact: false,
  emit: { c: 'return (f32x16)_mm512_dpbf16_ps((__m512)c, (__m512bh)_mm512_set1_epi32((int32_t)a), (__m512bh)b);', includes: ['immintrin.h'] },
});

/** The instructions of x86-64-v4 and its extensions. */
export const AVX512: readonly Instruction[] = [masked_load_f32x16, masked_store_f32x16];
/** What x86-64-v4-vnni adds. */
export const VNNI: readonly Instruction[] = [vpdpbusd_i32x16];
/** What x86-64-v4-bf16 adds. */
export const AVX512_BF16: readonly Instruction[] = [vdpbf16ps_f32x16];
