import type { Axis } from '../lang/index.ts';

/** Where staged elements live, and how they are laid out. */
export interface StageOptions {
  /** This loop's elements lie next to each other: its dimension becomes the innermost of the copy. */
  readonly panel?: Axis | undefined;
  /** Stage the whole expression around the load that needs nothing but scalars (a cast, a factor), not the load alone. */
  readonly fold?: boolean | undefined;
  /** The copy of a tensor that the body only accumulates into holds what the body adds: it starts from nothing and is added at the end. */
  readonly partial?: boolean | undefined;
  readonly name?: string | undefined;
  /** Of copies in shared memory: neighbours that a lane copies at a time, 16 bytes at best. 1 by default. */
  readonly vector?: number | undefined;
  /** Of copies in shared memory with a panel: such pieces lie along it, read one by one and written whole. Else they lie along the rows of the tensor. */
  readonly turned?: boolean | undefined;
  /** Of copies in shared memory: elements that are left free after each row, so that columns fall into different banks. */
  readonly pad?: number | undefined;
}
