import type { Instruction } from '../ir/index.ts';
import { axes, fma, kernel, tensor } from '../lang/index.ts';
import { intBlock, intDot } from './dot.ts';
import { instr } from './instr.ts';

const includes = ['arm_neon.h'];

const fmla = (T: 'f32' | 'f64', lanes: number): Instruction => {
  const V = `float${T.slice(1)}x${lanes}_t`, name = `fmla_${T}x${lanes}`;
  return instr({
    name, needs: ['asimd'], operands: { a: 'vector', b: 'vector', c: 'vector' },
    meaning: () => kernel(name, { a: tensor(T, lanes), b: tensor(T, lanes), c: tensor(T, lanes).inout() }, ({ a, b, c }) => {
      const ax = axes({ l: lanes });
      for (const l of ax.l) c.at(l).set(fma(a.at(l), b.at(l), c.at(l)));
      return ax;
    }),
    emit: { c: `return (${T}x${lanes})vfmaq_${T}((${V})c, (${V})a, (${V})b);`, includes },
  });
};
/** c = a * b + c, rounded once, over 4 floats. */
export const fmla_f32x4: Instruction = fmla('f32', 4);
/** c = a * b + c, rounded once, over 2 doubles. */
export const fmla_f64x2: Instruction = fmla('f64', 2);

/** c[l] += four products of signed bytes, a the same for all 4 lanes; exact. */
export const sdot_i32x4: Instruction = instr({
  name: 'sdot_i32x4', needs: ['asimddp'], operands: { a: 'word', b: 'vector', c: 'vector' }, meaning: () => intDot('sdot_i32x4', 'i8', 'i8', 4),
  emit: { c: 'return (i32x4)vdotq_s32((int32x4_t)c, vreinterpretq_s8_u32(vdupq_n_u32(a)), (int8x16_t)b);', includes },
});
/** c[l] += four products of unsigned bytes, a the same for all 4 lanes; exact. */
export const udot_i32x4: Instruction = instr({
  name: 'udot_i32x4', needs: ['asimddp'], operands: { a: 'word', b: 'vector', c: 'vector' }, meaning: () => intDot('udot_i32x4', 'u8', 'u8', 4),
  emit: { c: 'return (i32x4)vdotq_u32((uint32x4_t)c, vreinterpretq_u8_u32(vdupq_n_u32(a)), (uint8x16_t)b);', includes },
});
/** c[l] += four products of unsigned bytes of a, the same for all 4 lanes, with signed bytes of b; exact. */
export const usdot_i32x4: Instruction = instr({
  name: 'usdot_i32x4', needs: ['i8mm'], operands: { a: 'word', b: 'vector', c: 'vector' }, meaning: () => intDot('usdot_i32x4', 'u8', 'i8', 4),
  emit: { c: 'return (i32x4)vusdotq_s32((int32x4_t)c, vreinterpretq_u8_u32(vdupq_n_u32(a)), (int8x16_t)b);', includes },
});
/** A 2 x 2 block of C += a 2 x 8 block of signed bytes times a transposed one; exact. */
export const smmla_i32: Instruction = instr({
  name: 'smmla_i32', needs: ['i8mm'], operands: { a: 'vector', b: 'vector', c: 'vector' }, meaning: () => intBlock('smmla_i32', 'i8', 'i8'),
  emit: { c: 'return (i32x4)vmmlaq_s32((int32x4_t)c, (int8x16_t)a, (int8x16_t)b);', includes },
});
/** A 2 x 2 block of C += a 2 x 8 block of unsigned bytes times a transposed one of signed bytes; exact. */
export const usmmla_i32: Instruction = instr({
  name: 'usmmla_i32', needs: ['i8mm'], operands: { a: 'vector', b: 'vector', c: 'vector' }, meaning: () => intBlock('usmmla_i32', 'u8', 'i8'),
  emit: { c: 'return (i32x4)vusmmlaq_s32((int32x4_t)c, (uint8x16_t)a, (int8x16_t)b);', includes },
});

/** The instructions of aarch64. */
export const NEON: readonly Instruction[] = [fmla_f32x4, fmla_f64x2];
/** What aarch64-dotprod adds. */
export const DOTPROD: readonly Instruction[] = [sdot_i32x4, udot_i32x4];
/** What aarch64-i8mm adds. */
export const I8MM: readonly Instruction[] = [usdot_i32x4, smmla_i32, usmmla_i32];
