import { add, bytesOf, constant, load, mul } from '../../ir/index.ts';
import type { Buffer, Expr, Instr, InstrArg, Instruction } from '../../ir/index.ts';
import { EmitError } from '../error.ts';
import { addressText, exprText } from './expr.ts';
import { call, primary, strideOf } from '../text/index.ts';
import type { Text } from '../text/index.ts';
import type { Frame } from './frame.ts';
import { need } from './frame.ts';
import type { Helper } from './helpers/index.ts';
import { cType } from './types.ts';

const WORDS: Readonly<Record<number, string>> = { 1: 'uint8_t', 2: 'uint16_t', 4: 'uint32_t', 8: 'int64_t' };
const lanesOf = (def: Instruction, name: string): number => {
  const p = def.meaning.params.find((x) => x.name === name);
  return p?.kind === 'tensor' ? p.buf.shape.reduce((n, e) => n * (e.kind === 'const' ? e.value : 1), 1) : 1;
};

/** The dimensions whose strides an instruction takes. */
function stridesOf(def: Instruction, b: Buffer): readonly number[] {
  const dims = b.shape.map((_, k) => k);
  return def.passing[b.name] === 'panels' ? [0] : b.strided ? dims : dims.slice(0, -1);
}

/** The function that holds an instruction's text: operands as parameters, the vector that it writes as result. */
function instrHelper(def: Instruction): Helper {
  if (!def.c) throw new EmitError(`the instruction ${def.name} has no text for C`);
  const { body, includes } = def.c, params: string[] = [];
  let result = 'void';
  for (const p of def.meaning.params) {
    if (p.kind === 'scalar') { params.push(`${cType(p.dtype)} ${p.name}`); continue; }
    const how = def.passing[p.name], t = p.buf.dtype, lanes = lanesOf(def, p.name);
    if (how === 'pointer' || how === 'panels') {
      params.push(`${p.buf.access === 'in' ? 'const ' : ''}${cType(t)} *${p.name}`);
      stridesOf(def, p.buf).forEach((k) => params.push(`int64_t ${p.name}_s${k}`));
    } else if (how === 'word') params.push(`${WORDS[lanes * bytesOf(t)]} ${p.name}`);
    else {
      if (p.buf.access !== 'in') result = cType(t, lanes);
      if (p.buf.access !== 'out') params.push(`${cType(t, lanes)} ${p.name}`);
    }
  }
  params.push(...def.meaning.sizes.map((n) => `int64_t ${n}`));
  const text = `// ${def.name}\nQUERN_INLINE ${result} ${def.name}(${params.join(', ')}) {\n${body.split('\n').map((l) => `  ${l}\n`).join('')}}\n`;
  return { name: def.name, render: () => ({ text, uses: [], includes }) };
}

/** The call of an instruction, and the place that takes its result. */
export function instrText(f: Frame, s: Instr): { readonly text: Text; readonly into: Extract<InstrArg, { kind: 'place' }> | undefined } {
  const given: Text[] = [], { def } = s;
  let into: Extract<InstrArg, { kind: 'place' }> | undefined;
  s.args.forEach((a, i) => {
    const p = def.meaning.params[i];
    if (a.kind === 'value') { given.push(exprText(f, a.value)); return; }
    if (p?.kind !== 'tensor') throw new EmitError(`argument ${i} of ${def.name} is a place`, s.loc);
    if (a.lanes === 0) {
      given.push(primary(addressText(f, a.buf, a.index)));
      stridesOf(def, p.buf).forEach((k) => {
        const apart = a.walk[k]!.reduce<Expr>((n, w, d) => add(n, mul(constant(w), strideOf(a.buf, d))), constant(0));
        given.push(exprText(f, apart));
      });
      return;
    }
    into = a;
    if (p.buf.access === 'inout') given.push(exprText(f, load(a.buf, a.index, { lanes: a.lanes })));
  });
  return { text: call(need(f, instrHelper(def)), ...given), into };
}
