import { add, affine, bytesOf, constant, exprKey, instrOperands, isConst, load, operands, printExpr, printStmt, substitute } from '../ir/index.ts';
import type { Affine, Buffer, Expr, For, Instr, InstrArg, Instruction, Stmt } from '../ir/index.ts';

/** A tensor operand in the program: where its first element is, and how far one step along dimension k goes along each dimension of the buffer. */
interface Place { readonly buf: Buffer; readonly base: readonly Expr[]; readonly walk: readonly (readonly number[])[] }
/** What the operands of an instruction are in the program. */
export interface Matched { readonly places: ReadonlyMap<string, Place>; readonly values: ReadonlyMap<string, Expr> }
/** Why loops are not what an instruction computes. */
export interface Mismatch { readonly why: string }

class Differs extends Error {}
const differ = (why: string): never => { throw new Differs(why); };

interface Env { readonly vars: Map<number, For>; readonly places: Map<string, Place>; readonly values: Map<string, Expr> }

/**
 * Are these loops what an instruction computes? Extents, dtypes, the statement and each operand's strides must agree; loops of one iteration,
 * regions and the guards of padded tails are looked through, factors of a product may change places.
 */
export function matchInstruction(def: Instruction, nest: Stmt): Matched | Mismatch {
  const env: Env = { vars: new Map(), places: new Map(), values: new Map() };
  try {
    stmt(def, strip(def.meaning.body), strip(nest), env);
    for (const p of def.meaning.params) if (p.kind === 'tensor') layout(def, p.buf, env);
    apart(def, env);
    return env;
  } catch (e) {
    if (e instanceof Differs) return { why: e.message };
    throw e;
  }
}

/** Without what does not matter: regions, guards of padded tails, blocks of one statement, loops that run once. */
function strip(s: Stmt): Stmt {
  if (s.kind === 'region' || (s.kind === 'if' && s.pad)) return strip(s.kind === 'if' ? s.then : s.body);
  if (s.kind === 'block' && s.body.length === 1) return strip(s.body[0]!);
  if (s.kind === 'for' && isConst(s.extent, 1)) return strip(substitute(s.body, new Map([[s.v.id, constant(0)]])));
  return s;
}

const first = (s: Stmt): string => printStmt(s).split('\n')[0]!.replace(/:? *#.*/, '').trim();

function stmt(def: Instruction, m: Stmt, p: Stmt, env: Env): void {
  if (m.kind !== p.kind) differ(`there is '${first(p)}' where ${def.name} has '${first(m)}'`);
  if (m.kind === 'for' && p.kind === 'for') {
    if (p.loop !== 'seq' && p.loop !== 'unroll' && p.loop !== 'vector') differ(`${p.v.name} is a ${p.loop} loop`);
    if (m.extent.kind === 'size') value(m.extent.name, p.extent, env);
    else if (exprKey(m.extent) !== exprKey(p.extent)) differ(`${p.v.name} runs to ${printExpr(p.extent)}, ${m.v.name} of ${def.name} to ${printExpr(m.extent)}`);
    env.vars.set(m.v.id, p);
    stmt(def, strip(m.body), strip(p.body), env);
  } else if (m.kind === 'block' && p.kind === 'block') {
    if (m.body.length !== p.body.length) differ(`there are ${p.body.length} statements where ${def.name} has ${m.body.length}`);
    m.body.forEach((x, i) => stmt(def, strip(x), strip(p.body[i]!), env));
  } else if (m.kind === 'if' && p.kind === 'if') {
    if (!m.else !== !p.else) differ(`the branches of '${first(p)}' are not those of ${def.name}`);
    expr(def, m.cond, p.cond, env);
    stmt(def, strip(m.then), strip(p.then), env);
    if (m.else && p.else) stmt(def, strip(m.else), strip(p.else), env);
  } else if ((m.kind === 'store' || m.kind === 'accum') && (p.kind === 'store' || p.kind === 'accum')) {
    if (m.kind === 'accum' && p.kind === 'accum' && m.fn !== p.fn) differ(`'${first(p)}' combines by ${p.fn}, ${def.name} by ${m.fn}`);
    place(def, m.buf, m.index, p.buf, p.index, env);
    expr(def, m.value, p.value, env);
  } else differ(`'${first(p)}' cannot be part of an instruction`);
}

const COMMUTES: ReadonlySet<string> = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne']);

function expr(def: Instruction, m: Expr, p: Expr, env: Env): void {
  if (m.dtype !== p.dtype) differ(`${printExpr(p)} is ${p.dtype} where ${def.name} has ${m.dtype}`);
  if (m.kind === 'scalar' || m.kind === 'size') { value(m.name, p, env); return; }
  if (m.kind === 'var') { if (p.kind !== 'var' || env.vars.get(m.id)?.v.id !== p.id) differ(`${printExpr(p)} stands where ${def.name} has its loop variable ${m.name}`); return; }
  if (m.kind !== p.kind) differ(`there is ${printExpr(p)} where ${def.name} has ${printExpr(m)}`);
  if (m.kind === 'const' && p.kind === 'const') { if (!Object.is(m.value, p.value)) differ(`the constant is ${p.value}, that of ${def.name} ${m.value}`); return; }
  if (m.kind === 'load' && p.kind === 'load') {
    if (m.as !== p.as) differ(`${printExpr(p)} is read as ${p.as ?? p.dtype}`);
    place(def, m.buf, m.index, p.buf, p.index, env);
    return;
  }
  if ('fn' in m && 'fn' in p && m.fn !== p.fn) differ(`there is ${printExpr(p)} where ${def.name} has ${printExpr(m)}`);
  const a = operands(m), b = operands(p);
  const inOrder = (ys: readonly Expr[], e: Env): void => a.forEach((x, i) => expr(def, x, ys[i]!, e));
  const swaps = (m.kind === 'binary' || m.kind === 'cmp') && COMMUTES.has(m.fn);
  if (!swaps && m.kind !== 'fma') { inOrder(b, env); return; }
  const trial: Env = { vars: env.vars, places: new Map(env.places), values: new Map(env.values) };
  try {
    inOrder(b, trial);
    for (const [k, x] of trial.places) env.places.set(k, x);
    for (const [k, x] of trial.values) env.values.set(k, x);
  } catch (e) {
    if (!(e instanceof Differs)) throw e;
    try { inOrder([b[1]!, b[0]!, ...b.slice(2)], env); } catch { throw e; } // as written is what the author compares with
  }
}

const programVars = (env: Env): ReadonlySet<number> => new Set([...env.vars.values()].map((f) => f.v.id));
const mentions = (e: Expr, vars: ReadonlySet<number>): boolean => (e.kind === 'var' ? vars.has(e.id) : operands(e).some((x) => mentions(x, vars)));

function value(name: string, p: Expr, env: Env): void {
  if (mentions(p, programVars(env))) differ(`${printExpr(p)} changes within the loops, ${name} is one value`);
  const known = env.values.get(name);
  if (known && exprKey(known) !== exprKey(p)) differ(`${name} would be both ${printExpr(known)} and ${printExpr(p)}`);
  env.values.set(name, p);
}

/** One use of an operand: finds where it lies and how it is walked, or compares with what another use found. */
function place(def: Instruction, operand: Buffer, im: readonly Expr[], buf: Buffer, ip: readonly Expr[], env: Env): void {
  const what = `${buf.name}[${ip.map(printExpr).join(', ')}]`, vars = programVars(env);
  if (buf.dtype !== operand.dtype) differ(`${buf.name} is ${buf.dtype}, ${operand.name} of ${def.name} ${operand.dtype}`);
  const own = im.map((e) => affine(e, new Set(env.vars.keys())) ?? differ(`the index ${printExpr(e)} of ${def.name} is not affine`));
  const its: Affine[] = ip.map((e) => affine(e, vars) ?? differ(`the index ${printExpr(e)} of ${what} is not affine in the loops`));
  const coef = (d: number, m: number): number => its[d]!.terms.get(env.vars.get(m)!.v.id)?.coef ?? 0;
  const walk: (readonly number[])[] = own.map((a) => {
    const [t] = [...a.terms.values()].sort((x, y) => Math.abs(x.coef) - Math.abs(y.coef));
    return its.map((_, d) => (t ? coef(d, t.v.id) / t.coef : 0));
  });
  for (const [m, loop] of env.vars) {
    its.forEach((_, d) => {
      const want = own.reduce((n, a, k) => n + walk[k]![d]! * (a.terms.get(m)?.coef ?? 0), 0);
      if (coef(d, m) !== want) differ(`${what} moves with ${loop.v.name}, ${operand.name} of ${def.name} does not move like that`);
    });
  }
  // A use at one place of a dimension says nothing of how that is walked.
  const known = env.places.get(operand.name);
  own.forEach((a, k) => { if (known && a.terms.size === 0) walk[k] = known.walk[k]!; });
  const base = its.map((a, d) => add(a.rest, constant(a.offset - own.reduce((n, b, k) => n + walk[k]![d]! * b.offset, 0))));
  if (known && (known.buf.id !== buf.id || known.base.map(exprKey).join() !== base.map(exprKey).join() || known.walk.join(';') !== walk.join(';'))) differ(`${operand.name} of ${def.name} is one operand, ${what} and ${known.buf.name}[…] are two`);
  env.places.set(operand.name, { buf, base, walk });
}

/** The distance of neighbours along a dimension of a buffer; undefined where only the launch knows. */
function knownStride(buf: Buffer, dim: number): number | undefined {
  if (buf.space === 'param') return dim === buf.shape.length - 1 && !buf.strided ? 1 : undefined;
  return buf.shape.slice(dim + 1).reduce<number | undefined>((n, e) => (n !== undefined && isConst(e) ? n * e.value : undefined), 1);
}
/** How far apart neighbours along dimension k of an operand lie, in elements; undefined where only the launch knows. */
const stepOf = (p: Place, k: number): number | undefined =>
  p.walk[k]!.reduce<number | undefined>((n, w, d) => { const s = w === 0 ? 0 : knownStride(p.buf, d); return n === undefined || s === undefined ? undefined : n + w * s; }, 0);

/** Does an operand lie in memory as the instruction takes it? */
function layout(def: Instruction, operand: Buffer, env: Env): void {
  const p = env.places.get(operand.name) ?? differ(`${operand.name} of ${def.name} matches nothing`), how = def.passing[operand.name]!;
  if (how === 'fragment' && p.buf.space !== 'reg') differ(`${p.buf.name} is memory, ${operand.name} of ${def.name} is held in registers`);
  if (how === 'fragment') return;
  if (how !== 'vector' && p.buf.space === 'reg') differ(`${p.buf.name} is held in registers, ${operand.name} of ${def.name} is read from memory`);
  const dense = (k: number): number => operand.shape.slice(k + 1).reduce((n, e) => n * (isConst(e) ? e.value : NaN), 1);
  operand.shape.forEach((n, k) => {
    if (isConst(n, 1)) return;
    const last = k === operand.shape.length - 1, want = how === 'pointer' ? (last && !operand.strided ? 1 : undefined) : how === 'panels' && k === 0 ? undefined : dense(k), is = stepOf(p, k);
    if (want === undefined || is === want) return;
    const far = is === undefined ? 'as far apart as the launch says' : `${is} apart`;
    differ(`neighbours along dimension ${k} of ${operand.name} lie ${far} in ${p.buf.name}, ${def.name} takes them ${want} apart: stage ${p.buf.name} so that its last dimensions are those of ${operand.name}`);
  });
}

function apart(def: Instruction, env: Env): void {
  for (const w of def.meaning.params) {
    if (w.kind !== 'tensor' || w.buf.access === 'in') continue;
    for (const [name, p] of env.places) if (name !== w.name && p.buf.id === env.places.get(w.name)!.buf.id) differ(`${p.buf.name} is both ${w.name}, which ${def.name} writes, and ${name}`);
  }
}

const WORDS: Readonly<Record<number, 'u8' | 'u16' | 'u32' | 'i64'>> = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'i64' };

/** The arguments of an instruction whose loops matched. Operands that span several dimensions of a buffer are given by the index of their first element. */
export function argsOf(def: Instruction, m: Matched): Instr['args'] {
  const tensors = new Map(def.meaning.params.flatMap((p) => (p.kind === 'tensor' ? [[p.name, p.buf] as const] : [])));
  return instrOperands(def).map((name): InstrArg => {
    const operand = tensors.get(name);
    if (!operand) return { kind: 'value', value: m.values.get(name) ?? differ(`${name} matches nothing`) };
    const { buf, base, walk } = m.places.get(name)!, how = def.passing[name]!;
    if (how === 'pointer' || how === 'panels' || how === 'fragment') return { kind: 'place', buf, index: base, walk, lanes: 0 };
    const lanes = operand.shape.reduce((n, e) => n * (isConst(e) ? e.value : 1), 1);
    if (operand.access !== 'in') return { kind: 'place', buf, index: base, walk, lanes };
    const x = load(buf, base, { lanes });
    return { kind: 'value', value: how === 'vector' ? x : { kind: 'bitcast', dtype: WORDS[lanes * bytesOf(buf.dtype)]!, lanes: 1, x } };
  });
}
