import { DslError } from '../errors/index.ts';
import { here } from './here.ts';

/** What a specialisation constant may be. */
export type ConstantValue = number | boolean | string;

/** A specialisation constant as declared. */
export interface ConstantSpec<V extends ConstantValue> {
  readonly kind: 'constant';
  readonly value: V;
}

/**
 * Declares a specialisation constant: a value that is fixed when the kernel is built and is a plain JavaScript value in its body, where it may
 * steer `if` and `for` of JavaScript, be a dimension, or be a number in arithmetic. `kernel.with({ … })` builds the kernel for another value.
 * It is part of the kernel's IR, of its metadata and of the text it is cached by.
 * @param value the default, whose type the others must have
 * @example
 * const sums = kernel('sums', { T: constant(16), x: tensor('f32', 'N', 'T'), y: tensor('f32', 'N').out() }, ({ T, x, y, N }) => { … });
 * sums.with({ T: 64 })
 */
export function constant(value: number): ConstantSpec<number>;
export function constant(value: boolean): ConstantSpec<boolean>;
export function constant<V extends string>(value: V): ConstantSpec<V>;
export function constant<V extends ConstantValue>(value: V): ConstantSpec<V> {
  return { kind: 'constant', value };
}

type Declared = Readonly<Record<string, ConstantSpec<ConstantValue> | { readonly kind: 'tensor' | 'scalar' }>>;

/** The value of every constant of a kernel: the chosen ones, else the defaults. */
export function chosen(params: Declared, choice: Readonly<Record<string, unknown>>, kernel: string): Readonly<Record<string, ConstantValue>> {
  const out: Record<string, ConstantValue> = {};
  for (const [n, p] of Object.entries(params)) if (p.kind === 'constant') out[n] = p.value;
  for (const [n, v] of Object.entries(choice)) {
    if (v === undefined) continue;
    const known = Object.hasOwn(out, n) ? typeof out[n] : undefined;
    const fits = (typeof v === 'number' && Number.isFinite(v)) || typeof v === 'boolean' || typeof v === 'string';
    if (known === undefined) throw new DslError('KD-CONSTANT', { kernel, name: n, given: String(v), why: 'is no constant of the kernel' }, { loc: here() });
    if (!fits || typeof v !== known) throw new DslError('KD-CONSTANT', { kernel, name: n, given: String(v), why: `is a ${known}` }, { loc: here() });
    out[n] = v;
  }
  return out;
}

/** The name of a kernel for these constants: those that differ from their defaults are part of it. */
export const variantName = (name: string, params: Declared, constants: Readonly<Record<string, ConstantValue>>): string =>
  Object.entries(constants).reduce((s, [n, v]) => {
    const p = params[n];
    return p?.kind === 'constant' && p.value !== v ? `${s}_${n}${String(v).replace(/-/g, 'm').replace(/\W/g, '_')}` : s;
  }, name);
