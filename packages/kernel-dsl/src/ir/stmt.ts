import type { AtomicFn, Buffer, Expr, ReduceFn, Var } from './expr.ts';
import type { DType } from './dtype.ts';
import type { Loc } from './loc.ts';

/**
 * How a loop runs. `unroll` and `vector` are gone after lowering; block, lane and team belong to GPUs. A team is lanes that act as one, 128 of them (a
 * warpgroup) or 32 (a warp; warps lie in a row or, with two loops, in a grid): instructions of the team, and work on its registers, which are dealt out over its lanes.
 */
export type LoopKind = 'seq' | 'parallel' | 'unroll' | 'vector' | 'block.x' | 'block.y' | 'block.z' | 'lane.x' | 'lane.y' | 'lane.z' | 'team.warpgroup' | 'team.warp.x' | 'team.warp.y';

/** Where a statement comes from, for messages and for comments in emitted code. */
export interface Origin {
  readonly loc?: Loc;
  /** The schedule call that made this node, e.g. `split(j, 64)`. */
  readonly step?: string;
}

/** Statements in order. */
export interface Block extends Origin { readonly kind: 'block'; readonly body: readonly Stmt[] }
/** v runs from 0 to extent - 1. */
export interface For extends Origin {
  readonly kind: 'for';
  readonly v: Var;
  readonly extent: Expr;
  readonly loop: LoopKind;
  readonly body: Stmt;
  /** The bulk copies that its body begins with run ahead, into a ring of so many tiles. */
  readonly ring?: number;
  /** Of a loop with a ring: its first products are asked for one iteration ahead, so that they run beside the rest of the iteration before. */
  readonly overlap?: boolean;
  /** Of the outer of two block loops in programs of teams: so many workgroups share all tiles, in bands of `group` rows of tiles that reuse what the second-level cache holds. */
  readonly persistent?: { readonly workgroups: number; readonly group: number };
  /** Of a block loop of constant extent in programs of teams: its workgroups run together, as a cluster, and bring each other tiles that they all use. */
  readonly cluster?: boolean;
  /** Of a sequential loop on a GPU: the compiler is asked to write its iterations one after another. */
  readonly unrolled?: boolean;
}
/** `pad`: a guard that staging lifts into its copies; it must be gone before code is emitted. `rare`: the branch is hardly ever taken; machine code keeps it out of the way. */
export interface If extends Origin { readonly kind: 'if'; readonly cond: Expr; readonly then: Stmt; readonly else?: Stmt; readonly pad?: boolean; readonly rare?: boolean }
/** Binds a value; visible to the statements that follow it in its block. */
export interface Let extends Origin { readonly kind: 'let'; readonly v: Var; readonly value: Expr }
/** Makes a buffer; visible to the statements that follow it in its block. Contents are undefined. */
export interface Alloc extends Origin { readonly kind: 'alloc'; readonly buf: Buffer }
/** Writes `value`: all its lanes, neighbours in the innermost dimension from `index` on; an index with lanes makes it a scatter. */
export interface Store extends Origin { readonly kind: 'store'; readonly buf: Buffer; readonly index: readonly Expr[]; readonly value: Expr }
/** buf[index] = buf[index] op value. */
export interface Accum extends Origin { readonly kind: 'accum'; readonly fn: ReduceFn; readonly buf: Buffer; readonly index: readonly Expr[]; readonly value: Expr }
/** Runs the body while the condition holds, at most `max` times; v counts from 0. The interpreter refuses a run that the bound cuts off, emitted code stops there. */
export interface While extends Origin { readonly kind: 'while'; readonly v: Var; readonly max: Expr; readonly cond: Expr; readonly body: Stmt }
/** buf[index] = buf[index] op value, in one step that no other thread can come between; `exchange` writes the value. `old` is bound to what was there before. */
export interface Atomic extends Origin { readonly kind: 'atomic'; readonly fn: AtomicFn; readonly buf: Buffer; readonly index: readonly Expr[]; readonly value: Expr; readonly old?: Var }
/** Writes a line: the text, then the values. Lowering drops it unless it is asked to keep it. */
export interface Print extends Origin { readonly kind: 'print'; readonly text: string; readonly values: readonly Expr[] }
/** A condition the caller must meet; checked at launch, numbered in order of appearance. */
export interface Assume extends Origin { readonly kind: 'assume'; readonly cond: Expr; readonly text: string }
/**
 * A named part of the program; becomes one comment in emitted code. `ahead`: what it copies to shared memory is not looked at before a barrier that asks for it, so
 * that a GPU may copy meanwhile: one group of copies.
 */
export interface Region extends Origin { readonly kind: 'region'; readonly name: string; readonly body: Stmt; readonly ahead?: boolean }
/** All threads of the scope arrive before any leaves. `groups`: all groups of copies ahead but the last so many have arrived too. */
export interface Barrier extends Origin { readonly kind: 'barrier'; readonly scope: 'workgroup' | 'subgroup'; readonly groups?: number }

/**
 * One instruction of the machine. In a scheduled program `body` holds the loops that it stands for, and `args` is empty: rewrites and proofs look at the
 * loops. Lowering matches them with the meaning once more and leaves the arguments alone, in the order of `instrOperands`.
 */
export interface Instr extends Origin { readonly kind: 'instr'; readonly def: Instruction; readonly args: readonly InstrArg[]; readonly body?: Stmt }

/**
 * A call of a function of the device, for what no other statement says: barriers in memory, copies by hardware, products of teams. Only in programs lowered for
 * a GPU.
 */
export interface Call extends Origin {
  readonly kind: 'call';
  readonly fn: DeviceFunction;
  /** What runs instead where a place is no chunk as it asks. */
  readonly unaligned?: DeviceFunction;
  readonly args: readonly CallArg[];
  /** Statements that do the same, which the interpreter runs; without them it cannot run the program. */
  readonly meaning?: Stmt;
}

/** A function of a device, as text in its language. */
export interface DeviceFunction {
  readonly name: string;
  /** Result and parameters, in the order of a call's arguments: `void f(u64 *bar, int count)`. */
  readonly signature: string;
  readonly body: readonly string[];
}

/** An argument of a call: a value, the address of an element (`chunk`: of so many from a multiple of as many on, of which all or none exist), an array of registers as a whole, or a tensor as copies by hardware take it. */
export type CallArg =
  | { readonly kind: 'value'; readonly value: Expr }
  | { readonly kind: 'place'; readonly buf: Buffer; readonly index: readonly Expr[]; readonly writes: boolean; readonly chunk?: number }
  | { readonly kind: 'array'; readonly buf: Buffer }
  | { readonly kind: 'map'; readonly buf: Buffer; readonly box: readonly number[]; readonly swizzle: 0 | 32 | 64 | 128 };

/** Every kind of statement; `kind` tells them apart. */
export type Stmt = Block | For | While | If | Let | Alloc | Store | Accum | Atomic | Print | Assume | Region | Barrier | Instr | Call;
/** What `kind` of a statement may be. */
export type StmtKind = Stmt['kind'];

/** One parameter of a kernel: a tensor, whose buffer has the space `param`, or a number. */
export type Param =
  | { readonly kind: 'tensor'; readonly name: string; readonly buf: Buffer }
  | { readonly kind: 'scalar'; readonly name: string; readonly dtype: DType };

/** Functions that a machine may have its own, less exact ones for. */
export type Approximate = 'exp2' | 'max' | 'min';

/** A whole kernel in IR. `sizes` are the named dimensions in order of first appearance in the parameters. */
export interface KernelIR {
  readonly name: string;
  readonly params: readonly Param[];
  readonly sizes: readonly string[];
  /** What its specialisation constants were when it was built; nothing is passed for them. */
  readonly constants?: Readonly<Record<string, number | boolean | string>>;
  /** Lanes of a subgroup, a power of two up to 32; 32 where nothing is said. */
  readonly subgroup?: number;
  /** So many workgroups shall fit a multiprocessor at once: a limit on the registers of each lane. */
  readonly resident?: number;
  /** Functions of float32 that the machine may compute in its own way (see `approximate` of schedules). */
  readonly approximate?: readonly Approximate[];
  /** Tensors that OpenCL reads through image buffers (see `stage` of schedules). */
  readonly images?: readonly string[];
  readonly body: Stmt;
  /** The calls of the schedule that made it, and where they stand. */
  readonly steps?: readonly { readonly call: string; readonly loc: Loc | undefined }[];
  readonly loc?: Loc;
}

/**
 * How an operand of an instruction reaches its text. `vector`: its elements, dense, as one value of that many lanes. `word`: up to 8 dense bytes,
 * as an unsigned integer. `pointer`: its address, and the distance in elements along each dimension but the last. `panels`: its address and the distance
 * along the first dimension; the others lie dense. `fragment`: registers of a team, dealt out over its lanes.
 */
export type Passing = 'vector' | 'word' | 'pointer' | 'panels' | 'fragment';

/**
 * An instruction of a machine, as data. What it computes is a kernel: tensors are its operands, sizes and scalars its immediate values. The interpreter
 * runs that kernel, schedules match loops with it, and each target prints its own text.
 */
export interface Instruction {
  readonly name: string;
  /** Features that a target must have, in the spelling of {@link Target}. */
  readonly needs: readonly string[];
  readonly meaning: KernelIR;
  /** How each tensor of the meaning is passed. */
  readonly passing: Readonly<Record<string, Passing>>;
  /** Does the machine give the bits of the meaning? If not, it adds up in another order, or flushes denormal numbers. */
  readonly exact: boolean;
  /** For C: the statements of a function whose parameters have the names of the operands. */
  readonly c: { readonly body: string; readonly includes: readonly string[] } | undefined;
  /** For CUDA, of an instruction of a team: what its lanes call. */
  readonly team?: TeamText;
}

/**
 * How the lanes of a warp get both factors of a product: a function of their registers (arrays of `a` and `b` elements), their places in shared memory, and the chunk of
 * 16 bytes in each row at which they begin. Chunk c of row r of a tile lies at c ^ (r mod swizzle) 8 / swizzle. `blocks`: the tile of the second factor lies as it is;
 * the function gets the place itself, and the bytes from row to row.
 */
export interface FactorText { readonly load: DeviceFunction; readonly dtype: 'u32' | 'f64'; readonly a: number; readonly b: number; readonly swizzle: 2 | 8; readonly blocks?: true }

/** What the lanes of a team call for an instruction: registers dealt out over the lanes, then both factors: a warpgroup's by their places in shared memory, a warp's in registers. */
export interface TeamText {
  readonly team: 'warp' | 'warpgroup';
  readonly fn: DeviceFunction;
  readonly fragment: 'wgmma' | 'mma';
  /** Of a warp's: it takes both factors from registers, which another function fills. */
  readonly factors?: FactorText;
}

/** What an instruction gets for one operand: a value; or a place, from `index` on, where one step along dimension k of the operand moves by `walk[k]`. */
export type InstrArg =
  | { readonly kind: 'value'; readonly value: Expr }
  | { readonly kind: 'place'; readonly buf: Buffer; readonly index: readonly Expr[]; readonly walk: readonly (readonly number[])[]; readonly lanes: number };

/** The operands of an instruction in the order of its arguments: parameters as declared, then sizes. */
export const instrOperands = (def: Instruction): readonly string[] => [...def.meaning.params.map((p) => p.name), ...def.meaning.sizes];
