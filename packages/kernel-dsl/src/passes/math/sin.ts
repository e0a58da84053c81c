import { add, binary, bitcast, cast, compare, constant, fma, mul, select, sub, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { MAGIC, polynomial } from './parts.ts';
import type { ByType, Formula, Inner, Parts } from './parts.ts';

/** (sin(r) / r - 1) / r^2 in r^2, a little beyond |r| <= pi/2; minimax, relative error of the sine 6.5e-9 and 5.3e-18. */
const TAIL: ByType<readonly number[]> = {
  f32: [-0.16666659712791443, 0.00833306834101677, -0.00019809660443570465, 2.605755526019493e-06],
  f64: [-0.16666666666666666, 0.008333333333333194, -0.00019841269841209215, 2.7557319211136725e-06, -2.505210687275181e-08, 1.6058939703466186e-10, -7.6429914295492e-13, 2.7211743698592645e-15],
};
/** pi in three parts. */
const PI: ByType<readonly [number, number, number]> = {
  f32: [3.1415927410125732, -8.742277657347586e-8, -3.4302490200117637e-15],
  f64: [3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33],
};
/** Up to here multiples of pi are taken off directly, with three roundings at most that matter. */
const LIMIT: ByType<number> = { f32: 2 ** 15, f64: 2 ** 30 };

/** sin(r) with the sign that the parity of whole n asks for. */
function signed(r: Expr, n: Expr, p: Parts): Expr {
  const z = p.name('sin_z', mul(r, r)), y = p.name('sin_y', p.mulAdd(mul(z, r), polynomial(z, TAIL[p.t], p), r));
  if (p.t === 'f32') { // the lowest bit of n + MAGIC, as a sign
    const odd = binary('shl', bitcast(add(n, p.c(MAGIC.f32)), 'i32'), constant(31, 'i32'));
    return p.name('sin_s', bitcast(binary('xor', bitcast(y, 'i32'), odd), 'f32'));
  }
  const half = p.name('sin_h', sub(p.mulAdd(n, p.c(0.5), p.c(MAGIC[p.t])), p.c(MAGIC[p.t])));
  return p.name('sin_s', select(compare('ne', add(half, half), n), unary('neg', y), y));
}

/** sin(x + shift pi/2) for shift 0 or 1. */
function wave(x: Expr, shift: 0 | 1, p: Parts): Expr {
  const magic = p.c(MAGIC[p.t]), turns = shift ? add(p.mulAdd(x, p.c(1 / Math.PI), p.c(0.5)), magic) : p.mulAdd(x, p.c(1 / Math.PI), magic), n = p.name('sin_n', sub(turns, magic));
  const k = shift ? p.name('sin_k', sub(n, p.c(0.5))) : n;
  // Fused on every machine: the first difference is exact then, and the second exact where it cancels.
  const r = PI[p.t].reduce<Expr>((rest, part) => fma(k, p.c(-part), rest), x);
  const y = signed(p.name('sin_r', r), n, p);
  const kept = shift ? y : select(compare('eq', x, p.c(0)), x, y);
  return p.rarely(compare('gt', unary('abs', x), p.c(LIMIT[p.t])), x, kept, (u, inner) => far(u, shift, inner));
}

/** 1 / pi in digits of 24 bits, after a first digit 0. */
const INVERSE_PI = [
  0, 5340353, 12003106, 693502, 1289192, 16423534, 14708145, 4902046, 2213920, 16722097, 14020445, 14856411, 9582365, 2172649, 7340836, 9925892, 15255822,
  8326901, 9328788, 13868916, 4266746, 9919906, 4355278, 3674970, 3129120, 10275051, 1884585, 10287694, 4337605, 14613652, 1937404, 4980719, 183303,
  16226184, 12954885, 3575734, 10174311, 9692548, 14395299, 2077519, 3142934, 12227549, 6551026, 16301470, 8625403, 12921161, 7681533, 11524239, 13020804,
];
/** So many digits hold what any double needs: the nearest to a multiple of pi is 2^-61 away. */
const DIGITS = 8;

/** The same for large x (Payne and Hanek, 1983): x / pi modulo 2 from the digits of 1 / pi that matter, in doubles whose products are exact. */
function far(x: Expr, shift: 0 | 1, given: Inner): Expr {
  const p = given.in('f64'), u = cast(x, 'f64'), c = p.c, fold = (e: Expr): Expr => sub(e, mul(c(2), unary('round', mul(e, c(0.5)))));
  // Lanes that are not far come here too.
  const size = p.name('far_x', binary('max', c(1), select(compare('lt', unary('abs', u), c(Infinity)), unary('abs', u), c(1))));
  const first = p.name('far_j', binary('max', c(0), unary('floor', mul(sub(unary('exponent', size), c(29)), c(1 / 24)))));
  const y = p.name('far_y', binary('mul', mul(size, binary('ldexp', c(1), mul(first, c(-12)))), binary('ldexp', c(1), mul(first, c(-12)))));
  // 26 and 27 bits of y: times 24 bits they are exact.
  const wide = p.name('far_w', mul(y, c(2 ** 27 + 1))), high = p.name('far_h', sub(wide, sub(wide, y))), low = p.name('far_l', sub(y, high));
  // (The bounds hold by themselves, 2^1024 being the limit; they are there for those who prove that the table is not left.)
  const digit = p.table(INVERSE_PI), start = binary('min', binary('max', cast(first, 'i64'), constant(0)), constant(INVERSE_PI.length - DIGITS));
  // Smallest terms first, in two doubles that together lose nothing that shows.
  const [sum, rest] = p.loop(DIGITS, [c(0), c(0), c(2 ** (-24 * (DIGITS - 1)))], (i, [s, e, weight], q) => {
    const d = q.name('far_d', mul(digit(add(start, sub(constant(DIGITS - 1), i))), weight!));
    let total = s!, lost = e!;
    for (const part of [low, high]) {
      const term = q.name('far_t', fold(q.name('far_q', mul(part, d)))), next = q.name('far_s', add(total, term)), back = q.name('far_b', sub(next, total));
      lost = q.name('far_e', add(lost, add(sub(total, sub(next, back)), sub(term, back))));
      total = next;
    }
    return [total, lost, mul(weight!, c(2 ** 24))];
  });
  const whole = p.name('far_n', unary('round', add(add(sum!, rest!), c(shift / 2)))), f = p.name('far_f', sub(sum!, shift ? sub(whole, c(0.5)) : whole));
  const g = p.name('far_g', add(f, rest!)), gl = p.name('far_gl', add(sub(f, g), rest!));
  const r = p.name('far_r', add(mul(g, c(PI.f64[0])), add(mul(g, c(PI.f64[1])), mul(gl, c(PI.f64[0])))));
  const back = cast(signed(r, whole, p), x.dtype), turned = shift ? back : select(compare('lt', x, given.c(0)), unary('neg', back), back);
  return select(compare('lt', unary('abs', x), given.c(Infinity)), turned, given.c(NaN));
}

/** sin x in radians, for vectors of any width and all x: sin(-0) = -0, infinities give NaN. */
export const sin: Formula = (x, p) => wave(x, 0, p);
/** cos x in radians, for vectors of any width and all x; infinities give NaN. */
export const cos: Formula = (x, p) => wave(x, 1, p);
