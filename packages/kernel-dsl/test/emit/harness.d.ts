import type { DType, KernelIR } from '../../src/ir/index.ts';
import type { TypedArray } from '../../src/run/index.ts';
import type { Target } from '../../src/targets/index.ts';
export declare const includeDir: string;
export declare const STRICT: readonly string[];
/** A folder that vanishes after the tests of a file. */
export declare function temporary(): string;
export declare function has(command: string): boolean;
/** gcc must be there; clang is used too where it is. */
export declare const COMPILERS: readonly string[];
/** Does this processor have all features of a target? */
export declare function cpuHas(t: Target): boolean;
/** Targets that this processor can run and whose C differs without instructions, `generic` among them. */
export declare const RUNNABLE: readonly Target[];
/** Compiles C text; returns the path of the library, object file or program. */
export declare function compile(text: string, cflags: readonly string[], o?: {
    compiler?: string;
    object?: boolean;
    program?: boolean;
}): string;
/** 64-bit ARM by way of a cross compiler and an emulator, where both are installed. */
export declare const ARM = "aarch64-linux-gnu-gcc";
export declare const EMULATES_ARM: boolean;
export interface TensorValue {
    readonly data: TypedArray;
    readonly shape: readonly number[];
    readonly strides?: readonly number[];
}
export type Value = number | TensorValue;
/** One launch of an emitted kernel. */
export interface Launch {
    readonly symbol: string;
    readonly k: KernelIR;
    readonly args: Readonly<Record<string, Value>>;
    readonly memory: {
        readonly scratchBytes: number;
        readonly sharedBytes: number;
    };
}
/** Runs kernels of a library; tensors are changed in place. Returns what each kernel returned. */
export declare function runLibrary(library: string, launches: readonly Launch[], compiler?: string): number[];
/** Equal bit for bit; any NaN equals any other. */
export declare function expectSameBits(got: TypedArray, want: TypedArray, what: string): void;
/** A lowered kernel and the arguments to run it on. */
export interface Case {
    readonly k: KernelIR;
    readonly runs: readonly Readonly<Record<string, Value>>[];
}
/**
 * Emits lowered kernels into one file, compiles it with each compiler without a warning, runs every kernel and compares every tensor
 * with the interpreter's, bit for bit. Names of the kernels differ. Returns the C text.
 */
export declare function sameAsInterpreter(cases: readonly Case[], target: Target, o?: {
    compilers?: readonly string[];
    cflags?: readonly string[];
}): string;
/** Elements of a dtype from a seed: floats around 1 with some special ones on request. */
export declare function fill(t: DType, n: number, seed: number, special?: readonly number[]): number[];
