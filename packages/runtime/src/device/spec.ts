import { ArgumentError } from '../errors/index.ts';
import type { DeviceInfo, DeviceKind } from './device.ts';

/** One alternative of a device specification. */
export interface Wish {
  readonly text: string;
  readonly kind: DeviceKind | undefined;
  readonly type: 'gpu' | 'cpu' | undefined;
  readonly index: number | undefined;
  /** Part of the name, in lower case. */
  readonly name: string | undefined;
}

const kinds: readonly DeviceKind[] = ['cpu', 'cuda', 'opencl', 'webgpu'];

/** Other spellings that people use. */
const aliases: Readonly<Record<string, string>> = {
  'opencl gpu': 'opencl:gpu', 'opencl cpu': 'opencl:cpu', nvidia: 'cuda', host: 'cpu', native: 'cpu',
};

/**
 * Reads `kind[:index|:gpu|:cpu|:name][,...]`, alternatives in order of preference: `cuda:0`, `opencl:gpu`, `cuda:h200,cpu`,
 * `gpu` (any that is one), `auto`.
 *
 * @returns an empty list for `auto`. @throws ArgumentError for text that is no specification.
 */
export function parseDeviceSpec(spec: string): Wish[] {
  const wishes = spec.split(',').map((part) => parseWish(part.trim(), spec));
  return wishes.some((w) => w === undefined) && wishes.length === 1 ? [] : wishes.filter((w) => w !== undefined);
}

function parseWish(part: string, spec: string): Wish | undefined {
  const text = aliases[part.toLowerCase()] ?? part.toLowerCase();
  if (text === 'auto') return undefined;
  if (text === 'gpu') return { text, kind: undefined, type: 'gpu', index: undefined, name: undefined };
  const colon = text.indexOf(':');
  const kind = kinds.find((k) => k === (colon < 0 ? text : text.slice(0, colon)));
  const rest = colon < 0 ? undefined : text.slice(colon + 1);
  if (kind === undefined || rest === '') {
    throw new ArgumentError(`'${spec}' is no device`, { fix: `write kind[:index|:gpu|:name][,...] with a kind of ${kinds.join(', ')}; or gpu, or auto` });
  }
  if (rest === undefined) return { text, kind, type: undefined, index: undefined, name: undefined };
  if (/^\d+$/.test(rest)) return { text, kind, type: undefined, index: Number(rest), name: undefined };
  if (rest === 'gpu' || rest === 'cpu') return { text, kind, type: rest, index: undefined, name: undefined };
  return { text, kind, type: undefined, index: undefined, name: rest };
}

/** Whether a device is what a wish asks for. An OpenCL device that runs on the CPU is no `opencl:gpu`. */
export function satisfies(d: DeviceInfo, wish: Wish): boolean {
  if (wish.kind !== undefined && d.kind !== wish.kind) return false;
  if (wish.index !== undefined && d.index !== wish.index) return false;
  if (wish.type === 'gpu' && d.type !== 'igpu' && d.type !== 'dgpu') return false;
  if (wish.type === 'cpu' && d.type !== 'cpu') return false;
  return wish.name === undefined || d.name.toLowerCase().includes(wish.name);
}
