import type { Case } from '../cases/index.ts';

/** What went wrong in one run, in its smallest form. */
export interface Mismatch {
  /** `algorithm`: the kernel itself is at fault, or its oracle. */
  readonly backend: 'algorithm' | 'scheduled' | 'lowered' | 'c' | 'device';
  readonly isa: string | undefined;
  /** The argument, where one is to blame. */
  readonly param: string | undefined;
  /** The element; undefined for a touch outside of the tensor. */
  readonly index: readonly number[] | undefined;
  /** One sentence. */
  readonly what: string;
  readonly expected: number | bigint | undefined;
  readonly got: number | bigint | undefined;
  /** The difference that was allowed; 0 where bits had to be equal. */
  readonly bound: number | undefined;
}

/** Thrown inside of a run; `conform` makes a ConformanceError of the last one. */
export class Fault extends Error {
  readonly mismatch: Mismatch;
  constructor(m: Partial<Mismatch> & Pick<Mismatch, 'backend' | 'what'>, options: ErrorOptions = {}) {
    super(m.what, options);
    this.mismatch = { isa: undefined, param: undefined, index: undefined, expected: undefined, got: undefined, bound: undefined, ...m };
  }
}

const VALUES = ['small whole numbers', 'ordinary numbers', 'numbers with NaN, infinities, signed zeros, subnormals and extremes', 'numbers with signed zeros and large ones'];

function describe(c: Case): string {
  const sizes = Object.entries(c.sizes).map(([n, v]) => `${n} = ${v}`).join(', ') || 'none';
  const layouts = Object.entries(c.layouts).flatMap(([n, l]) => {
    const notes = [l.pad ? `rows padded by ${l.pad}` : '', l.inner ? `inner stride ${1 + l.inner} if strided` : '', l.offset ? `offset ${l.offset}` : '', l.reversed ? 'outermost dimension reversed' : '', l.transposed ? 'columns first if strided' : ''].filter(Boolean);
    return notes.length ? [`${n}: ${notes.join(', ')}`] : [];
  });
  return `  sizes: ${sizes}\n  values: ${VALUES[c.values]}\n  layout: ${layouts.join('; ') || 'dense'}\n`;
}

const show = (x: number | bigint | undefined): string => (Object.is(x, -0) ? '-0' : String(x));

/** A kernel does not do what it says. The message has the smallest case found and how to repeat it; `mismatch` and `case` have it as data. */
export class ConformanceError extends Error {
  readonly kernel: string;
  readonly mismatch: Mismatch;
  readonly case: Case | undefined;
  readonly seed: number;
  readonly path: string | undefined;

  constructor(kernel: string, m: Mismatch, c: Case | undefined, run: { readonly seed: number; readonly path: string | undefined }, cause?: unknown) {
    const where = m.backend === 'algorithm' ? 'the algorithm' : m.backend === 'c' ? `C for ${m.isa}` : m.backend === 'device' ? `the device as ${m.isa}` : `the ${m.backend} program for ${m.isa}`;
    const element = m.param === undefined ? '' : `  argument: ${m.param}${m.index ? `[${m.index.join(', ')}]` : ''}\n`;
    const values = m.got === undefined ? '' : `  expected: ${show(m.expected)}\n  got: ${show(m.got)}\n${m.bound ? `  allowed difference: ${m.bound}\n` : ''}`;
    const again = run.path === undefined ? '' : `  again: conform(${kernel}, { …, seed: ${run.seed}, path: '${run.path}' }), or all of it: FC_SEED=${run.seed} npx vitest run THE_TEST_FILE\n`;
    super(`${kernel}: ${where}: ${m.what}\n${element}${values}${c ? describe(c) : ''}${again}`, { cause });
    this.name = 'ConformanceError';
    this.kernel = kernel;
    this.mismatch = m;
    this.case = c;
    this.seed = run.seed;
    this.path = run.path;
  }
}
