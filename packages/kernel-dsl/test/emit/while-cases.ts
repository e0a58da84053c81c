/** A loop that ends when it is done. */
import { axes, kernel, loopWhile, reg, tensor } from '../../src/lang/index.ts';
import { array } from '../run/helpers.ts';
import type { TensorValue } from './harness.ts';

/** The steps that each number takes to 1 in Collatz' game, and the highest number on the way; at most N rounds. */
export const collatz = kernel('collatz', { x: tensor('u32', 'M'), steps: tensor('i32', 'M').out(), top: tensor('u32', 'M').out(), rounds: tensor('u8', 'N') }, ({ x, steps, top, M, N }) => {
  const ax = axes({ i: M });
  for (const i of ax.i) {
    const n = reg('u32', x.at(i), 'n'), count = reg('i32', 0, 'count'), high = reg('u32', n, 'high');
    for (const round of loopWhile(() => n.ne(1), { max: N })) {
      n.set(n.and(1).mul(n.mul(2).add(1)).add(n.shr(n.and(1).not().and(1))));
      high.maxAssign(n);
      count.set(round.to('i32').add(1));
    }
    steps.at(i).set(count);
    top.at(i).set(high);
  }
  return ax;
});
export const args = (x: readonly number[], most: number): Record<'x' | 'steps' | 'top' | 'rounds', TensorValue> => ({
  x: { data: array('u32', x), shape: [x.length] }, steps: { data: new Int32Array(x.length), shape: [x.length] }, top: { data: new Uint32Array(x.length), shape: [x.length] }, rounds: { data: new Uint8Array(most), shape: [most] },
});
