import { bytesOf, printExpr } from '../ir/index.ts';
import type { Expr } from '../ir/index.ts';
import { compileLoad, compileVectorLoad } from './access.ts';
import { compileAffine } from './affine.ts';
import { CMP, binaryOp, bitcastOp, castOp, dot4, readBytes, unaryOp, valueOf, writeBytes } from './arith.ts';
import type { Op1, Op2 } from './arith.ts';
import { memoryOf, slotOf } from './context.ts';
import type { Context, Num, Vec } from './context.ts';
import { fma32, fma64 } from './fma.ts';
import { raise, within } from './site.ts';
import type { Site } from './site.ts';

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

const malformed = (site: Site, why: string): never => raise(site, 'KD-RUN-IR', why);

/** An i64 result within 2^53. */
function ranged(e: Expr, site: Site): Op1 {
  return (x) => (x <= Number.MAX_SAFE_INTEGER && x >= -Number.MAX_SAFE_INTEGER ? x : raise(site, 'KD-RUN-RANGE', `${printExpr(e)} is ${x}, which is beyond 2^53`));
}

function unary(e: Of<'unary'>, site: Site): Op1 {
  if (e.x.dtype !== e.dtype) malformed(site, `${e.fn} of ${e.x.dtype} gives ${e.dtype}`);
  return unaryOp(e.fn, e.dtype) ?? malformed(site, `${e.fn} is not defined for ${e.dtype}`);
}

/** a fn b with the checks that integers need. */
function binary(e: Of<'binary'>, site: Site): Op2 {
  const { fn, dtype: t } = e;
  if (e.a.dtype !== t || e.b.dtype !== t) malformed(site, `${fn} of ${e.a.dtype} and ${e.b.dtype} gives ${t}`);
  const op = binaryOp(fn, t) ?? malformed(site, `${fn} is not defined for ${t}`);
  if (t === 'f32' || t === 'f64' || t === 'bool') return op;
  const fit: Op1 | undefined = t === 'i64' ? ranged(e, site) : undefined;
  if (fn === 'div' || fn === 'mod') {
    return (a, b) => (b === 0 ? raise(site, 'KD-RUN-DIV', `${printExpr(e)} divides ${a} by zero`) : op(a, b));
  }
  if (fn === 'shl' || fn === 'shr') {
    const bits = bytesOf(t) * 8;
    const checked: Op2 = (a, b) => (b >= 0 && b < bits ? op(a, b) : raise(site, 'KD-RUN-SHIFT', `${printExpr(e)} shifts ${t} by ${b}`));
    return fit ? (a, b) => fit(checked(a, b)) : checked;
  }
  return fit ? (a, b) => fit(op(a, b)) : op;
}

function compare(e: Of<'cmp'>, site: Site): Op2 {
  const t = e.a.dtype;
  if (t !== e.b.dtype || e.dtype !== 'bool') malformed(site, `${e.fn} of ${t} and ${e.b.dtype} gives ${e.dtype}`);
  if (t === 'f16' || t === 'bf16') malformed(site, `${e.fn} is not defined for ${t}: cast it to f32`);
  return CMP[e.fn];
}

function fused(e: Of<'fma'>, site: Site): (a: number, b: number, c: number) => number {
  if ([e.a, e.b, e.c].some((x) => x.dtype !== e.dtype) || (e.dtype !== 'f32' && e.dtype !== 'f64')) malformed(site, `fma of ${e.a.dtype}, ${e.b.dtype} and ${e.c.dtype} gives ${e.dtype}`);
  return e.dtype === 'f32' ? fma32 : fma64;
}

function checkDot4(e: Of<'dot4'>, site: Site): void {
  if (e.acc.dtype !== 'i32' || e.a.dtype !== 'u32' || e.b.dtype !== 'i32') malformed(site, `dot4 takes i32, u32 and i32, not ${e.acc.dtype}, ${e.a.dtype} and ${e.b.dtype}`);
}
function checkSelect(e: Of<'select'>, site: Site): void {
  if (e.cond.dtype !== 'bool' || e.a.dtype !== e.dtype || e.b.dtype !== e.dtype) malformed(site, `select by ${e.cond.dtype} of ${e.a.dtype} and ${e.b.dtype} gives ${e.dtype}`);
}
const bits = (e: Of<'bitcast'>, site: Site): Op1 => {
  const op = bitcastOp(e.x.dtype, e.dtype) ?? malformed(site, `${e.x.dtype} has not as many bits as ${e.dtype}`);
  const fit = ranged(e, site);
  return e.dtype === 'i64' ? (x) => fit(op(x)) : op;
};

/** Compiles a scalar expression to a closure. */
export function compileNum(c: Context, e: Expr, outer: Site): Num {
  const site = within(outer, e);
  if (e.lanes !== 1) malformed(site, `${printExpr(e)} has ${e.lanes} lanes where a scalar is needed`);
  return (e.kind === 'binary' ? compileAffine(e, c, site, () => scalar(c, e, site)) : undefined) ?? scalar(c, e, site);
}

function scalar(c: Context, e: Expr, site: Site): Num {
  const num = (x: Expr): Num => compileNum(c, x, site);
  switch (e.kind) {
    case 'const': { const v = valueOf(e.value, e.dtype); return () => v; }
    case 'size': { const v = c.sizes.get(e.name) ?? malformed(site, `there is no size ${e.name}`); return () => v; }
    case 'stride': {
      const m = memoryOf(c, e.buf, site), { dim } = e;
      if (!(dim in m.strides)) malformed(site, `${e.buf.name} has no dimension ${dim}`);
      return () => m.strides[dim]!;
    }
    case 'scalar': { const v = c.scalars.get(e.name) ?? malformed(site, `there is no scalar ${e.name}`); return () => v; }
    case 'var': { const f = c.frame, s = slotOf(c, e, site); return () => f[s]!; }
    case 'load': return compileLoad(c, e, site, compilers(c));
    case 'cast': { const f = castOp(e.x.dtype, e.dtype), x = num(e.x); return () => f(x()); }
    case 'bitcast': {
      if (e.x.lanes > 1) { const v = vectorBits(c, e, site); return () => v()[0]!; }
      const f = bits(e, site), x = num(e.x);
      return () => f(x());
    }
    case 'unary': { const f = unary(e, site), x = num(e.x); return () => f(x()); }
    case 'binary': {
      const f = binary(e, site), a = num(e.a), b = num(e.b);
      if (e.dtype === 'f32') { // the operations that most programs spend their time in
        if (e.fn === 'add') return () => Math.fround(a() + b());
        if (e.fn === 'sub') return () => Math.fround(a() - b());
        if (e.fn === 'mul') return () => Math.fround(a() * b());
      }
      return () => f(a(), b());
    }
    case 'cmp': {
      const f = compare(e, site), a = num(e.a), b = num(e.b);
      return e.fn === 'lt' ? () => (a() < b() ? 1 : 0) : () => f(a(), b());
    }
    case 'fma': { const f = fused(e, site), x = num(e.a), y = num(e.b), z = num(e.c); return () => f(x(), y(), z()); }
    case 'select': {
      checkSelect(e, site);
      const p = num(e.cond), a = num(e.a), b = num(e.b);
      return () => { const q = p(), x = a(), y = b(); return q !== 0 ? x : y; }; // both sides run
    }
    case 'dot4': { checkDot4(e, site); const s = num(e.acc), a = num(e.a), b = num(e.b); return () => dot4(s(), a(), b()); }
    case 'reduce': return reduction(c, e, site);
    case 'subgroup': return malformed(site, `subgroup_${e.fn} outside of a workgroup's lanes, or inside of a larger expression`);
    case 'shuffle': {
      const [from] = e.pick, m = e.a.lanes;
      if (e.pick.length !== 1 || from === undefined || !(from >= 0 && from < 2 * m) || e.b.lanes !== m || e.a.dtype !== e.dtype || e.b.dtype !== e.dtype) return malformed(site, `lane ${e.pick.join(' ')} of ${e.a.dtype}x${m} and ${e.b.dtype}x${e.b.lanes}`);
      const x = compileVec(c, from < m ? e.a : e.b, site), lane = from % m;
      return () => x()[lane]!;
    }
    case 'ramp': case 'broadcast': case 'join': return malformed(site, `a ${e.kind} of one lane`);
  }
}

function reduction(c: Context, e: Of<'reduce'>, site: Site): Num {
  const x = compileVec(c, e.x, site), n = e.x.lanes;
  if (n & (n - 1)) malformed(site, `reduce of ${n} lanes, which is no power of two`);
  const op = binary({ ...e, kind: 'binary', a: e.x, b: e.x }, site), y = new Float64Array(n);
  return () => {
    y.set(x());
    for (let h = n / 2; h >= 1; h /= 2) for (let i = 0; i < h; i++) y[i] = op(y[i]!, y[i + h]!);
    return y[0]!;
  };
}

/** A bitcast where lanes change, e.g. 64 u8 as 16 u32: by way of the bytes. */
function vectorBits(c: Context, e: Of<'bitcast'>, site: Site): Vec {
  const { x } = e, from = bytesOf(x.dtype), to = bytesOf(e.dtype);
  if (from * x.lanes !== to * e.lanes) malformed(site, `${x.dtype} x ${x.lanes} has not as many bits as ${e.dtype} x ${e.lanes}`);
  const v = compileLanes(c, x, site), out = new Float64Array(e.lanes), view = new DataView(new ArrayBuffer(to * e.lanes)), fit = ranged(e, site);
  return () => {
    v().forEach((y, l) => writeBytes(view, l * from, x.dtype, y));
    for (let l = 0; l < out.length; l++) { const y = readBytes(view, l * to, e.dtype); out[l] = e.dtype === 'i64' ? fit(y) : y; }
    return out;
  };
}

/** A scalar or a vector as lanes. */
function compileLanes(c: Context, e: Expr, site: Site): Vec {
  if (e.lanes > 1) return compileVec(c, e, site);
  const x = compileNum(c, e, site), out = new Float64Array(1);
  return () => { out[0] = x(); return out; };
}

/** Compiles a vector expression to a closure. Each has its own lanes, so no two values that live at once share any. */
export function compileVec(c: Context, e: Expr, outer: Site): Vec {
  const site = within(outer, e), n = e.lanes, out = new Float64Array(n);
  if (!Number.isSafeInteger(n) || n < 2) malformed(site, `${printExpr(e)} has ${n} lanes where a vector is needed`);
  const vec = (x: Expr): Vec => (x.lanes === n ? compileVec(c, x, site) : malformed(site, `${printExpr(x)} has ${x.lanes} lanes, not ${n}`));
  const map1 = (f: Op1, x: Vec): Vec => () => { const p = x(); for (let l = 0; l < n; l++) out[l] = f(p[l]!); return out; };
  const map2 = (f: Op2, a: Vec, b: Vec): Vec => () => { const p = a(), q = b(); for (let l = 0; l < n; l++) out[l] = f(p[l]!, q[l]!); return out; };
  const map3 = (f: (x: number, y: number, z: number) => number, a: Vec, b: Vec, d: Vec): Vec =>
    () => { const p = a(), q = b(), r = d(); for (let l = 0; l < n; l++) out[l] = f(p[l]!, q[l]!, r[l]!); return out; };
  switch (e.kind) {
    case 'const': { const v = valueOf(e.value, e.dtype); return () => out.fill(v); }
    case 'size': case 'stride': case 'scalar': return malformed(site, `${printExpr(e)} has ${n} lanes`);
    case 'var': { const f = c.vectors, s = slotOf(c, e, site); return () => f[s]!; }
    case 'load': return compileVectorLoad(c, e, site, compilers(c));
    case 'cast': return map1(castOp(e.x.dtype, e.dtype), vec(e.x));
    case 'bitcast': return e.x.lanes === n ? map1(bits(e, site), vec(e.x)) : vectorBits(c, e, site);
    case 'unary': return map1(unary(e, site), vec(e.x));
    case 'binary': return map2(binary(e, site), vec(e.a), vec(e.b));
    case 'cmp': return map2(compare(e, site), vec(e.a), vec(e.b));
    case 'fma': return map3(fused(e, site), vec(e.a), vec(e.b), vec(e.c));
    case 'select': checkSelect(e, site); return map3((p, x, y) => (p !== 0 ? x : y), vec(e.cond), vec(e.a), vec(e.b));
    case 'dot4': checkDot4(e, site); return map3(dot4, vec(e.acc), vec(e.a), vec(e.b));
    case 'ramp': {
      const base = compileNum(c, e.base, site), stride = compileNum(c, e.stride, site), fit = ranged(e, site), to = castOp('i64', e.dtype);
      if (e.base.dtype !== e.dtype || e.stride.dtype !== e.dtype || binaryOp('shl', e.dtype) === undefined) malformed(site, `a ramp of ${e.dtype} from ${e.base.dtype} and ${e.stride.dtype}`);
      return () => { const b = base(), s = stride(); for (let l = 0; l < n; l++) out[l] = to(fit(b + l * s)); return out; };
    }
    case 'broadcast': { const x = compileNum(c, e.x, site); return () => out.fill(x()); }
    case 'shuffle': {
      const { a, b, pick } = e, m = a.lanes;
      if (b.lanes !== m || a.dtype !== e.dtype || b.dtype !== e.dtype || pick.length !== n || pick.some((i) => !(i >= 0 && i < 2 * m))) malformed(site, `shuffle of ${a.dtype}x${m} and ${b.dtype}x${b.lanes} by ${pick.join(' ')}`);
      const x = compileVec(c, a, site), y = compileVec(c, b, site);
      return () => { const p = x(), q = y(); for (let l = 0; l < n; l++) out[l] = pick[l]! < m ? p[pick[l]!]! : q[pick[l]! - m]!; return out; };
    }
    case 'join': {
      if (e.parts.length !== n || e.parts.some((x) => x.dtype !== e.dtype)) malformed(site, `${e.parts.map((x) => x.dtype).join(', ')} joined to ${e.dtype}x${n}`);
      const parts = e.parts.map((x) => compileNum(c, x, site));
      return () => { for (let l = 0; l < n; l++) out[l] = parts[l]!(); return out; };
    }
    case 'reduce': case 'subgroup': return malformed(site, `${e.kind} to ${n} lanes`);
  }
}

/** The two compilers as memory accesses need them. */
export const compilers = (c: Context): { num: (e: Expr, site: Site) => Num; vec: (e: Expr, site: Site) => Vec } => ({
  num: (e, site) => compileNum(c, e, site),
  vec: (e, site) => compileVec(c, e, site),
});
