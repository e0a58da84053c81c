import { add, block, constant, isConst, load, mapOperands, mul, newBuffer, newVar } from '../ir/index.ts';
import type { Buffer, Expr, Instr, Stmt, Var } from '../ir/index.ts';

/** The meaning of an instruction over its arguments: what the interpreter runs in its place. Everything bound in it is new. */
export function instantiate(s: Instr): Stmt {
  const { meaning } = s.def, origin = { loc: s.loc, step: s.step };
  const before: Stmt[] = [], names = new Map<string, Var>(), vars = new Map<number, Var>();
  const places = new Map<number, (index: readonly Expr[]) => { readonly buf: Buffer; readonly index: readonly Expr[] }>();
  const let_ = (name: string, value: Expr): void => {
    const v = newVar(name, value.dtype, value.lanes);
    before.push({ kind: 'let', v, value, ...origin });
    names.set(name, v);
  };
  meaning.params.forEach((p, i) => {
    const a = s.args[i]!;
    if (p.kind === 'scalar') { if (a.kind === 'value') let_(p.name, a.value); return; }
    if (a.kind === 'place') {
      places.set(p.buf.id, (index) => ({ buf: a.buf, index: a.index.map((e, d) => index.reduce((x, at, k) => add(x, mul(at, constant(a.walk[k]![d]!))), e)) }));
      return;
    }
    const dims = p.buf.shape.map((e) => (isConst(e) ? e.value : 1)), lanes = dims.reduce((n, d) => n * d, 1);
    const held = newBuffer({ name: `${s.def.name}_${p.name}`, dtype: p.buf.dtype, space: 'local', shape: [constant(lanes)] });
    const value: Expr = a.value.dtype === p.buf.dtype && a.value.lanes === lanes ? a.value : { kind: 'bitcast', dtype: p.buf.dtype, lanes, x: a.value };
    before.push({ kind: 'alloc', buf: held, ...origin }, { kind: 'store', buf: held, index: [constant(0)], value, ...origin });
    places.set(p.buf.id, (index) => ({ buf: held, index: [index.reduce((x, at, d) => add(mul(x, constant(dims[d]!)), at), constant(0) as Expr)] }));
  });
  meaning.sizes.forEach((n, i) => { const a = s.args[meaning.params.length + i]!; if (a.kind === 'value') let_(n, a.value); });

  const expr = (e: Expr): Expr => {
    if (e.kind === 'size' || e.kind === 'scalar') return names.get(e.name) ?? e;
    if (e.kind === 'var') return vars.get(e.id) ?? e;
    const x = mapOperands(e, expr);
    if (x.kind !== 'load') return x;
    const at = places.get(x.buf.id)!(x.index);
    return load(at.buf, at.index, { lanes: x.lanes, ...(x.as && { as: x.as }), loc: s.loc });
  };
  const go = (x: Stmt): Stmt => {
    switch (x.kind) {
      case 'for': { const v = newVar(x.v.name); vars.set(x.v.id, v); return { ...x, ...origin, v, extent: expr(x.extent), body: go(x.body) }; }
      case 'block': return { ...x, body: x.body.map(go) };
      case 'region': return go(x.body);
      case 'if': return { ...x, ...origin, cond: expr(x.cond), then: go(x.then), ...(x.else && { else: go(x.else) }) };
      case 'store': case 'accum': return { ...x, ...origin, ...places.get(x.buf.id)!(x.index.map(expr)), value: expr(x.value) };
      default: throw new Error(`${x.kind} in the meaning of ${s.def.name}`);
    }
  };
  return block([...before, go(meaning.body)], origin);
}
