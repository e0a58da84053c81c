import { DTYPES, isFloat, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, KernelIR, Stmt } from '../ir/index.ts';
import { ARRAYS, RunError, interpret } from '../run/index.ts';
import type { InterpretArg, RunErrorId } from '../run/index.ts';

/** A run of a kernel that goes wrong. */
export interface Counterexample {
  readonly sizes: Readonly<Record<string, number>>;
  readonly scalars: Readonly<Record<string, number>>;
  /** The loop variables at that moment. */
  readonly at: Readonly<Record<string, number>>;
  readonly index: readonly number[];
  readonly fault: RunError;
}

/** Runs are small: loops of so many iterations in all, tensors of so many elements, so many runs. */
const MOST_STEPS = 20_000, MOST_ELEMENTS = 50_000, RUNS = 72;

/** Constants that index arithmetic divides, cuts or multiplies by: sizes around them are where programs go wrong. */
function factors(body: Stmt): number[] {
  const found = new Set<number>();
  const see = (e: Expr): void => {
    if (e.kind === 'binary' && e.dtype === 'i64') for (const x of [e.a, e.b]) if (x.kind === 'const' && x.value > 1 && x.value <= 512) found.add(x.value);
  };
  visitExprs(body, see);
  visitStmt(body, (s) => { if (s.kind === 'for' && s.extent.kind === 'const' && s.extent.value <= 512) found.add(s.extent.value); });
  return [...found];
}

/** A generator of small random numbers with a fixed start (Marsaglia's xorshift32): equal kernels give equal answers. */
function dice(): (n: number) => number {
  let x = 0x2545f491;
  return (n) => {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    return Math.floor(((x >>> 0) / 2 ** 32) * n);
  };
}

const dimension = (e: Expr, sizes: ReadonlyMap<string, number>): number => {
  if (e.kind === 'const') return e.value;
  if (e.kind === 'size') return sizes.get(e.name) ?? 0;
  if (e.kind !== 'binary') return 0;
  const a = dimension(e.a, sizes), b = dimension(e.b, sizes);
  switch (e.fn) {
    case 'add': return a + b;
    case 'sub': return a - b;
    case 'mul': return a * b;
    case 'div': return Math.floor(a / b);
    case 'min': return Math.min(a, b);
    case 'max': return Math.max(a, b);
    default: return 0;
  }
};

function tensorOf(b: Buffer, sizes: ReadonlyMap<string, number>, pick: (n: number) => number): InterpretArg | undefined {
  const shape = b.shape.map((e) => dimension(e, sizes)), n = shape.reduce((p, x) => p * x, 1);
  if (!(n >= 0 && n <= MOST_ELEMENTS)) return undefined;
  const data = new ARRAYS[b.dtype](n), { kind } = DTYPES[b.dtype], most = Math.max(2, ...sizes.values()) + 1;
  if (b.access !== 'out' && kind !== 'bool') {
    for (let i = 0; i < n; i++) {
      const x = kind === 'float' ? 1 : kind === 'int' && pick(8) === 0 ? -1 : pick(most);
      if (data instanceof BigInt64Array) data[i] = BigInt(x); else data[i] = x;
    }
  }
  return { data, shape };
}

/** Looks for runs that end in one of the given faults: small sizes, 0 and 1, around every factor, primes. The first of each fault and place. */
export function counterexamples(k: KernelIR, wanted: ReadonlySet<RunErrorId>, enough: number, runs: number = RUNS): Counterexample[] {
  const pick = dice(), around = factors(k.body).flatMap((f) => [f - 1, f, f + 1]).filter((x) => x <= 600);
  const small = [1, 2, 3, 5, 7, 0], pool = [...small, ...small, 4, 11, ...around];
  const found = new Map<string, Counterexample>();
  for (let run = 0; run < runs && found.size < enough; run++) {
    const uniform = run < small.length ? small[run]! : run < small.length + around.length && run < 30 ? around[run - small.length]! : undefined;
    const sizes = new Map(k.sizes.map((n) => [n, uniform ?? pool[pick(pool.length)]!]));
    const args: Record<string, InterpretArg> = {}, scalars: Record<string, number> = {};
    let fits = true;
    for (const n of k.sizes) args[n] = sizes.get(n)!;
    for (const p of k.params) {
      if (p.kind === 'tensor') {
        const t = tensorOf(p.buf, sizes, pick);
        if (t === undefined) { fits = false; break; }
        args[p.name] = t;
        continue;
      }
      const unsigned = DTYPES[p.dtype].kind !== 'int' && !isFloat(p.dtype), values = run % 3 === 0 ? [0, 1] : [...sizes.values(), 0, 1, 2, ...(unsigned ? [] : [-1])];
      scalars[p.name] = args[p.name] = p.dtype === 'bool' ? pick(2) : isFloat(p.dtype) ? pick(3) : values[pick(values.length)]!;
    }
    if (!fits) continue;
    try {
      interpret(k, args, { maxSteps: MOST_STEPS, seed: run + 1 });
    } catch (e) {
      if (!(e instanceof RunError)) throw e;
      const key = `${e.id} ${e.buffer} ${e.loc?.line} ${e.loc?.col}`;
      if (wanted.has(e.id) && !found.has(key)) found.set(key, { sizes: Object.fromEntries(sizes), scalars, at: e.at, index: e.index ?? [], fault: e });
    }
  }
  return [...found.values()];
}
