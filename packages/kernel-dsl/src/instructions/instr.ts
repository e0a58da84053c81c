import { DslError } from '../errors/index.ts';
import { affine, buffersOf, bytesOf, childrenOf, exprsOf, isConst, visitExpr } from '../ir/index.ts';
import type { Buffer, Expr, Instruction, KernelIR, Passing, Stmt, TeamText } from '../ir/index.ts';
import { here } from '../lang/index.ts';
import type { Kernel } from '../lang/index.ts';

/** What an author says of an instruction. */
export interface InstrSpec {
  /** Letters, digits and _: it becomes the name of a function in emitted code. */
  readonly name: string;
  /** Features that a target must list, e.g. `['avx512_vnni']`. */
  readonly needs: readonly string[];
  /** The kernel that it computes, traced at first use: loops around one accumulation or store. Tensors are operands; sizes and scalars are immediate values. */
  readonly meaning: () => Kernel;
  /** How each tensor is passed: a `vector`, a `word` of up to 8 bytes, a `pointer` with its strides, or `panels`, dense but for the first dimension. */
  readonly operands: Readonly<Record<string, Passing>>;
  /** false where the machine adds in another order than the meaning, or flushes denormals; true by default: its results have the bits of the meaning. */
  readonly exact?: boolean;
  /** Text for targets. `c`: the body of a function with the operands as parameters (`p` and `p_s0`, … for pointers); it returns the vector that it writes, if it writes one. */
  readonly emit: { readonly c?: string | readonly string[]; readonly includes?: readonly string[]; readonly team?: TeamText };
}

/**
 * Defines an instruction. Its meaning is checked at first use.
 * @throws DslError KD-I-DEFINE: an operand that is not passed, a vector whose elements are not all touched, two vectors written.
 * @example
 * const fma256 = instr({
 *   name: 'fma_f32x8', needs: ['fma'], operands: { a: 'vector', b: 'vector', c: 'vector' },
 *   meaning: () => kernel('fma_f32x8', { a: tensor('f32', 8), b: tensor('f32', 8), c: tensor('f32', 8).inout() }, ({ a, b, c }) => {
 *     const ax = axes({ l: 8 });
 *     for (const l of ax.l) c.at(l).set(fma(a.at(l), b.at(l), c.at(l)));
 *     return ax;
 *   }),
 *   emit: { c: 'return (f32x8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);', includes: ['immintrin.h'] },
 * });
 */
export function instr(spec: InstrSpec): Instruction {
  const loc = here();
  const refuse = (why: string): never => { throw new DslError('KD-I-DEFINE', { name: spec.name, why }, { loc }); };
  if (!/^[A-Za-z]\w*$/.test(spec.name)) refuse('its name is not an identifier');
  let ir: KernelIR | undefined;
  const text = spec.emit.c;
  return {
    name: spec.name, needs: spec.needs, passing: spec.operands, exact: spec.exact ?? true,
    ...(spec.emit.team && { team: spec.emit.team }),
    c: text === undefined ? undefined : { body: typeof text === 'string' ? text : text.join('\n'), includes: spec.emit.includes ?? [] },
    get meaning(): KernelIR {
      if (!ir) {
        const k = spec.meaning().ir;
        check(spec, k, refuse);
        ir = k;
      }
      return ir;
    },
  };
}

function check(spec: InstrSpec, k: KernelIR, refuse: (why: string) => never): void {
  const tensors = k.params.flatMap((p) => (p.kind === 'tensor' ? [p.buf] : []));
  for (const name of Object.keys(spec.operands)) if (!tensors.some((b) => b.name === name)) refuse(`${name} is passed, but no tensor of the meaning`);
  let written = 0;
  for (const b of tensors) {
    const how = spec.operands[b.name] ?? refuse(`it does not say how ${b.name} is passed`);
    if (how === 'pointer' || how === 'panels' || how === 'fragment') { if (b.shape.length === 0) refuse(`${b.name} has no dimension`); continue; }
    if (how === 'word' && b.access !== 'in') refuse(`${b.name} is written: it cannot be a word`);
    if (how === 'vector' && b.access !== 'in') written++;
    const n = b.shape.reduce((m, e) => (isConst(e) ? m * e.value : NaN), 1);
    if (!Number.isInteger(n)) refuse(`${b.name} is a ${how}, but its shape is not constant`);
    if (how === 'word' && ![1, 2, 4, 8].includes(n * bytesOf(b.dtype))) refuse(`${b.name} has ${n * bytesOf(b.dtype)} bytes, a word has 1, 2, 4 or 8`);
    if (how === 'vector' && (n < 2 || (n & (n - 1)) !== 0)) refuse(`${b.name} has ${n} lanes, which is no power of two above 1`);
    if (!touchesAll(k.body, b)) refuse(`${b.name} is a ${how}, but the meaning does not walk over all of it with plain indices: pass a pointer`);
  }
  if (written > 1) refuse('it writes two vectors: pass pointers');
  const odd = strange(k.body);
  if (odd) refuse(`a ${odd} in its meaning cannot be matched with loops`);
}

const strange = (s: Stmt): string | undefined =>
  s.kind === 'let' || s.kind === 'alloc' || s.kind === 'barrier' || s.kind === 'assume' || s.kind === 'instr' ? s.kind : childrenOf(s).map(strange).find((x) => x !== undefined);

/** Is every element of an operand touched wherever it is used: each index a loop of the extent of its dimension, whatever conditions say? */
function touchesAll(body: Stmt, buf: Buffer): boolean {
  let ok = true;
  const go = (s: Stmt, extents: ReadonlyMap<number, number>, sure: boolean): void => {
    const uses: (readonly Expr[])[] = (s.kind === 'store' || s.kind === 'accum') && s.buf.id === buf.id ? [s.index] : [];
    for (const e of exprsOf(s)) visitExpr(e, (x) => { if (x.kind === 'load' && x.buf.id === buf.id) uses.push(x.index); });
    for (const index of uses) {
      const vars = new Set<number>();
      index.forEach((e, d) => {
        const a = affine(e, new Set(extents.keys())), [t] = a ? [...a.terms.values()] : [], n = buf.shape[d]!;
        if (isConst(n, 1) && isConst(e, 0)) return;
        ok &&= a !== undefined && a.terms.size === 1 && t!.coef === 1 && a.offset === 0 && isConst(a.rest, 0) && isConst(n, extents.get(t!.v.id)) && !vars.has(t!.v.id);
        if (t) vars.add(t.v.id);
      });
      ok &&= sure;
    }
    const inside = s.kind === 'for' ? new Map([...extents, [s.v.id, isConst(s.extent) ? s.extent.value : NaN]]) : extents;
    const branches = s.kind === 'if' && !(s.else && buffersOf(s.then).has(buf.id) && buffersOf(s.else).has(buf.id));
    for (const c of childrenOf(s)) go(c, inside, sure && !branches);
  };
  go(body, new Map(), true);
  return ok;
}
