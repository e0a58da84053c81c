/** Random programs around a vector loop, for every test that compares two ways to run one. */
import fc from 'fast-check';
import type { KernelIR, LoopKind } from '../../src/ir/index.ts';
/** Numbers that tell apart roundings and orders, the same for a seed. */
export declare function numbers(n: number, seed: number): Float32Array;
/** What is drawn: the extent of the vector loop, the loops around and inside of it, and what happens in it. */
export interface Program {
    readonly extent: number;
    readonly vecBytes: number;
    readonly outer: LoopKind;
    readonly inner: LoopKind;
    readonly ops: readonly number[];
    readonly seed: number;
}
/**
 * Random bodies inside of a vector loop i of extent E: rows, strides, gathers, scatters, registers. No lane reads what another one writes,
 * and each buffer is written in one pattern only: what a schedule checks before it vectorises.
 */
export declare const program: fc.Arbitrary<Program>;
/** The program itself. */
export declare function build(p: Omit<Program, 'vecBytes'>): KernelIR;
