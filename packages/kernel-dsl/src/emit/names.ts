/** Words of C, of the ABI and of predefined macros that no variable may be called. */
const RESERVED: ReadonlySet<string> = new Set((
  'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed sizeof static struct switch '
  + 'typedef union unsigned void volatile while asm typeof bool true false nullptr NULL INFINITY NAN linux unix i386 near far min max abs '
  + 'ctx buf size scalar env begin end worker '
  + 'exp exp2 log log2 sin cos tanh erf sqrt memcpy'
).split(' '));

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
    // f32x16 and the like are vector types; i64x4 style names of authors move aside.
    for (let n = 2; this.used.has(name) || RESERVED.has(name) || /^([fiu]\d+x\d+|u?int\d+_t|quern_\w+)$/.test(name); n++) name = `${base}_${n}`;
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
