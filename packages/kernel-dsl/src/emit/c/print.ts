import type { Expr, Print } from '../../ir/index.ts';
import { exprText } from './expr.ts';
import type { Frame } from './frame.ts';
import { need } from './frame.ts';
import { printableHelper } from './helpers/index.ts';
import { call, castTo, escaped, PREC, primary, ternary, wrap } from '../text/index.ts';

/** One call of the C library for a line, so that lines of several threads do not mix. */
export function printText(f: Frame, s: Print): string {
  const args: string[] = [];
  const value = (e: Expr): string => {
    const x = exprText(f, e);
    if (e.dtype === 'bool') { args.push(wrap(ternary(x, primary('"true"'), primary('"false"')), PREC.cond)); return '%s'; }
    if (e.dtype === 'f32' || e.dtype === 'f64') { args.push(call(need(f, printableHelper()), x).t); return e.dtype === 'f32' ? '%.9g' : '%.17g'; }
    args.push(castTo('long long', x).t);
    return '%lld';
  };
  let next = 0;
  const format = s.text.split(/(\{\{|\{\})/).map((part) => (part === '{{' ? '{' : part === '{}' ? value(s.values[next++]!) : escaped(part))).join('');
  return `fprintf(stderr, "${format}\\n"${args.map((a) => `, ${a}`).join('')})`;
}
