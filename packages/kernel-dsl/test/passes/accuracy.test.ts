import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MAX_ULP } from '../../src/passes/math/index.ts';

/** The table of the README, from the data that the functions are held to. */
function table(): string {
  const names = Object.keys(MAX_ULP) as (keyof typeof MAX_ULP)[], row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [row(['', ...names.map((n) => `\`${n}\``)]), row(['', ...names].map(() => '---')), ...(['f32', 'f64'] as const).map((d) => row([d, ...names.map((n) => MAX_ULP[n][d])]))].join('\n');
}

it('the README states the errors that the functions are tested for', () => {
  expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(table());
});
