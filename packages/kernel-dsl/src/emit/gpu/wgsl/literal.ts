import type { DType } from '../../../ir/index.ts';
import { f32ToBf16, f32ToF16 } from '../../../run/index.ts';
import { call, literal as cLiteral, PREC, primary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { need } from './frame.ts';
import type { Helper, ModuleState } from './frame.ts';

/** Constant expressions may not be infinite or NaN: their bits come out of a variable. */
const special = (name: 'infinity' | 'nan', bits: string): Helper => ({
  name: `${name}_f32`, text: `var<private> ${name}_bits: u32 = ${bits};\nfn ${name}_f32() -> f32 {\n  return bitcast<f32>(${name}_bits);\n}`,
});
export const infinityHelper = (): Helper => special('infinity', '0x7f800000u');
export const nanHelper = (): Helper => special('nan', '0x7fc00000u');

const view = new DataView(new ArrayBuffer(4));
const hex = (x: number): string => { view.setFloat32(0, x); return `0x${view.getUint32(0).toString(16)}u`; };
const signed = (t: string): Text => ({ t, p: t.startsWith('-') ? PREC.unary : PREC.primary });

/** A constant that reads back as the same value. An i64 is an index here, of 32 bits. */
export function literalText(m: ModuleState, value: number, t: DType): Text {
  switch (t) {
    case 'bool': return primary(value ? 'true' : 'false');
    case 'f16': return primary(`0x${f32ToF16(value).toString(16)}u`);
    case 'bf16': return primary(`0x${f32ToBf16(value).toString(16)}u`);
    case 'u32': case 'u16': case 'u8': return primary(`${value >>> 0}u`);
    case 'f32': case 'f64': {
      const x = Math.fround(value), a = Math.abs(x);
      if (Number.isNaN(x)) return call(need(m, nanHelper()));
      if (a === Infinity) { const inf = call(need(m, infinityHelper())); return x > 0 ? inf : { t: `-${inf.t}`, p: PREC.unary }; }
      // The shortest decimal of the largest numbers lies above them, which WGSL refuses.
      if (Object.is(x, -0) || (a !== 0 && a < 2 ** -126) || a > 3.402823e38) return primary(`bitcast<f32>(${hex(x)})`);
      return signed(cLiteral(x, 'f32'));
    }
    default: return value === -(2 ** 31) ? primary('i32(-2147483648)') : signed(String(value | 0));
  }
}
