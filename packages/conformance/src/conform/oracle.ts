import type { InterpretArg, KernelIR, TensorArg } from '@quern/kernel-dsl';
import { decoded, eachElement } from '../memory/index.ts';
import type { OracleArg } from './options.ts';

/** Arguments as oracles and bounds see them: numbers, row-major and dense. */
export function seenBy(k: KernelIR, args: Readonly<Record<string, InterpretArg>>): Record<string, OracleArg> {
  return Object.fromEntries(k.params.map((p) => {
    const a = args[p.name]!;
    if (p.kind === 'scalar' || typeof a === 'number') return [p.name, p.kind === 'scalar' && p.dtype === 'f32' ? Math.fround(a as number) : (a as number)];
    const data: number[] = [];
    eachElement(a as TensorArg, (_, at) => data.push(decoded((a as TensorArg).data[at]!, p.buf.dtype)));
    return [p.name, { shape: (a as TensorArg).shape, data }];
  }));
}

/** A nested array, or anything that knows how to become one, as a flat list of numbers. */
export function flat(x: unknown): number[] {
  if (typeof x === 'number') return [x];
  if (ArrayBuffer.isView(x)) return Array.from(x as unknown as ArrayLike<number>);
  if (Array.isArray(x)) return x.flatMap(flat);
  const list = (x as { toArray?: () => unknown } | null)?.toArray?.();
  if (list === undefined) throw new TypeError(`an oracle returns numbers or arrays of them, not ${String(x)}`);
  return flat(list);
}
