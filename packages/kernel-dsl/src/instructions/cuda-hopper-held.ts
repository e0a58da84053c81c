import type { DeviceFunction, Instruction } from '../ir/index.ts';
import { axes, kernel, tensor } from '../lang/index.ts';
import { instr } from './instr.ts';

/**
 * Products of a warpgroup whose first factor it holds in registers: c += a b with a [64][16] of 16-bit floats, b [16][N] in shared memory, its rows cut into pieces of
 * 128 bytes: [N / 64][16][64], or [16][64], swizzled. `apart`: bytes from a piece to the next.
 */
function held(n: 64 | 128 | 192 | 256, dtype: 'bf16' | 'f16'): Instruction {
  const name = `wgmma_held_m64n${n}k16_${dtype}`, count = n / 2, list = Array.from({ length: count }, (_, i) => `%${i}`).join(', '), pieces = n / 64;
  const fn: DeviceFunction = {
    name, signature: `void ${name}(float (&c)[${count}], u32 a0, u32 a1, u32 a2, u32 a3, const void *b, int apart, int more)`,
    body: [
      'const u64 rows = (u64)1 << 62 | (u64)64 << 32 | (u64)(apart >> 4) << 16;   // 128-byte rows, swizzled; 8 of them 1024 bytes apart',
      'const u64 db = rows | (u64)((u32)__cvta_generic_to_shared(b) >> 4 & 0x3fff);',
      `asm volatile("{\\n.reg .pred p;\\nsetp.ne.b32 p, %${count + 5}, 0;\\n"`,
      `  "wgmma.mma_async.sync.aligned.m64n${n}k16.f32.${dtype}.${dtype} {${list}}, {%${count}, %${count + 1}, %${count + 2}, %${count + 3}}, %${count + 4}, p, 1, 1, 1;\\n}"`,
      `  : ${Array.from({ length: count }, (_, i) => `"+f"(c[${i}])`).join(', ')}`,
      '  : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "l"(db), "r"(more));',
    ],
  };
  return instr({
    name, needs: ['wgmma'], operands: { a: 'fragment', b: 'pointer', c: 'fragment' }, exact: false,
    meaning: () => (pieces === 1
      ? kernel(name, { a: tensor(dtype, 64, 16), b: tensor(dtype, 16, 64), c: tensor('f32', 64, 64).inout() }, ({ a, b, c }) => {
        const ax = axes({ i: 64, j: 64, k: 16 });
        for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) c.at(i, j).addAssign(a.at(i, k).to('f32').mul(b.at(k, j).to('f32')));
        return ax;
      })
      : kernel(name, { a: tensor(dtype, 64, 16), b: tensor(dtype, pieces, 16, 64), c: tensor('f32', 64, pieces, 64).inout() }, ({ a, b, c }) => {
        const ax = axes({ i: 64, p: pieces, j: 64, k: 16 });
        for (const i of ax.i) for (const p of ax.p) for (const j of ax.j) for (const k of ax.k) c.at(i, p, j).addAssign(a.at(i, k).to('f32').mul(b.at(p, k, j).to('f32')));
        return ax;
      })),
    emit: { team: { team: 'warpgroup', fn, fragment: 'wgmma' } },
  });
}

/** Products of a warpgroup with a first factor in registers: `wgmma_held_m64n128k16_bf16`, … */
export const WGMMAS_HELD: readonly Instruction[] = (['bf16', 'f16'] as const).flatMap((t) => ([64, 128, 192, 256] as const).map((n) => held(n, t)));
/** One of them. @throws Error where there is none of such columns */
export function wgmmaHeld(dtype: 'bf16' | 'f16', n: number): Instruction {
  const found = WGMMAS_HELD.find((i) => i.name === `wgmma_held_m64n${n}k16_${dtype}`);
  if (!found) throw new Error(`no product of ${n} columns with a factor in registers: there are ${WGMMAS_HELD.map((i) => i.name).join(', ')}`);
  return found;
}
