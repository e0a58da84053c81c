import type { Buffer, Expr, ReduceFn, Var } from './expr.ts';
import type { Loc } from './loc.ts';

/** How a loop runs. `unroll` and `vector` are gone after lowering; block, lane and subgroup belong to GPUs. */
export type LoopKind = 'seq' | 'parallel' | 'unroll' | 'vector' | 'block.x' | 'block.y' | 'block.z' | 'lane.x' | 'lane.y' | 'lane.z';

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
}
/** `pad`: a guard that staging lifts into its copies; it must be gone before code is emitted. */
export interface If extends Origin { readonly kind: 'if'; readonly cond: Expr; readonly then: Stmt; readonly else?: Stmt; readonly pad?: boolean }
/** Binds a value; visible to the statements that follow it in its block. */
export interface Let extends Origin { readonly kind: 'let'; readonly v: Var; readonly value: Expr }
/** Makes a buffer; visible to the statements that follow it in its block. Contents are undefined. */
export interface Alloc extends Origin { readonly kind: 'alloc'; readonly buf: Buffer }
/** Writes `value`: all its lanes, neighbours in the innermost dimension from `index` on; an index with lanes makes it a scatter. */
export interface Store extends Origin { readonly kind: 'store'; readonly buf: Buffer; readonly index: readonly Expr[]; readonly value: Expr }
/** buf[index] = buf[index] op value. */
export interface Accum extends Origin { readonly kind: 'accum'; readonly fn: ReduceFn; readonly buf: Buffer; readonly index: readonly Expr[]; readonly value: Expr }
/** A condition the caller must meet; checked at launch, numbered in order of appearance. */
export interface Assume extends Origin { readonly kind: 'assume'; readonly cond: Expr; readonly text: string }
/** A named part of the program; becomes one comment in emitted code. */
export interface Region extends Origin { readonly kind: 'region'; readonly name: string; readonly body: Stmt }
/** All threads of the scope arrive before any leaves. */
export interface Barrier extends Origin { readonly kind: 'barrier'; readonly scope: 'workgroup' | 'subgroup' }

/** Every kind of statement; `kind` tells them apart. */
export type Stmt = Block | For | If | Let | Alloc | Store | Accum | Assume | Region | Barrier;
/** What `kind` of a statement may be. */
export type StmtKind = Stmt['kind'];
