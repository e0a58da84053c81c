import type { Instruction } from '../ir/index.ts';
import { axes, kernel, tensor } from '../lang/index.ts';
import { instr } from './instr.ts';

/**
 * Tiles 0 to 3 hold 2 x 2 blocks of C, 4 and 5 blocks of A, 6 and 7 blocks of B: 16 rows of 64 bytes each. A product of two tiles reads each of them
 * once for two, so that loads keep up. The kernel of Linux must have granted the tiles to the process, as the loader asks before it offers this target.
 */
const body = (product: string, bytes: 1 | 2): string[] => {
  const group = 4 / bytes, deep = 64 / bytes; // elements of a group, of a row of a tile
  return [
    'static const struct { uint8_t palette, start, reserved[14]; uint16_t columns[16]; uint8_t rows[16]; } config = {',
    '  1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};',
    '_tile_loadconfig(&config);',
    '_tile_loadd(0, c, c_s0 * 4);',
    '_tile_loadd(1, c + 16, c_s0 * 4);',
    '_tile_loadd(2, c + 16 * c_s0, c_s0 * 4);',
    '_tile_loadd(3, c + 16 * c_s0 + 16, c_s0 * 4);',
    'for (int64_t k = 0; k < K; k++) {',
    `  _tile_loadd(4, a + k * a_s0, 64);`,
    `  _tile_loadd(6, b + k * b_s0, 128);`,
    `  _tile_loadd(7, b + k * b_s0 + ${16 * group}, 128);`,
    `  _tile_loadd(5, a + k * a_s0 + ${16 * deep}, 64);`,
    `  ${product}(0, 4, 6);`,
    `  ${product}(1, 4, 7);`,
    `  ${product}(2, 5, 6);`,
    `  ${product}(3, 5, 7);`,
    '}',
    '_tile_stored(0, c, c_s0 * 4);',
    '_tile_stored(1, c + 16, c_s0 * 4);',
    '_tile_stored(2, c + 16 * c_s0, c_s0 * 4);',
    '_tile_stored(3, c + 16 * c_s0 + 16, c_s0 * 4);',
    '_tile_release();',
  ];
};

const includes = ['immintrin.h'];

/**
 * A 32 x 32 block of C += A B over K steps of 32 products each: c[i, j] += a[k, i, w, q] * b[k, w, j, q], bf16 in, f32 out. A is packed in panels
 * [K][32][16][2], B in [K][16][32][2]. Added in an order of its own; denormal numbers count as zero.
 */
export const tdpbf16ps_32x32: Instruction = instr({
  name: 'tdpbf16ps_32x32', needs: ['amx_tile', 'amx_bf16'], operands: { a: 'panels', b: 'panels', c: 'pointer' }, exact: false,
  meaning: () => kernel('tdpbf16ps_32x32', { a: tensor('bf16', 'K', 32, 16, 2), b: tensor('bf16', 'K', 16, 32, 2), c: tensor('f32', 32, 32).inout() }, ({ a, b, c, K }) => {
    const ax = axes({ k: K, i: 32, j: 32, w: 16, q: 2 });
    for (const k of ax.k) for (const i of ax.i) for (const j of ax.j) for (const w of ax.w) for (const q of ax.q) {
      c.at(i, j).addAssign(a.at(k, i, w, q).to('f32').mul(b.at(k, w, j, q).to('f32')));
    }
    return ax;
  }),
  emit: { c: body('_tile_dpbf16ps', 2), includes },
});

/** A 32 x 32 block of C += A B over K steps of 64 products each, unsigned bytes of A and signed bytes of B, exact: c[i, j] += a[k, i, w, q] * b[k, w, j, q] with q below 4. */
export const tdpbusd_32x32: Instruction = instr({
  name: 'tdpbusd_32x32', needs: ['amx_tile', 'amx_int8'], operands: { a: 'panels', b: 'panels', c: 'pointer' },
  meaning: () => kernel('tdpbusd_32x32', { a: tensor('u8', 'K', 32, 16, 4), b: tensor('i8', 'K', 16, 32, 4), c: tensor('i32', 32, 32).inout() }, ({ a, b, c, K }) => {
    const ax = axes({ k: K, i: 32, j: 32, w: 16, q: 4 });
    for (const k of ax.k) for (const i of ax.i) for (const j of ax.j) for (const w of ax.w) for (const q of ax.q) {
      c.at(i, j).addAssign(a.at(k, i, w, q).to('i32').mul(b.at(k, w, j, q).to('i32')));
    }
    return ax;
  }),
  emit: { c: body('_tile_dpbusd', 1), includes },
});

/** The instructions that x86-64-amx adds. */
export const AMX: readonly Instruction[] = [tdpbf16ps_32x32, tdpbusd_32x32];
