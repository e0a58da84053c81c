/** The functions of passes/math in whole numbers of hundreds of bits: what their results are held against. */
import type { MathFn } from '../../src/passes/math/index.ts';
/** How far `got` lies from f(x) or x^y, in units in the last place of the exact result: of a double, or of a format with fewer digits. */
export declare function ulpsOff(fn: MathFn, got: number, x: number, y?: number, format?: {
    readonly digits: number;
    readonly least: number;
}): number;
