// Products of a vector in f16 with blocks of Q4_0 as they lie in a file: 18 bytes hold a scale (f16) and 32 weights, each scale * (nibble - 8); byte e holds weights e and 16 + e.
import { axes, kernel, reg, shared, subgroupAdd, tensor, when } from '@quern/kernel-dsl';
import { gridRows } from '@quern/kernel-dsl/gpu';

/**
 * y = W x; W as bytes, x with two elements in a word. `parts` of a block, its 16 bytes cut in as many, are what a lane works on. A nibble where it stands in its word becomes the low bits of 2^23
 * as a float, so that neither a shift nor a conversion is needed; the power of two that this multiplies by is taken back in x.
 */
export const q4Bytes = (together, parts) => kernel('q4_0_f16', { W: tensor('u8', 'R', 'NB', 18), x: tensor('u8', 'NB', 64), y: tensor('f32', 'R').out() }, ({ W, x, y, R, NB }) => {
  const words = 8 / parts, ax = axes({ rb: R.div(together), rr: together, b: NB, p: parts });
  for (const rb of ax.rb) for (const rr of ax.rr) {
    const r = rb.mul(together).add(rr), acc = reg('f32', 0, 'acc');
    for (const b of ax.b) for (const p of ax.p) {
      const s = reg('f32', 0, 's');
      for (let w = 0; w < words; w++) {
        const at = p.mul(words).add(w), word = W.as('u16', r, b, at.mul(2).add(2)).to('u32'), low = x.as('u32', b, at.mul(4)), high = x.as('u32', b, at.mul(4).add(32));
        const half = (both, second) => (second ? both.shr(16) : both.and(0xffff)).to('u16').bits('f16').to('f32');
        [[0, low, false], [4, high, false], [8, low, true], [12, high, true]].forEach(([shift, both, second]) => {
          const weight = word.and(15 << shift).or(0x4b000000).bits('f32').sub(8388608 + 8 * 2 ** shift);
          s.addAssign(weight.mul(half(both, second).mul(2 ** -shift)));
        });
      }
      acc.addAssign(W.as('f16', r, b, 0).to('f32').mul(s));
    }
    y.at(r).set(acc);
  }
  return ax;
});
export const matvec = (lanes) => (s, { rb, rr, b, p }) => { s.jam(rr); gridRows(s, [rb], [s.fuse(b, p)], { lanes }); };

/** Words of a lane: two blocks. */
const WORDS = 9;
/** Where byte e of block h of a lane lies: its word, and bits from the lowest one. */
const byteAt = (h, e) => { const at = 18 * h + 2 + e; return [at >> 2, 8 * (at & 3)]; };

/**
 * The same of rows of `pairs` pairs of blocks, `rows` rows side by side in memory as words. Lanes belong to pairs, for all rows that their workgroup gets in turns, so that each holds its 64 elements
 * of x in registers. A nibble where it stands in its word is a float too, a subnormal one, n 2^(place - 149): it needs neither a bit nor a subtraction more, where x is multiplied by 2^(100 - place)
 * beforehand. What is left, 8 times the sum of x, is what sums begin at. All of it is as exact as other sums in f32 (but for infinite x). Not for WebGPU, whose subnormal numbers may be 0.
 */
export const q4Words = (rows, workgroups, pairs) => kernel('q4_0_f16_words', { W: tensor('u32', 'RB', rows * WORDS * pairs), x: tensor('u32', pairs, 32), y: tensor('f32', 'RB', rows).out() }, ({ W, x, y, RB }) => {
  const lanes = 32 * Math.ceil(pairs / 32), warps = lanes / 32, ax = axes({ group: workgroups, lane: lanes, once: 1, turn: RB.add(workgroups - 1).div(workgroups) });
  for (const group of ax.group.bind('block.x')) {
    const parts = shared('f32', 'parts', rows, warps);
    for (const lane of ax.lane.bind('lane.x')) {
      const factors = Array.from({ length: 64 }, (_, i) => reg('f32', 0, `x${i}`)), start = [0, 1].map((h) => reg('f32', 0, `start${h}`)), mine = lane.lt(pairs);
      /** The place of a nibble in its word, or in the word less its lowest byte: bits above 23 are no part of a fraction. */
      const place = (bits, upper) => (bits === 24 ? 16 : bits) + (upper ? 4 : 0);
      for (const _ of ax.once) when(mine, () => {
        for (let j = 0; j < 32; j++) {
          const both = reg('u32', x.at(lane, j), 'both');
          [both.and(0xffff), both.shr(16)].forEach((half, k) => {
            const h = j >> 4, e = (2 * j + k) & 31, v = reg('f32', half.to('u16').bits('f16').to('f32'), 'v');
            factors[32 * h + e].set(v.mul(2 ** (100 - place(byteAt(h, e & 15)[1], e >= 16))));
            start[h].addAssign(v.mul(-8 * 2 ** -49));
          });
        }
      });
      for (const turn of ax.turn) {
        const rb = turn.mul(workgroups).add(group), sums = Array.from({ length: rows }, (_, r) => reg('f32', 0, `sum${r}`));
        when(rb.lt(RB), () => when(mine, () => {
          for (let r = 0; r < rows; r++) {
            const words = Array.from({ length: WORDS }, (_, i) => reg('u32', W.at(rb, lane.mul(WORDS).add(WORDS * pairs * r + i)), `w${i}`)), less = words.map((w, i) => (i === 4 ? undefined : reg('u32', w.shr(8), `less${i}`)));
            for (const h of [0, 1]) {
              const s = reg('f32', start[h], 's');
              for (let e = 0; e < 16; e++) {
                const [i, bits] = byteAt(h, e), word = bits === 24 ? less[i] : words[i];
                for (const upper of [false, true]) s.addAssign(word.and(15 << place(bits, upper)).bits('f32').mul(factors[32 * h + e + (upper ? 16 : 0)]));
              }
              sums[r].addAssign((h ? words[4].shr(16) : words[0].and(0xffff)).to('u16').bits('f16').to('f32').mul(s));
            }
          }
        }));
        const all = sums.map((x) => subgroupAdd(x));
        when(lane.mod(32).eq(0), () => all.forEach((x, r) => parts.at(r, lane.div(32)).set(x)));
        when(rb.lt(RB), () => when(lane.lt(rows), () => {
          const total = reg('f32', parts.at(lane, 0), 'total');
          for (let w = 1; w < warps; w++) total.addAssign(parts.at(lane, w));
          y.at(rb, lane).set(total.mul(2 ** 49));
        }));
      }
    }
  }
  return ax;
});
/** Rows come ahead through a ring, as bytes and 16 of them at a time; x by way of shared memory, rows of it padded so that lanes meet no bank twice. */
export const ahead = (stages) => (s, { turn, once }) => {
  s.stage('W', turn, 'shared', { vector: 4 });
  s.stage('x', once, 'shared', { vector: 4, pad: 4 });
  s.pipeline(turn, stages);
};
