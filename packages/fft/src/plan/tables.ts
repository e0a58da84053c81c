import { tableSize } from '../twiddles/index.ts';
import type { Table } from './launch.ts';

/**
 * Where the twiddles of every pass but the first lie, one table after another; vectors of `lanes` and the scale in the last. A backward pass in the
 * middle reads its rows in reverse order.
 */
export function layTables(radices: readonly number[], sign: -1 | 1, lanes: number, scale: number): { readonly tables: readonly Table[]; readonly size: number } {
  const tables: Table[] = [];
  let l = radices[0]!, size = 0;
  radices.forEach((radix, i) => {
    if (i === 0) return;
    const last = i === radices.length - 1;
    tables.push({ offset: size, l, radix, lanes: last ? lanes : 1, scale: last ? scale : 1, reversed: sign === 1 && !last });
    size += tableSize({ l, radix });
    l *= radix;
  });
  return { tables, size };
}
