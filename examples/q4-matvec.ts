// y = W x with weights of 4 bits, as they lie in a Q4_0 file: 18 bytes hold a scale (f16) and 32 weights, each scale * (nibble - 8).
// Nothing is unpacked to memory: bytes become numbers in registers.
import { axes, kernel, reg, tensor } from '@quern/kernel-dsl';
import type { InterpretArg, Schedule, Val } from '@quern/kernel-dsl';

/** What a nibble stands for, before scaling. */
const weight = (nibble: Val<'u8'>): Val<'f32'> => nibble.to('f32').sub(8);

export const algorithm = kernel('q4_matvec', { W: tensor('u8', 'R', 'NB', 18), x: tensor('f32', 'NB', 32), y: tensor('f32', 'R').out() }, ({ W, x, y, R, NB }) => {
  const ax = axes({ r: R, b: NB, i: 16 });
  for (const r of ax.r) {
    const acc = reg('f32', 0);
    for (const b of ax.b) {
      for (const i of ax.i) {
        const byte = W.at(r, b, i.add(2));
        const low = weight(byte.and(15)).mul(x.at(b, i)), high = weight(byte.shr(4)).mul(x.at(b, i.add(16)));
        acc.addAssign(W.as('f16', r, b, 0).to('f32').mul(low.add(high)));
      }
    }
    y.at(r).set(acc);
  }
  return ax;
});

export const cpu = (s: Schedule, { r, i }: typeof algorithm.axes): void => {
  // A lane for each byte of a block, and four rows side by side: they share the loads of x.
  s.rfactor('acc', i);
  s.vectorize(i);
  const [rows, row] = s.split(r, 4, { tail: 'peel' });
  s.jam(row);
  s.parallel(rows);
};

export const sample = (): Record<string, InterpretArg> => {
  const [R, NB] = [10, 6];
  // Bytes 0 and 1 of a block are its scale: 0x2c00 is 1/16.
  const W = Uint8Array.from({ length: R * NB * 18 }, (_, k) => (k % 18 === 0 ? 0x00 : k % 18 === 1 ? 0x2c : (k * 37) & 0xff));
  return { W: { data: W, shape: [R, NB, 18] }, x: { data: Float32Array.from({ length: NB * 32 }, (_, k) => Math.sin(k)), shape: [NB, 32] }, y: { data: new Float32Array(R), shape: [R] } };
};
