import type { Atomic } from '../../../ir/index.ts';
import { bytesOf, DTYPES } from '../../../ir/index.ts';
import { primary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { exprText } from './expr.ts';
import { call, need } from './frame.ts';
import type { Frame, Helper } from './frame.ts';
import { helper, minMaxHelper } from './helpers.ts';
import { extract, formOf, placeText, rawBits, variable } from './memory.ts';
import { isSmall, typeOf } from './types.ts';

const NATIVE = { add: 'atomicAdd', min: 'atomicMin', max: 'atomicMax', and: 'atomicAnd', or: 'atomicOr', xor: 'atomicXor', exchange: 'atomicExchange' } as const;
const OPERATORS = { add: '+', and: '&', or: '|', xor: '^' } as const;

/** The update of a cell and what it held: by an instruction, or by trying until nobody came between. No order with other memory is asked for. */
export function atomicText(f: Frame, s: Atomic): Text {
  const { buf, fn } = s, x = formOf(f, buf), t = buf.dtype, at = placeText(f, buf, s.index, exprText), value = exprText(f, s.value), name = variable(f, x);
  const fits = !isSmall(t) || (!x.words && fn !== 'add');
  if (t !== 'f32' && t !== 'bool' && fits) return call(NATIVE[fn], primary(`&${name}[${at.t}]`), value);
  return call(need(f.m, updateHelper(f, s, name)), at, value);
}

function updateHelper(f: Frame, { buf, fn }: Atomic, name: string): Helper {
  const x = formOf(f, buf), t = buf.dtype, T = typeOf(t), small = isSmall(t), bits = bytesOf(t) * 8, per = 32 / bits;
  const minMax = t === 'f32' && (fn === 'min' || fn === 'max') ? [minMaxHelper(fn)] : [];
  const next = fn === 'exchange' ? 'value' : fn === 'min' || fn === 'max' ? (t === 'bool' ? `(old ${fn === 'min' ? '&&' : '||'} value)` : `${minMax[0]?.name ?? fn}(old, value)`) : `(old ${OPERATORS[fn]} value)`;
  const cell = x.words ? `${name}[at >> ${Math.log2(per)}u]` : `${name}[at]`, lines: string[] = [];
  let old: string, changed: string;
  if (x.words) {
    const mask = bits === 8 ? '0xffu' : '0xffffu';
    lines.push(`let shift = (u32(at) & ${per - 1}u) * ${bits}u;`);
    old = extract(t, 'seen', 'shift', bits);
    changed = `(seen & ~(${mask} << shift)) | ((${rawBits(t, next)} & ${mask}) << shift)`;
  } else if (small) {
    old = t === 'bool' ? 'seen != 0u' : 'seen';
    changed = t === 'bool' ? `select(0u, 1u, ${next})` : DTYPES[t].kind === 'int' ? `extractBits(${next}, 0u, ${bits}u)` : `${next} & ${bits === 8 ? '0xffu' : '0xffffu'}`;
  } else { old = 'bitcast<f32>(seen)'; changed = `bitcast<u32>(${next})`; }
  return helper(`${x.update}_${fn}`, `(at: i32, value: ${T}) -> ${T}`, [
    ...lines, `var seen = atomicLoad(&${cell});`, 'loop {', `  let old = ${old};`, `  let r = atomicCompareExchangeWeak(&${cell}, seen, ${changed});`, '  if (r.exchanged) { return old; }', '  seen = r.old_value;', '}',
  ], minMax);
}
