/** Functions of f32 as formulas of the IR, so that vectors of them need no library and every machine agrees on their bits. */
import { erf } from './erf.ts';
import { exp, exp2 } from './exp.ts';
import { log } from './log.ts';
import type { Formula } from './parts.ts';
import { tanh } from './tanh.ts';
import type { UnaryFn } from '../../ir/index.ts';

export { parts } from './parts.ts';
export type { Formula, Parts } from './parts.ts';

/** The functions that lowering replaces; the others are calls of the C library, one a lane. */
export const FORMULAS: Readonly<Partial<Record<UnaryFn, Formula>>> = { erf, exp, exp2, log, tanh };
