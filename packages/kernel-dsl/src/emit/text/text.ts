/** A piece of C with the precedence of its outermost operator, so that parentheses appear where they are needed and nowhere else. */
export interface Text {
  readonly t: string;
  readonly p: number;
}

export const PREC = { primary: 16, unary: 14, mul: 13, add: 12, shift: 11, rel: 10, eq: 9, and: 8, xor: 7, or: 6, land: 5, lor: 4, cond: 3, any: 0 } as const;

/** The text, in parentheses if it binds less tightly than `min`. */
export const wrap = (x: Text, min: number): string => (x.p >= min ? x.t : `(${x.t})`);

export const primary = (t: string): Text => ({ t, p: PREC.primary });
export const call = (name: string, ...args: readonly Text[]): Text => primary(`${name}(${args.map((a) => a.t).join(', ')})`);
export const prefix = (op: string, x: Text): Text => {
  const inner = wrap(x, PREC.unary);
  return { t: `${op}${op === '-' && inner.startsWith('-') ? `(${inner})` : inner}`, p: PREC.unary };
};
/** A conversion: `(float)x`. */
export const castTo = (type: string, x: Text): Text => prefix(`(${type})`, x);

const OPERATORS: Readonly<Record<string, number>> = {
  '*': PREC.mul, '/': PREC.mul, '%': PREC.mul, '+': PREC.add, '-': PREC.add, '<<': PREC.shift, '>>': PREC.shift,
  '<': PREC.rel, '<=': PREC.rel, '>': PREC.rel, '>=': PREC.rel, '==': PREC.eq, '!=': PREC.eq, '&': PREC.and, '^': PREC.xor, '|': PREC.or, '&&': PREC.land, '||': PREC.lor,
};

/** Two operands. Bit operations and logic keep parentheses around other operators, as compilers' warnings ask. */
export function infix(op: string, a: Text, b: Text): Text {
  const p = OPERATORS[op] ?? PREC.any;
  if (p >= PREC.add) {
    // a + -3 reads better as a - 3.
    if (op === '+' && /^-\d/.test(b.t) && b.p === PREC.unary) return { t: `${wrap(a, p)} - ${b.t.slice(1)}`, p };
    return { t: `${wrap(a, p)} ${op} ${wrap(b, p + 1)}`, p };
  }
  const inner = p === PREC.rel || p === PREC.eq ? PREC.add : p === PREC.land || p === PREC.lor ? PREC.eq : PREC.unary;
  const chains = op === '&' || op === '|' || op === '^' || op === '&&' || op === '||';
  return { t: `${chains && a.p === p ? a.t : wrap(a, inner)} ${op} ${wrap(b, inner)}`, p };
}

export const ternary = (c: Text, a: Text, b: Text): Text => ({ t: `${wrap(c, PREC.lor)} ? ${wrap(a, PREC.lor)} : ${wrap(b, PREC.lor)}`, p: PREC.cond });
