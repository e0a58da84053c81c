import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { emitFileC, symbolOf } from '../../src/emit/c/index.ts';
import { axes, kernel, print, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { compile } from './harness.ts';

const FLOATS = [0, -0, 1, -1.5, 0.1, 1e-5, 123456789, 1234567890, 3.4e38, 1e-45, Infinity, -Infinity, NaN, 1 / 3, 999999999.5, 1e22].map(Math.fround);
const DOUBLES = [0.1, -2.5e-300, 1 / 3, 1e17, 123456.75, 5e-324];
const shows = kernel('shows', { x: tensor('f32', FLOATS.length), d: tensor('f64', DOUBLES.length), h: tensor('f16', 1), y: tensor('i8', 1).out() }, ({ x, d, h, y }) => {
  const ax = axes({ i: FLOATS.length, j: DOUBLES.length });
  for (const i of ax.i) print('100% "x" {i} \\ ??/', i, '=', x.at(i), x.at(i).gt(0));
  for (const j of ax.j) print(d.at(j), 'é\ttab');
  y.at(0).set(-3);
  print('end', h.at(0), y.at(0), y.at(0).bits('u8'));
  return ax;
});
const args = () => ({ x: { data: Float32Array.from(FLOATS), shape: [FLOATS.length] }, d: { data: Float64Array.from(DOUBLES), shape: [DOUBLES.length] }, h: { data: Uint16Array.of(0x3e00), shape: [1] }, y: { data: new Int8Array(1), shape: [1] } });

describe('print', () => {
  const lines: string[] = [];
  interpret(shows.ir, args(), { print: (line) => lines.push(line) });

  it('gives lines to whoever asks for them', () => {
    expect(lines[4]).toBe('100% "x" {i} \\ ??/ 4 = 0.100000001 true');
    expect(lines.at(-2)).toMatch(/^4\.94\d+e-324 é\ttab$/);
    expect(lines.at(-1)).toBe('end 1.5 -3 253');
    expect(lines).toHaveLength(FLOATS.length + DOUBLES.length + 1);
    interpret(shows.ir, args());
  });
  it('writes the same lines from C where it is kept, and leaves no trace where it is not', () => {
    const t = target('x86-64'), kept = emitFileC([lower(shows.ir, t, { print: true })], t), symbol = symbolOf('shows', t.isa);
    const array = (type: string, name: string, values: readonly number[]): string =>
      `static const ${type} ${name}[] = {${values.map((v) => (Number.isFinite(v) ? (Object.is(v, -0) ? '-0.0' : String(v)) : Number.isNaN(v) ? '-__builtin_nan("")' : v > 0 ? '__builtin_inf()' : '-__builtin_inf()')).join(', ')}};`;
    const path = compile(`${kept}
${array('float', 'xs', FLOATS)}
${array('double', 'ds', DOUBLES)}
int main(void) {
  const uint16_t h[1] = {0x3e00};
  int8_t y[1];
  const quern_ctx c = {QUERN_ABI, 1, 0, 0, 0, 0};
  const int64_t size[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  void *const buf[] = {(void *)(uintptr_t)xs, (void *)(uintptr_t)ds, (void *)(uintptr_t)h, y};
  return ${symbol}(&c, buf, size, 0);
}
`, t.cflags, { program: true });
    const printed = execFileSync('sh', ['-c', `"${path}" 2>&1`], { encoding: 'utf8' });
    expect(printed.split('\n').slice(0, -1)).toEqual(lines);
    const quiet = emitFileC([lower(shows.ir, t)], t);
    expect(kept).toContain('#include <stdio.h>');
    expect(quiet).not.toMatch(/printf|stdio|tab/);
  });
  it('stays outside of vectors while it is kept', () => {
    const t = target('x86-64'), k = kernel('v', { x: tensor('f32', 16).inout() }, ({ x }) => { const ax = axes({ i: 16 }); for (const i of ax.i) { print(x.at(i)); x.at(i).set(1); } return ax; });
    const s = schedule(k, t, (sc, { i }) => sc.vectorize(i));
    expect(() => lower(s.ir, t, { print: true })).toThrow(/KD-L-VECTOR-PRINT/);
    lower(s.ir, t);
  });
});
