import type { DeviceFunction, Instruction } from '../ir/index.ts';
import { axes, kernel, tensor } from '../lang/index.ts';
import type { Val } from '../lang/index.ts';
import { mmaNamed, multiplyF16, narrowA } from './cuda-mma.ts';
import { instr } from './instr.ts';

/**
 * A weight of a Q4_0 block (llama.cpp's format: a scale in f16, then 16 bytes; the lower half of byte e is element e, the upper half element 16 + e), as f16: (q - 8) scale,
 * rounded once. A kernel that says so of its factors computes what `mmaQ4` does.
 */
export const q4_0 = (byte: Val<'u8'>, half: Val<'i64'>, scale: Val<'f16'>): Val<'f32'> => byte.to('u32').shr(half.to('u32').mul(4)).and(15).to('f32').sub(8).mul(scale.to('f32')).to('f16').to('f32');

const made = new Map<string, Instruction>();

/**
 * A product of a warp with a block of 4-bit weights, `mma_m{M}n{N}k32_q4_0`: c[i][j] += a[i][16 h + e] q4_0(b[j][2 + e], h, scale) over h in 2 and e in 16, a in f16, b the
 * blocks of 18 bytes. The weights become f16 in registers.
 * @throws Error where there is no such product
 */
export function mmaQ4(m: number, n: number): Instruction {
  const name = `mma_m${m}n${n}k32_q4_0`, known = made.get(name);
  if (known) return known;
  mmaNamed(`mma_m${m}n${n}k16_f16`); // a lane can hold as many sums
  const count = (m * n) / 32, a = m / 2, b = n / 2;
  const load: DeviceFunction = {
    name: `factors_m${m}n${n}k32_q4_0`, signature: `void factors_m${m}n${n}k32_q4_0(u32 (&a)[${a}], u32 (&b)[${b}], const void *at_a, const void *at_b, int chunk, int pitch)`,
    body: [
      'const int lane = threadIdx.x & 31, row = lane & 7;',
      ...narrowA(m, 'chunk', 'a'), ...narrowA(m, '(chunk + 2)', `(a + ${a / 2})`),
      '// Byte e of a block holds elements e and 16 + e: a lane takes bytes 2 t, 2 t + 1 and 8 more than these, t being its number modulo 4.',
      'const u8 *const block = (const u8 *)at_b + (lane >> 2) * pitch;',
      '#pragma unroll',
      `for (int j = 0; j < ${n / 8}; j++) {`,
      '  const u8 *const p = block + j * 8 * pitch;',
      '  const u32 scale = *(const u16 *)p * 0x10001u;',
      '#pragma unroll',
      '  for (int q = 0; q < 2; q++) {',
      '    const u32 two = *(const u16 *)(p + 2 + 2 * (lane & 3) + 8 * q), apart = (two & 0xff) | (two & 0xff00) << 8;',
      '#pragma unroll',
      '    for (int h = 0; h < 2; h++) {',
      '      // 0x6400 + q is the f16 1024 + q; 1032 off it is q - 8, exactly.',
      '      u32 x = (h ? apart >> 4 : apart) & 0x000f000f | 0x64006400;',
      '      asm("sub.rn.f16x2 %0, %0, %1;" : "+r"(x) : "r"(0x64086408));',
      '      asm("mul.rn.f16x2 %0, %0, %1;" : "+r"(x) : "r"(scale));',
      `      b[${n / 4} * h + 2 * j + q] = x;`,
      '    }',
      '  }',
      '}',
    ],
  };
  const fn: DeviceFunction = {
    name, signature: `void ${name}(float (&c)[${count}], const u32 (&a)[${a}], const u32 (&b)[${b}])`,
    body: [
      '#pragma unroll', 'for (int h = 0; h < 2; h++) {', `  const u32 *const a_half = a + ${a / 2} * h, *const b_half = b + ${b / 2} * h;`,
      ...multiplyF16(m, n, 'a_half', 'b_half').map((l) => (l.startsWith('#') ? l : `  ${l}`)), '}',
    ],
  };
  const i = instr({
    name, needs: ['mma_f16', 'ldmatrix'], operands: { a: 'pointer', b: 'pointer', c: 'fragment' }, exact: false,
    meaning: () => kernel(name, { a: tensor('f16', m, 32), b: tensor('u8', n, 18), c: tensor('f32', m, n).inout() }, (p) => {
      const ax = axes({ i: m, j: n, h: 2, e: 16 });
      for (const i of ax.i) for (const j of ax.j) for (const h of ax.h) for (const e of ax.e) p.c.at(i, j).addAssign(p.a.at(i, h.mul(16).add(e)).to('f32').mul(q4_0(p.b.at(j, e.add(2)), h, p.b.as('f16', j, 0))));
      return ax;
    }),
    emit: { team: { team: 'warp', fn, fragment: 'mma', factors: { load, dtype: 'u32', a, b, swizzle: 8, blocks: true } } },
  });
  made.set(name, i);
  return i;
}
