import { ArgumentError, DTypeError, ShapeError, Tensor } from '@quern/runtime';
import { type Backend, runner } from '../backend/index.ts';
import { gemmName, gemm as algorithm } from '../kernels/index.ts';
import { checkOutput, type Matrix, type Real, transposed, type View, view } from '../matrix/index.ts';
import { planGemm } from './plan.ts';

/** `n`: the matrix as it is. `t`: transposed. `c`: conjugated and transposed, the same as `t` for real matrices. */
export type Op = 'n' | 't' | 'c';

/** Operands of {@link gemm}. */
export interface GemmArgs<A extends Real = Real> {
  /** m x k after `opA`. Only read. */
  readonly a: Matrix<A>;
  /** k x n after `opB`. Only read. */
  readonly b: Matrix<A>;
  /** m x n. Written; read too unless beta is 0. Must not share memory with a or b. */
  readonly c: Matrix<A>;
  /** Default 1. With 0, a and b are not read. */
  readonly alpha?: number;
  /** Default 0: c is overwritten, whatever it held. */
  readonly beta?: number;
  readonly opA?: Op;
  readonly opB?: Op;
}

/** How to compute. */
export interface GemmOptions {
  /** At most so many threads. Default: those of the runtime, or 1 for a small product. Results do not depend on it. */
  readonly threads?: number;
  /** Only this backend, or an error. Default: native code, or the interpreter with a warning where there is none. */
  readonly backend?: Backend;
  /** Only this instruction set, such as `x86-64-v3`, or an error. */
  readonly isa?: string;
}

/** Below this many multiplications a second thread costs more than it brings. */
const MIN_PARALLEL_WORK = 64 ** 3;

/**
 * C = alpha op(A) op(B) + beta C, for f32 or f64, any transposition and any strides. No operand is copied as a whole.
 *
 * Each element of C is within `gamma_(k+4) (|alpha| |A||B| + |beta| |C0|)` of the exact value, where `gamma_n = n u / (1 - n u)`
 * (Higham, "Accuracy and Stability of Numerical Algorithms"), and has the same bits whatever the number of threads. NaN and
 * infinities propagate, also those of alpha and beta; beta = 0 never reads c; alpha = 0 never reads a and b.
 *
 * @returns `args.c`
 * @throws ShapeError, DTypeError, ArgumentError, DisposedError: the message names the operand; c is as it was
 * @throws ProviderLoadError when `options` asks for a backend or an instruction set that is not here
 * @example
 * const a = { data: Float64Array.of(1, 2, 3, 4, 5, 6), rows: 2, cols: 3 };
 * const c = { data: new Float64Array(4), rows: 2, cols: 2 };
 * gemm({ a, b: a, opB: 't', c }).data; // Float64Array [14, 32, 32, 77]
 */
export function gemm<A extends Real>(args: GemmArgs<A>, options: GemmOptions = {}): Matrix<A> {
  const { alpha = 1, beta = 0 } = args;
  const a = applied('opA', args.opA, view('gemm', 'a', args.a as Matrix)), b = applied('opB', args.opB, view('gemm', 'b', args.b as Matrix));
  const c = view('gemm', 'c', args.c as Matrix);
  for (const [name, x] of [['alpha', alpha], ['beta', beta]] as const) {
    if (typeof x !== 'number') throw new ArgumentError(`gemm: '${name}' must be a number, got ${typeof x}`);
  }
  checkFit(a, b, c);
  checkOutput('gemm', c, [a, b]);
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) throw new ArgumentError(`gemm: threads must be an integer from 1 to 256, got ${String(threads)}`);
  if (c.rows === 0 || c.cols === 0) return args.c;

  const plan = planGemm(a, b, c), T = c.dtype;
  const run = runner(gemmName(T, plan.layout), () => algorithm(T, plan.layout), options.backend, options.isa);
  const [A, B, C] = [asTensor(plan.A), asTensor(plan.B), asTensor(plan.C)];
  try {
    run.run({ A, B, C, alpha, beta }, threads ?? (c.rows * c.cols * Math.max(1, a.cols) <= MIN_PARALLEL_WORK ? 1 : undefined));
  } finally {
    for (const t of [A, B, C]) t.dispose();
  }
  return args.c;
}

function applied(name: string, op: Op | undefined, v: View): View {
  if (op === undefined || op === 'n') return v;
  if (op === 't' || op === 'c') return transposed(v);
  throw new ArgumentError(`gemm: '${name}' must be 'n', 't' or 'c', got ${String(op)}`);
}

const asTensor = (v: View): Tensor => new Tensor(v.storage, v.dtype, [v.rows, v.cols], [v.rowStride, v.colStride], v.byteOffset);

function checkFit(a: View, b: View, c: View): void {
  for (const v of [a, b]) {
    if (v.dtype !== c.dtype) throw new DTypeError(`gemm: '${v.name}' is ${v.dtype} but 'c' is ${c.dtype}`, { fix: 'convert one of them: all operands have one element type' });
  }
  const size = (v: View): string => `${v.rows} x ${v.cols}`;
  if (a.cols !== b.rows) throw new ShapeError(`gemm: op(a) is ${size(a)} and op(b) is ${size(b)}: ${a.cols} columns do not meet ${b.rows} rows`);
  if (c.rows !== a.rows || c.cols !== b.cols) throw new ShapeError(`gemm: 'c' is ${size(c)}, but op(a) op(b) is ${a.rows} x ${b.cols}`);
}
