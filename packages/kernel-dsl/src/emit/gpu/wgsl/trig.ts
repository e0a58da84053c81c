import type { Helper } from './frame.ts';
import { helper } from './helpers.ts';
import { nanHelper } from './literal.ts';

/** Upper half of a product of 32 bits. */
const mulHigh: Helper = helper('mul_high_u32', '(a: u32, b: u32) -> u32', [
  'let low = (a & 0xffffu) * (b & 0xffffu);', 'let mid = (a >> 16u) * (b & 0xffffu) + (low >> 16u);', 'let other = (a & 0xffffu) * (b >> 16u) + (mid & 0xffffu);', 'return (a >> 16u) * (b >> 16u) + (mid >> 16u) + (other >> 16u);',
]);

/** The bits of 1 / pi, after a word of zeros. */
const INVERSE_PI = ['0u', '0x517cc1b7u', '0x27220a94u', '0xfe13abe8u', '0xfa9a6ee0u', '0x6db14accu', '0x9e21c820u', '0xff28b1d5u'];

/**
 * |x| as n pi + r for |x| of at least 2^8: the parity of n in y, r in x (Payne and Hanek, 1983). In integers, which round nothing. `quarter` is added to half the
 * turns: 0x40000000 for cosines.
 */
const far: Helper = helper('far_turns_f32', '(x: f32, quarter: u32) -> vec2<f32>', [
  `var bits = array<u32, 8>(${INVERSE_PI.join(', ')});`,
  'let u = bitcast<u32>(x) & 0x7fffffffu;', 'let m = (u & 0x7fffffu) | 0x800000u;', 'let offset = (u >> 23u) - 119u;   // of the first bit of 2^(e - 1) / pi below the point', 'let i = offset >> 5u;', 'let s = offset & 31u;',
  'var w: array<u32, 3>;', 'for (var k = 0u; k < 3u; k++) {', '  w[k] = (bits[i + k] << s) | select(0u, bits[min(i + k + 1u, 7u)] >> ((32u - s) & 31u), s != 0u);', '}',
  '// half of the turns modulo 1, 64 bits of it', 'let low = m * w[1] + mul_high_u32(m, w[2]);', 'let high = m * w[0] + mul_high_u32(m, w[1]) + select(0u, 1u, low < m * w[1]) + quarter;',
  'let odd = ((high + 0x40000000u) >> 31u) & 1u;', 'var a = high - (odd << 31u);', 'var b = low;', 'let negative = (a >> 31u) == 1u;', 'if (negative) { b = ~b + 1u; a = ~a + select(0u, 1u, b == 0u); }',
  'let zeros = countLeadingZeros(a);', 'if (zeros >= 32u) { return vec2<f32>(0.0, f32(odd)); }', 'let top = (a << zeros) | select(0u, b >> ((32u - zeros) & 31u), zeros != 0u);',
  'let r = f32(top) * bitcast<f32>((95u - zeros) << 23u) * 6.283185307179586;   // top 2^-(32 + zeros) turns of two pi',
  'return vec2<f32>(select(r, -r, negative), f32(odd));',
], [mulHigh]);

/** sin(r) for |r| up to pi / 2: the polynomial of passes/math/sin. */
const core: Helper = helper('sin_core_f32', '(r: f32) -> f32', ['let z = r * r;', 'return r + z * r * (-0.16666659712791443 + z * (0.00833306834101677 + z * (-0.00019809660443570465 + z * 0.000002605755526019493)));']);

/**
 * Sine or cosine of any angle. WGSL promises its own only to 2^-11 and between -pi and pi. Up to 2^8 multiples of pi are taken off in three parts, of which the
 * products with the first are exact; beyond, by integers.
 */
export function waveHelper(fn: 'sin' | 'cos'): Helper {
  const cos = fn === 'cos';
  return helper(`${fn}_f32`, '(x: f32) -> f32', [
    'if ((bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u) { return nan_f32(); }',
    'if (abs(x) < 256.0) {', `  let n = round(x * 0.3183098861837907${cos ? ' + 0.5' : ''});`, `  let k = n${cos ? ' - 0.5' : ''};`, '  let y = sin_core_f32(((x - k * 3.140625) - k * 0.000967502593994140625) - k * 0.0000001509957990978376432);',
    `  return select(${cos ? 'y' : 'select(y, x, x == 0.0)'}, -y, (i32(n) & 1) == 1);`, '}',
    `let t = far_turns_f32(x, ${cos ? '0x40000000u' : '0u'});`, 'let y = sin_core_f32(t.x);', `return select(y, -y, (t.y == 1.0)${cos ? '' : ' != (x < 0.0)'});`,
  ], [core, far, nanHelper()]);
}
