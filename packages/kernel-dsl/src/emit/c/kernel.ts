import type { DType, KernelIR, SourcedLine } from '../../ir/index.ts';
import { specViolation } from '../../ir/index.ts';
import type { Target } from '../../targets/index.ts';
import { EmitError } from '../error.ts';
import type { KernelMeta } from '../meta.ts';
import { kernelMeta } from '../meta.ts';
import { Namer, identifier } from '../names.ts';
import { headerComment, liveIn, Writer } from '../text/index.ts';
import type { Frame, KernelState } from './frame.ts';
import { RANK, bufKey, scalarKey, sizeKey, strideKey } from './frame.ts';
import type { RenderedHelper } from './helpers/index.ts';
import { printScope } from './stmt.ts';
import { cType } from './types.ts';

/** A kernel as C: its functions without what they need around them. `emitFileC` makes a file of several. */
export interface EmittedKernel {
  /** Name of the C function, e.g. `gemm_f32__x86_64_v4`. */
  readonly symbol: string;
  readonly source: string;
  /** `source` line by line, with the lines of the author that each comes from. */
  readonly lines: readonly SourcedLine[];
  readonly helpers: readonly RenderedHelper[];
  readonly meta: KernelMeta;
}

/** The C function of a kernel on a target. */
export const symbolOf = (name: string, isa: string): string => `${identifier(name)}__${isa.replaceAll('-', '_')}`;

const SLOTS: Readonly<Partial<Record<DType, string>>> = { f64: 'f64', f32: 'f32', i64: 'i64', i32: 'i32', u32: 'u32' };
/** How a scalar is read from its slot; integers narrower than 32 bits come as i32, f16 and bf16 as their bits in u32. */
function slotText(t: DType, i: number): string {
  const slot = SLOTS[t];
  return slot ? `scalar[${i}].${slot}` : `(${cType(t)})scalar[${i}].${t === 'f16' || t === 'bf16' ? 'u32' : 'i32'}`;
}

/** Everything that the launch hands over, with the text that fetches it. All names are taken before those of the body. */
function declareParams(k: KernelIR, f: Frame): { key: string; value: string }[] {
  const out: { key: string; value: string }[] = [], { namer } = f.kernel;
  const put = (key: string, wish: string, type: string, declaration: string, rank: number, value: string): void => {
    f.symbols.set(key, { name: namer.take(wish), type, declaration, rank });
    out.push({ key, value });
  };
  const tensors = k.params.flatMap((p) => (p.kind === 'tensor' ? [p.buf] : []));
  tensors.forEach((b, i) => {
    const type = `${b.access === 'in' ? 'const ' : ''}${cType(b.packed ? 'u8' : b.dtype)} *`;
    put(bufKey(b), b.name, type, `${type}restrict `, RANK.tensor, `buf[${i}]`);
  });
  k.sizes.forEach((n, i) => put(sizeKey(n), n, 'int64_t', 'const int64_t', RANK.size, `size[${i}]`));
  let next = k.sizes.length;
  for (const b of tensors) b.shape.forEach((_, d) => put(strideKey(b, d), `${b.name}_s${d}`, 'int64_t', 'const int64_t', RANK.stride, `size[${next++}]`));
  let slot = 0;
  for (const p of k.params) if (p.kind === 'scalar') put(scalarKey(p.name), p.name, cType(p.dtype), `const ${cType(p.dtype)}`, RANK.scalar, slotText(p.dtype, slot++));
  return out;
}

/**
 * Prints a lowered kernel as C for one target.
 * @throws EmitError when the kernel is not lowered, or holds what C on a CPU has not (blocks, lanes, barriers).
 */
export function emitKernelC(k: KernelIR, target: Target): EmittedKernel {
  const bad = specViolation(k, 'lowered');
  if (bad) throw new EmitError(`kernel ${k.name} is not lowered: ${bad}`, k.loc);
  const symbol = symbolOf(k.name, target.isa);
  const state: KernelState = {
    target, namer: new Namer(), helpers: new Map(), functions: [], globals: new Namer([symbol]), nonNegative: new Set(), masks: new Map(), assumptions: 0, scratchBytes: 0, sharedBytes: 0,
  };
  const f: Frame = { kernel: state, symbols: new Map([['ctx', { name: 'ctx', type: 'const quern_ctx *', declaration: 'const quern_ctx *', rank: RANK.ctx }]]), captured: new Map(), used: new Set(), pointers: new Map(), memory: 0 };
  const fetched = declareParams(k, f);
  const w = new Writer(1);
  printScope({ f, w, live: liveIn(k.body), kernelName: k.name, waiting: new Set(), at: undefined }, k.body);

  const out = new Writer();
  out.locs = k.loc ? [k.loc] : [];
  out.open(`int32_t ${symbol}(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {`);
  const arrays = new Set(f.used.has('ctx') ? ['ctx'] : []);
  for (const { key, value } of fetched) {
    if (!f.used.has(key)) continue;
    const s = f.symbols.get(key)!;
    arrays.add(value.replace(/^\(\w+\)|\[.*$/g, ''));
    if (s.declaration.endsWith(' ')) out.line(`${s.declaration}${s.name} = ${value};`); else out.declare(s.declaration, s.name, value);
  }
  for (const name of ['ctx', 'buf', 'size', 'scalar']) if (!arrays.has(name)) out.line(`(void)${name};`);
  out.lines.push(...w.lines);
  out.locs = [];
  out.line('return 0;');
  out.close();
  const blank: SourcedLine = { text: '', locs: [] }, own = k.loc ? [k.loc] : [];
  const lines = [...state.functions.flatMap((x) => [...x, blank]), ...headerComment(k).map((text) => ({ text, locs: own })), ...out.lines];
  return { symbol, source: lines.map((l) => `${l.text}\n`).join(''), lines, helpers: [...state.helpers.values()], meta: kernelMeta(k, state) };
}
