import type { Buffer, DType, Expr, Loc, Stmt } from '../../../ir/index.ts';
import { DslError } from '../../../errors/index.ts';
import { EmitError } from '../../error.ts';
import type { Namer } from '../../names.ts';
import { call as plainCall, PREC } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import type { Begun } from '../assemble.ts';
import type { GpuArg, GpuPrint } from '../module.ts';
import type { Interval, Range } from '../family/index.ts';
import type { PlannedLaunch } from '../plan.ts';

/** A function that kernels call, or a variable of the module. Two with one name are the same. */
export interface Helper { readonly name: string; readonly text: string; readonly uses?: readonly Helper[]; readonly features?: readonly string[] }

/** What all launches of a module share while it is printed. */
export interface ModuleState extends Begun {
  /** Names of the module's own scope: entries, memory, functions over it. */
  readonly names: Namer;
  readonly helpers: Map<string, Helper>;
  readonly prints: GpuPrint[];
}

/**
 * How a launch declares a buffer. WGSL gives a binding one element type, and none of less than 32 bits:
 * - elements of 32 bits are cells of their type; `quad`: cells of four, where every write is a whole one and some access is;
 * - smaller elements of tensors lie in words. Where each write fills whole words the lane that writes owns them; else writes go to `marked` cells of a word
 *   each, one for every place of the tensor, and a launch of its own puts them into the words (see pack.ts): no lane ever writes what belongs to another;
 * - smaller elements of memory that the kernel makes itself take a cell each.
 */
export interface Form {
  readonly buf: Buffer;
  /** Elements lie in words: 4, 2, or of packed tensors 8 of them in each. */
  readonly words: boolean;
  readonly quad: boolean;
  readonly atomic: boolean;
  readonly marked: boolean;
  /** Name of the variable, and of functions over it that the text may call. */
  readonly name: string;
  readonly cells: string;
  readonly load: string;
  readonly set: string;
  readonly update: string;
  /** Is it changed in this launch, and read? */
  readonly written: boolean;
  readonly read: boolean;
}

/** A variable of memory; where a binding cannot cover it, one for each part, every one but the last full. `get` and `put` name functions over them. */
export interface Parts { readonly names: readonly string[]; readonly type: string; readonly get: string; readonly put: string }

/** How a vector that was read at once is held: a vec4; words with several lanes each; or a name for each lane. */
export type Held = { readonly kind: 'vec4' } | { readonly kind: 'words'; readonly count: number; readonly dtype: DType } | { readonly kind: 'lanes'; readonly names: readonly string[] };

/** A name in the text of a launch. `bits` is 32 where an index has the value itself, not only its lowest 32 bits. */
export interface Symbol { readonly name: string; readonly bits?: 32; readonly held?: Held }

/** Something that a launch may be given. */
export interface Offer { readonly arg: GpuArg; readonly name: string; readonly type: string }

/** One launch being printed. */
export interface Frame {
  readonly m: ModuleState;
  readonly launch: PlannedLaunch;
  readonly namer: Namer;
  readonly symbols: Map<string, Symbol>;
  /** What the text uses of all that it could be given, by key. */
  readonly used: Set<string>;
  readonly offered: Map<string, Offer>;
  readonly forms: ReadonlyMap<number, Form>;
  /** Memory that takes several bindings, by key. */
  readonly parts: ReadonlyMap<string, Parts>;
  readonly nonNegative: Set<number>;
  readonly intervals: Map<number, Interval | undefined>;
  readonly memo: WeakMap<Expr, Interval | 'none'>;
  readonly varying: Set<string>;
  readonly ranges: Map<number, Range>;
  /** Names of sums whose last part is there to round them: see expr.ts. */
  readonly shifted: Set<number>;
  /** Workgroup memory for exchanges between lanes, by element type. */
  readonly exchanges: Map<string, { readonly name: string; readonly n: number }>;
  /** Built-in values that the text uses. */
  readonly builtins: Set<'workgroup_id' | 'local_invocation_id' | 'num_workgroups'>;
  readonly builtin: Readonly<Record<'workgroup_id' | 'local_invocation_id' | 'num_workgroups', string>>;
}

export const PRINTED = '!print';
export const cellsKey = (b: Buffer): string => `c${b.id}`;
export const startKey = (b: Buffer): string => `o${b.id}`;
export const lowKey = (b: Buffer): string => `l${b.id}`;

/** The symbol of something; what is given to a launch is so from now on. */
export function symbolOf(f: Frame, key: string, what: string): Symbol {
  const own = f.symbols.get(key);
  if (!own) throw new EmitError(`${what} is used where it is not defined`);
  if (f.offered.has(key)) f.used.add(key);
  return own;
}
export const nameOf = (f: Frame, key: string, what: string): string => symbolOf(f, key, what).name;

/** Makes a helper part of the text and returns its name. */
export function need(m: ModuleState, h: Helper): string {
  if (!m.helpers.has(h.name)) {
    m.helpers.set(h.name, h);
    h.features?.forEach((x) => m.features.add(x));
    h.uses?.forEach((u) => need(m, u));
  }
  return h.name;
}

/** A call. Comparisons stand in parentheses: `f(a < b, c > d)` would be read as a list of types. */
export const call = (name: string, ...args: readonly Text[]): Text => plainCall(name, ...args.map((a) => (a.p < PREC.shift ? { t: `(${a.t})`, p: PREC.primary } : a)));

/** @throws DslError KD-L-LACKS with the author's line */
export function lacks(f: Frame, what: string, where: string, fix: string, at: { readonly loc?: Loc | undefined; readonly step?: Stmt['step'] | undefined }): never {
  throw new DslError('KD-L-LACKS', { isa: f.m.target.isa, what, where, fix }, { loc: at.loc ?? f.m.k.loc, step: at.step });
}
