import type { Buffer, DType, SourcedLine, Var } from '../../ir/index.ts';
import type { Target } from '../../targets/index.ts';
import { EmitError } from '../error.ts';
import { Namer } from '../names.ts';
import type { Helper, RenderedHelper } from './helpers/index.ts';

/** Something that C code names: a variable, a pointer, a register, `ctx`. */
export interface Symbol {
  readonly name: string;
  /** Type of a field that carries it into another function. */
  readonly type: string;
  /** Declaration in front of the name where it is not the field's type: pointers gain `restrict`, values `const`. */
  readonly declaration: string;
  /** Order among the fields: context, tensors, memory, sizes, strides, scalars, values. */
  readonly rank: number;
}

export const RANK = { ctx: 0, tensor: 1, memory: 2, size: 3, stride: 4, scalar: 5, value: 6 } as const;

/** State that all functions of one kernel share. */
export interface KernelState {
  readonly target: Target;
  readonly namer: Namer;
  readonly helpers: Map<string, RenderedHelper>;
  /** Finished functions and structs, in the order in which C needs them. */
  readonly functions: (readonly SourcedLine[])[];
  /** Names of functions and structs. */
  readonly globals: Namer;
  /** Loop variables and values known not to be negative. */
  readonly nonNegative: Set<number>;
  /** Width of the lanes of vector bools. */
  readonly masks: Map<number, DType>;
  /** How many have been printed. */
  assumptions: number;
  scratchBytes: number;
  sharedBytes: number;
}

/** One C function being written. */
export interface Frame {
  readonly kernel: KernelState;
  readonly symbols: Map<string, Symbol>;
  /** What this function uses from outside of it. */
  readonly captured: Map<string, Symbol>;
  /** Keys of its own symbols that it mentions, itself or in what it hands on. */
  readonly used: Set<string>;
  readonly parent?: Frame;
  /** Names for places in memory, by buffer and offset. */
  readonly pointers: Map<string, string>;
  /** Bytes of scratch or shared memory in use at this point. */
  memory: number;
}

export const varKey = (v: Var): string => `v${v.id}`;
export const bufKey = (b: Buffer): string => `b${b.id}`;
export const sizeKey = (name: string): string => `#${name}`;
export const strideKey = (b: Buffer, dim: number): string => `s${b.id}.${dim}`;
export const scalarKey = (name: string): string => `$${name}`;

/** The C name of a symbol; one from outside is captured. */
export function nameOf(f: Frame, key: string, what: string): string {
  const own = f.symbols.get(key);
  if (own) { f.used.add(key); return own.name; }
  for (let p = f.parent; p; p = p.parent) {
    const s = p.symbols.get(key);
    if (!s) continue;
    p.used.add(key);
    f.captured.set(key, s);
    return s.name;
  }
  throw new EmitError(`${what} is used where it is not defined`);
}

/** Makes a helper part of the file and returns its name. */
export function need(f: Frame, h: Helper): string {
  const { helpers, target } = f.kernel;
  if (!helpers.has(h.name)) {
    const { text, uses, includes } = h.render(target);
    helpers.set(h.name, { name: h.name, text, uses: uses.map((u) => u.name), ...(includes && { includes }) });
    uses.forEach((u) => need(f, u));
  }
  return h.name;
}
