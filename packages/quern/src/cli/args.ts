import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

/** A command line that cannot be understood: the message says what and how to mend it. Exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** One option of a command: `value` takes an argument. */
export interface Option { readonly kind: 'flag' | 'text' | 'integer' | 'number'; readonly short?: string; readonly help: string; readonly value?: string; readonly min?: number }
export type Options = Readonly<Record<string, Option>>;
type ValueOf<O extends Option> = O['kind'] extends 'flag' ? boolean : O['kind'] extends 'text' ? string : number;
export type Parsed<T extends Options> = { readonly [K in keyof T]: ValueOf<T[K]> | undefined };

/** Parses a command's arguments by its options. @throws UsageError naming the option */
export function parse<const T extends Options>(argv: readonly string[], options: T, positionals: { readonly min: number; readonly max: number; readonly what: string }): { values: Parsed<T>; rest: string[] } {
  const config: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, o] of Object.entries(options)) config[name] = { type: o.kind === 'flag' ? 'boolean' : 'string', ...(o.short ? { short: o.short } : {}) };
  let raw: { values: Record<string, unknown>; positionals: string[] };
  try {
    raw = parseArgs({ args: [...argv], options: config, allowPositionals: true, strict: true }) as typeof raw;
  } catch (error) {
    throw new UsageError((error instanceof Error ? error.message : String(error)).replace(/\. To specify.*/s, ''));
  }
  if (raw.positionals.length < positionals.min) throw new UsageError(`${positionals.what} is missing`);
  if (raw.positionals.length > positionals.max) throw new UsageError(`too many arguments: '${raw.positionals[positionals.max]}'${positionals.max === 1 ? '; texts go after -p, in quotes' : ''}`);
  const values: Record<string, unknown> = {};
  for (const [name, o] of Object.entries(options)) {
    const v = raw.values[name];
    if (v === undefined || o.kind === 'flag' || o.kind === 'text') { values[name] = v; continue; }
    const n = Number(v);
    const min = o.min ?? -Infinity;
    if (String(v).trim() === '' || !Number.isFinite(n) || n < min || (o.kind === 'integer' && !Number.isSafeInteger(n))) {
      throw new UsageError(`--${name} needs ${o.kind === 'integer' ? 'a whole number' : 'a number'}${min > -Infinity ? ` of at least ${min}` : ''}, got '${String(v)}'`);
    }
    values[name] = n;
  }
  return { values: values as Parsed<T>, rest: raw.positionals };
}

/** The options of a command as lines of help. */
export function optionHelp(options: Options): string {
  return Object.entries(options).map(([name, o]) => {
    const left = `  ${o.short ? `-${o.short}, ` : ''}--${name}${o.kind === 'flag' ? '' : ` ${o.value ?? 'N'}`}`;
    return `${left.padEnd(24)} ${o.help}`;
  }).join('\n');
}
