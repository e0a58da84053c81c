import { ArgumentError } from '../errors/index.ts';

/** A dimension of a parameter, ready to be compared with a tensor's. */
export type Dimension =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'size'; readonly name: string }
  | { readonly kind: 'expression'; readonly text: string; readonly names: readonly string[]; readonly value: (sizes: ReadonlyMap<string, number>) => number };

type Term = (sizes: ReadonlyMap<string, number>) => number;

const operators: Readonly<Record<string, { readonly level: number; readonly apply: (a: number, b: number) => number }>> = {
  '+': { level: 1, apply: (a, b) => a + b },
  '-': { level: 1, apply: (a, b) => a - b },
  '*': { level: 2, apply: (a, b) => a * b },
  // Sizes are not negative, so flooring and truncating are the same.
  '/': { level: 2, apply: (a, b) => Math.floor(a / b) },
  '%': { level: 2, apply: (a, b) => a % b },
};

const functions: Readonly<Record<string, (...args: number[]) => number>> = { min: Math.min, max: Math.max };

/**
 * Reads a dimension as the kernel language prints it: integers, sizes, + - * / % and parentheses, min and max.
 *
 * @throws ArgumentError for anything else.
 */
export function parseDimension(dimension: string | number): Dimension {
  if (typeof dimension === 'number') return { kind: 'number', value: dimension };
  if (/^[A-Za-z_]\w*$/.test(dimension)) return { kind: 'size', name: dimension };
  const tokens = dimension.match(/[A-Za-z_]\w*|\d+|[^\s]/g) ?? [];
  const names: string[] = [];
  let at = 0;
  const bad = (): ArgumentError => new ArgumentError(`cannot read the dimension '${dimension}' of a kernel`);
  const expect = (token: string): void => {
    if (tokens[at++] !== token) throw bad();
  };
  const primary = (): Term => {
    const token = tokens[at++];
    if (token === undefined) throw bad();
    if (/^\d+$/.test(token)) return () => Number(token);
    if (token === '(') {
      const inner = sum(1);
      expect(')');
      return inner;
    }
    if (!/^[A-Za-z_]/.test(token)) throw bad();
    const f = functions[token];
    if (f === undefined || tokens[at] !== '(') {
      names.push(token);
      return (sizes) => sizes.get(token) ?? NaN;
    }
    at++;
    const args = [sum(1)];
    while (tokens[at] === ',') {
      at++;
      args.push(sum(1));
    }
    expect(')');
    return (sizes) => f(...args.map((a) => a(sizes)));
  };
  const sum = (level: number): Term => {
    let left = level === 3 ? primary() : sum(level + 1);
    for (let op = operators[tokens[at] ?? '']; op !== undefined && op.level === level; op = operators[tokens[at] ?? '']) {
      const { apply } = op;
      const before = left;
      at++;
      const right = level === 2 ? primary() : sum(level + 1);
      left = (sizes) => apply(before(sizes), right(sizes));
    }
    return left;
  };
  const value = sum(1);
  if (at !== tokens.length) throw bad();
  return { kind: 'expression', text: dimension, names, value };
}
