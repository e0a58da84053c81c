/** Words of C, of the ABI and of predefined macros that no variable may be called. */
const RESERVED: ReadonlySet<string> = new Set((
  'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed sizeof static struct switch '
  + 'typedef union unsigned void volatile while asm typeof bool true false nullptr NULL INFINITY NAN linux unix i386 near far min max abs '
  + 'ctx buf size scalar env begin end worker '
  + 'exp exp2 log log2 sin cos tanh erf sqrt memcpy fprintf stderr printable'
).split(' '));

/** Vector types, types of stdint.h and the ABI, and the functions that emitted kernels call (`min_f32`, `f32x8_from_f16`, …). */
const OURS = new RegExp([
  '^[fiu]\\d+x\\d+$', '^load_(half_)?[iu]4(x\\d+)?$', '^u?int\\d+_t$', '^quern_', '^QUERN_', '^(b?f|i|u)\\d+(x\\d+)?_(from|bits_of)_',
  '^(abs|any|atomic_[a-z]+|ceil|clz|copysign|ctz|div|dot4|exponent|exp2?|erf|floor|floordiv|floormod|fma|gather|gather_bytes|high_half|ldexp|load|log2?|low_half|mantissa|max|min|mod|popcount|reduce_[a-z]+|round|scatter|select|(any|select)_(lt|le|gt|ge|eq|ne)|sin|cos|splat|sqrt|store|tanh|trunc|xmm_of)_(b?f|i|u)\\d+(x\\d+)?$',
].join('|'));

/** An identifier of C that reads like `name`. */
export function identifier(name: string): string {
  const s = name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^_+(?=.)/, '');
  return /^[A-Za-z]/.test(s) ? s : `x${s}`;
}

/** Names that are visible at one place of the program. An inner scope ends by `restore`, and its names are free again. */
export class Namer {
  private readonly used: Set<string>;
  constructor(taken: Iterable<string> = []) {
    this.used = new Set(taken);
  }

  /** A name like `wish` that nothing visible has; it is taken from now on. */
  take(wish: string): string {
    const base = identifier(wish);
    let name = base;
    for (let n = 2; this.used.has(name) || RESERVED.has(name) || OURS.test(name); n++) name = `${base}_${n}`;
    this.used.add(name);
    return name;
  }

  /** The names taken now, to return to with `restore`. */
  mark(): readonly string[] {
    return [...this.used];
  }

  restore(mark: readonly string[]): void {
    this.used.clear();
    for (const n of mark) this.used.add(n);
  }
}
