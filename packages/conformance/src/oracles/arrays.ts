import type { OracleArg, OracleTensor } from '../conform/index.ts';

function tensorOf(x: OracleArg | undefined, rank: number): OracleTensor {
  if (typeof x !== 'object' || x.shape.length !== rank) throw new TypeError(`the oracle needs a tensor of ${rank} dimension${rank === 1 ? '' : 's'}, got ${typeof x === 'object' ? `[${x.shape.join(', ')}]` : String(x)}`);
  return x;
}

/** A tensor of one dimension as a list. @throws TypeError for anything else */
export const vector = (x: OracleArg | undefined): number[] => [...tensorOf(x, 1).data];

/** A matrix as a list of its rows. @throws TypeError for anything else */
export function rows(x: OracleArg | undefined): number[][] {
  const { shape: [m = 0, n = 0], data } = tensorOf(x, 2);
  return Array.from({ length: m }, (_, i) => data.slice(i * n, (i + 1) * n));
}

/** Rows as one flat list. */
export const fromRows = (x: readonly (readonly number[])[]): number[] => x.flat();
