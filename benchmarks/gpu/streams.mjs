// The kernels that benchmarks/gpu-streams.bench.mjs measures: work that memory bounds, each an algorithm and its schedules for an NVIDIA GPU.
import { axes, exp, kernel, reg, rsqrt, scratch, tensor, value } from '@quern/kernel-dsl';
import { gridMap, gridRows, gridTranspose } from '@quern/kernel-dsl/gpu';

const copy = kernel('copy', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'T', 'D').out() }, ({ x, y, T, D }) => {
  const ax = axes({ t: T, i: D });
  for (const t of ax.t) for (const i of ax.i) y.at(t, i).set(x.at(t, i));
  return ax;
});

const rowSums = kernel('row_sums', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'T').out() }, ({ x, y, T, D }) => {
  const ax = axes({ t: T, i: D });
  for (const t of ax.t) {
    const sum = reg('f32', 0, 'sum');
    for (const i of ax.i) sum.addAssign(x.at(t, i));
    y.at(t).set(sum);
  }
  return ax;
});

/** Three passes over a row: nothing but the result is written. `kept`: the row lies in working memory, of this many elements, meanwhile. */
const softmax = (kept) => kernel(kept ? 'softmax_kept' : 'softmax', { x: tensor('f32', 'T', kept ?? 'D'), y: tensor('f32', 'T', kept ?? 'D').out() }, ({ x, y, T, D }) => {
  const n = kept ?? D, ax = axes({ t: T, m: n, e: n, i: n });
  for (const t of ax.t) {
    const top = reg('f32', -Infinity, 'top'), sum = reg('f32', 0, 'sum'), row = kept && scratch('f32', 'row', kept), at = (i) => (row ? row.at(i) : x.at(t, i));
    for (const m of ax.m) {
      if (row) row.at(m).set(x.at(t, m));
      top.maxAssign(x.at(t, m));
    }
    for (const e of ax.e) {
      if (row) {
        row.at(e).set(exp(row.at(e).sub(top)));
        sum.addAssign(row.at(e));
      } else sum.addAssign(exp(x.at(t, e).sub(top)));
    }
    const scale = reg('f32', value('f32', 1).div(sum), 'scale');
    for (const i of ax.i) y.at(t, i).set((row ? row.at(i) : exp(at(i).sub(top))).mul(scale));
  }
  return ax;
});

const rmsNorm = kernel('rms_norm', { x: tensor('f32', 'T', 'D'), w: tensor('f32', 'D'), y: tensor('f32', 'T', 'D').out() }, ({ x, w, y, T, D }) => {
  const ax = axes({ t: T, j: D, i: D });
  for (const t of ax.t) {
    const squares = reg('f32', 0, 'squares');
    for (const j of ax.j) squares.addAssign(x.at(t, j).mul(x.at(t, j)));
    const scale = reg('f32', rsqrt(squares.div(D.to('f32')).add(1e-5)), 'scale');
    for (const i of ax.i) y.at(t, i).set(x.at(t, i).mul(scale).mul(w.at(i)));
  }
  return ax;
});

const transpose = kernel('transpose', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'D', 'T').out() }, ({ x, y, T, D }) => {
  const ax = axes({ i: D, j: T });
  for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(j, i));
  return ax;
});

/**
 * y = W x with blocks of Q4_0 as they lie in a file: 18 bytes hold a scale (f16) and 32 weights, each scale * (nibble - 8), and x in f16, two in a word. `parts` of a
 * block, its 16 bytes cut in as many, are what a lane works on. A nibble where it stands in its word becomes the low bits of 2^23 as a float, so that neither a shift
 * nor a conversion is needed; the power of two that this multiplies by is taken back in x.
 */
const q4 = (together, parts) => kernel('q4_0_f16', { W: tensor('u8', 'R', 'NB', 18), x: tensor('u8', 'NB', 64), y: tensor('f32', 'R').out() }, ({ W, x, y, R, NB }) => {
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

const rows = (lanes, vector, names) => (s, ax) => { gridRows(s, [ax.t], names.map((n) => ax[n]), { lanes, vector }); };
const matvec = (lanes) => (s, { rb, rr, b, p }) => { s.jam(rr); gridRows(s, [rb], [s.fuse(b, p)], { lanes }); };

/** `bytes`: what must be moved, of [T, D] elements. `limit`: the peer's figure that it is held to. */
export const streams = [
  { name: 'copy', kernel: copy, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, '256 lanes, 4 a lane': (s, { t, i }) => gridMap(s, [t, i], { vector: 4 }) } },
  { name: 'row_sums', kernel: rowSums, limit: 'sum', bytes: (t, d) => 4 * t * d + 4 * t, schedules: { found: undefined, '512 lanes': rows(512, 4, ['i']), '1024 lanes': rows(1024, 4, ['i']) } },
  { name: 'softmax', kernel: softmax(), limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, '512 lanes': rows(512, 4, ['m', 'e', 'i']), '1024 lanes': rows(1024, 4, ['m', 'e', 'i']) } },
  { name: 'softmax', kernel: softmax(8192), columns: 8192, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { 'row kept, 256 lanes': rows(256, 4, ['m', 'e', 'i']), 'row kept, 512 lanes': rows(512, 4, ['m', 'e', 'i']), 'row kept, 1024 lanes': rows(1024, 4, ['m', 'e', 'i']) } },
  { name: 'rms_norm', kernel: rmsNorm, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, '512 lanes': rows(512, 4, ['j', 'i']), '1024 lanes': rows(1024, 4, ['j', 'i']) } },
  { name: 'transpose', kernel: transpose, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, 'tiles of 32 x 32': (s, ax) => gridTranspose(s, ax, 'x') } },
];
const forms = [[4, 2, 64], [4, 2, 128], [2, 2, 128], [2, 4, 256]];
export const matvecs = { name: 'q4_0 x f16', limit: 'sum', rows: 4096, blocks: 344, schedules: Object.fromEntries(forms.map(([together, parts, lanes]) => [`${together} rows, 1/${parts} of a block a lane, ${lanes} lanes`, { kernel: q4(together, parts), schedule: matvec(lanes) }])) };
