/** Functions of f32 and f64 as formulas of the IR, so that vectors of them need no library and every machine agrees on their bits. */
import { erf } from './erf.ts';
import { exp, exp2 } from './exp.ts';
import { log, log2 } from './log.ts';
import type { Formula, Formula2 } from './parts.ts';
import { pow } from './pow.ts';
import { cos, sin } from './sin.ts';
import { tanh } from './tanh.ts';
import type { UnaryFn } from '../../ir/index.ts';

export { MAX_ULP } from './accuracy.ts';
export type { MathFn } from './accuracy.ts';
export { arithmetic } from './parts.ts';
export type { Formula, Formula2, Inner, Parts, Real } from './parts.ts';

/** The functions of one operand that lowering replaces, for f32 and f64. */
export const FORMULAS: Readonly<Partial<Record<UnaryFn, Formula>>> = { cos, erf, exp, exp2, log, log2, sin, tanh };
/** The function of two operands that lowering replaces. */
export const POW: Formula2 = pow;
