import type { Buffer, Expr, Var } from '../../../ir/index.ts';
import { exprKey } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import type { Namer } from '../../names.ts';
import type { Begun } from '../assemble.ts';
import type { GpuArg } from '../module.ts';
import type { PlannedLaunch } from '../plan.ts';
import type { Dialect, Helper, Memory } from './dialect.ts';
import { rendered } from './helper.ts';
import type { RenderedHelper } from './helper.ts';
import type { Interval } from './interval.ts';
import type { Range } from './ranges.ts';

/** What all launches of a module share while it is printed. */
export interface ModuleState extends Begun {
  readonly dialect: Dialect;
  readonly helpers: Map<string, RenderedHelper>;
}

/** A name in the text of a launch. `bits`: of index values. */
export interface Symbol { readonly name: string; readonly memory?: Memory; readonly bits?: 32 | 64 }

/** One launch being printed. */
export interface Frame {
  readonly m: ModuleState;
  readonly launch: PlannedLaunch;
  readonly namer: Namer;
  readonly symbols: Map<string, Symbol>;
  /** Parameters that the text uses, by the keys of their symbols. */
  readonly args: Map<string, { readonly arg: GpuArg; readonly declaration: string }>;
  /** Every parameter that there may be. */
  readonly offered: ReadonlyMap<string, { readonly arg: GpuArg; readonly declaration: string; readonly name: string }>;
  /** Loop variables and names known not to be negative. */
  readonly nonNegative: Set<number>;
  /** Bounds of index variables. */
  readonly intervals: Map<number, Interval | undefined>;
  readonly memo: WeakMap<Expr, Interval | 'none'>;
  /** Variables and registers whose value may differ from lane to lane. */
  readonly varying: Set<string>;
  /** Ranges of named values of up to 32 bits. */
  readonly ranges: Map<number, Range>;
  /** Declarations of shared memory for exchanges, at the top of the kernel. */
  readonly exchanges: Map<string, { readonly name: string; readonly n: number; readonly bytes: number }>;
}

/** What the bounds of indices are told by. */
export type Indexing = Pick<Frame, 'intervals' | 'memo'> & { readonly symbols: ReadonlyMap<string, Pick<Symbol, 'bits'>>; readonly m: Pick<ModuleState, 'options' | 'below'> };

export const varKey = (v: Var): string => `v${v.id}`;
export const bufKey = (b: Buffer): string => `b${b.id}`;
export const startKey = (b: Buffer): string => `o${b.id}`;
/** Is a tensor read as an image? */
export const isImage = (m: ModuleState, b: Buffer): boolean => m.dialect.starts && b.space === 'param' && m.k.images?.includes(b.name) === true;
export const sizeKey = (name: string): string => `#${name}`;
export const strideKey = (b: Buffer, dim: number): string => `s${b.id}.${dim}`;
export const scalarKey = (name: string): string => `$${name}`;
export const FAULTS = '!faults';
/** A tensor as copies by hardware take it. */
export const mapKey = (b: Buffer, box: readonly number[], swizzle: number): string => `m${b.id} ${box.join(' ')} ${swizzle}`;

/** The symbol of something; a parameter is one from now on. */
export function symbolOf(f: Frame, key: string, what: string): Symbol {
  const own = f.symbols.get(key);
  if (!own) throw new EmitError(`${what} is used where it is not defined`);
  const offer = f.offered.get(key);
  if (offer && !f.args.has(key)) f.args.set(key, offer);
  return own;
}
export const nameOf = (f: Frame, key: string, what: string): string => symbolOf(f, key, what).name;

/** Makes a helper part of the text and returns its name. */
export function need(f: Frame, h: Helper): string {
  const { helpers, dialect, target, features } = f.m;
  if (!helpers.has(h.name)) {
    const r = rendered(h, dialect, target);
    helpers.set(h.name, r);
    r.features.forEach((x) => features.add(x));
    r.needs.forEach((u) => need(f, u));
  }
  return h.name;
}

/** Demands that a value fits 32 bits when the module runs. */
export const demand = (f: Indexing, e: Expr): void => { if (f.m.options.indexBits === 32 && e.kind !== 'const') f.m.below.set(exprKey(e), e); };
