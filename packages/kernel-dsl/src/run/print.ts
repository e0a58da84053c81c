import type { DType, Expr, Print } from '../ir/index.ts';
import type { Context, Num, Run } from './context.ts';
import type { Site } from './site.ts';

/** A number with d significant digits as C's %.<d>g writes it, which emitted kernels do. */
function general(x: number, d: number): string {
  if (x !== x) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (x === 0) return Object.is(x, -0) ? '-0' : '0';
  const [mantissa, power] = x.toExponential(d - 1).split('e') as [string, string], e = Number(power);
  const bare = (s: string): string => (s.includes('.') ? s.replace(/\.?0+$/, '') : s);
  if (e >= -4 && e < d) return bare(x.toFixed(d - 1 - e));
  return `${bare(mantissa)}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

/** A value as a line of `print` shows it. */
const shown = (x: number, t: DType): string => (t === 'bool' ? String(x !== 0) : t === 'f32' ? general(x, 9) : t === 'f64' ? general(x, 17) : String(x));

/** A line of `print`: its text with the values in it, where `{}` is the next one and `{{` a brace. */
export function printedLine(text: string, dtypes: readonly DType[], values: readonly number[]): string {
  let next = 0;
  return text.replace(/\{\{|\{\}/g, (m) => {
    if (m === '{{') return '{';
    const i = next++;
    return shown(values[i] ?? 0, dtypes[i] ?? 'i32');
  });
}

/** Hands lines to whoever takes them. */
export function compilePrint(c: Context, s: Print, site: Site, num: (e: Expr, site: Site) => Num): Run {
  const values = s.values.map((e) => num(e, site)), dtypes = s.values.map((e) => e.dtype), sink = c.print;
  return sink ? () => { sink(printedLine(s.text, dtypes, values.map((f) => f()))); } : () => {};
}
