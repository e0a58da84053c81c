import type { Expr, Print } from '../../../ir/index.ts';
import { call, castTo, escaped, PREC, wrap } from '../../text/index.ts';
import { exprText } from './expr.ts';
import { need } from './frame.ts';
import type { Frame } from './frame.ts';
import { printableHelper } from './helpers.ts';

/** One call of printf for a line, so that lines of several lanes do not mix. Where texts of bools must be part of the format, one for each combination. */
export function printLines(f: Frame, s: Print): readonly string[] {
  const { print } = f.m.dialect, parts = s.text.split(/(\{\{|\{\})/), args: string[] = [], bools: Expr[] = [];
  f.m.features.add('print');
  const value = (e: Expr): string => {
    const x = exprText(f, e);
    if (e.dtype === 'bool') {
      if (print.text) { args.push(print.text(wrap(x, PREC.lor))); return '%s'; }
      bools.push(e);
      return `\u0001${bools.length - 1}\u0001`;
    }
    if (e.dtype === 'f32' || e.dtype === 'f64') { args.push(call(need(f, printableHelper(e.dtype)), x).t); return e.dtype === 'f32' ? '%.9g' : '%.17g'; }
    args.push(castTo('i64', x).t);
    return print.long;
  };
  let next = 0;
  const format = parts.map((part) => (part === '{{' ? '{' : part === '{}' ? value(s.values[next++]!) : escaped(part))).join('');
  const lines = (text: string, k: number, indent: string): readonly string[] => {
    const b = bools[k];
    if (!b) return [`${indent}${print.call(`"${text}\\n"`, args)};`];
    const with_ = (word: string): string => text.replace(`\u0001${k}\u0001`, word);
    return [`${indent}if (${exprText(f, b).t}) {`, ...lines(with_('true'), k + 1, `${indent}  `), `${indent}} else {`, ...lines(with_('false'), k + 1, `${indent}  `), `${indent}}`];
  };
  return lines(format, 0, '');
}
