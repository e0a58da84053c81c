import type { Buffer, DType, Expr, KernelIR, LoopKind, Param, Stmt, Var } from '../../src/ir/index.ts';
import { RunError } from '../../src/run/index.ts';
import type { InterpretArg, InterpretOptions, RunErrorId, TypedArray } from '../../src/run/index.ts';
export declare const ARRAY: Record<DType, new (n: number | number[]) => TypedArray>;
export declare function array(t: DType, values: readonly number[]): TypedArray;
export type Dim = string | number;
export declare const dims: (d: readonly Dim[]) => Expr[];
export declare const param: (name: string, dtype: DType, shape: readonly Dim[], access?: Buffer['access'], strided?: boolean) => Buffer;
export declare const memory: (name: string, dtype: DType, shape: readonly Dim[], space?: Buffer['space']) => Buffer;
export declare const scalarParam: (name: string, dtype: DType) => Param;
/** A kernel over these parameters; sizes in order of first appearance. */
export declare function kernelOf(params: readonly (Buffer | Param)[], body: readonly Stmt[], name?: string): KernelIR;
export declare const store: (buf: Buffer, index: readonly Expr[], value: Expr) => Stmt;
export declare const accum: (fn: 'add' | 'mul' | 'min' | 'max', buf: Buffer, index: readonly Expr[], value: Expr) => Stmt;
export declare const alloc: (buf: Buffer) => Stmt;
export declare const bindTo: (v: Var, value: Expr) => Stmt;
export declare function loop(name: string, extent: Expr | number | string, body: (v: Var) => readonly Stmt[], kind?: LoopKind): Stmt;
export declare const tensor: (data: TypedArray, ...shape: number[]) => InterpretArg;
/** A function that runs one expression: `count` inputs of dtype `from`, one result of dtype `to`. */
export declare function evaluate(from: DType, to: DType, f: (inputs: Expr[]) => Expr, count: number): (x: number[]) => number;
/** r = f(load from x). */
export declare function scalarExpr(t: DType, x: Buffer, f: (load: (i: number) => Expr) => Expr): {
    kernel: KernelIR;
    r: Buffer;
};
/** The RunError that a run ends with; fails where it does not. */
export declare function runError(k: KernelIR, args: Readonly<Record<string, InterpretArg>>, id: RunErrorId, o?: InterpretOptions): RunError;
