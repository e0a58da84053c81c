import type { Buffer, DType, Expr, KernelIR, LoopKind, Space, Stmt, Var } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
/** A made-up machine, so that tests do not hang on the real ones. */
export declare const machine: (vecBytes: number, fma?: boolean) => Target;
export declare const buffer: (name: string, shape: readonly Expr[], o?: {
    dtype?: DType;
    space?: Space;
    access?: Buffer['access'];
}) => Buffer;
export declare const loop: (v: Var, extent: Expr, kind: LoopKind, body: readonly Stmt[]) => Stmt;
export declare const store: (buf: Buffer, index: readonly Expr[], value: Expr) => Stmt;
export declare const accum: (buf: Buffer, index: readonly Expr[], value: Expr) => Stmt;
export declare const alloc: (buf: Buffer) => Stmt;
export declare const letStmt: (v: Var, value: Expr) => Stmt;
export declare const N: Expr;
export declare const v: (name: string) => Var;
/** A kernel over tensor parameters with the size N. */
export declare function kernel(params: readonly (Buffer | {
    readonly name: string;
    readonly dtype: DType;
})[], body: readonly Stmt[], sizes?: readonly string[]): KernelIR;
/** Lines of a printed body that match, for short snapshots. */
export declare const linesWith: (text: string, part: RegExp) => string[];
export declare function lowered(k: KernelIR): KernelIR;
