import type { Buffer } from './expr.ts';
import type { DType } from './dtype.ts';
import type { Loc } from './loc.ts';
import type { Stmt } from './stmt.ts';

/** One parameter of a kernel: a tensor, whose buffer has the space `param`, or a number. */
export type Param =
  | { readonly kind: 'tensor'; readonly name: string; readonly buf: Buffer }
  | { readonly kind: 'scalar'; readonly name: string; readonly dtype: DType };

/** A whole kernel in IR. `sizes` are the named dimensions in order of first appearance in the parameters. */
export interface KernelIR {
  readonly name: string;
  readonly params: readonly Param[];
  readonly sizes: readonly string[];
  /** What its specialisation constants were when it was built; nothing is passed for them. */
  readonly constants?: Readonly<Record<string, number | boolean | string>>;
  readonly body: Stmt;
  readonly loc?: Loc;
}
