// The kernels that benchmarks/gpu-streams.bench.mjs measures: work that memory bounds, each an algorithm and its schedules for an NVIDIA GPU.
import { axes, exp, kernel, reg, rsqrt, scratch, tensor, value } from '@quern/kernel-dsl';
import { gridMap, gridRows, gridTranspose } from '@quern/kernel-dsl/gpu';
import { ahead, matvec, q4Bytes, q4Words } from './q4.mjs';

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

/** Three passes over a row, as that of dnn: the result holds exponentials meanwhile. `kept`: the row lies in working memory, of this many elements, instead. */
const softmax = (kept) => kernel(kept ? 'softmax_kept' : 'softmax', { x: tensor('f32', 'T', kept ?? 'D'), y: tensor('f32', 'T', kept ?? 'D').out() }, ({ x, y, T, D }) => {
  const n = kept ?? D, ax = axes({ t: T, m: n, e: n, i: n });
  for (const t of ax.t) {
    const top = reg('f32', -Infinity, 'top'), sum = reg('f32', 0, 'sum'), row = kept && scratch('f32', 'row', kept), at = (i) => (row ? row.at(i) : y.at(t, i));
    for (const m of ax.m) {
      if (row) row.at(m).set(x.at(t, m));
      top.maxAssign(x.at(t, m));
    }
    for (const e of ax.e) {
      at(e).set(exp((row ? row.at(e) : x.at(t, e)).sub(top)));
      sum.addAssign(at(e));
    }
    if (!row) for (const i of ax.i) y.at(t, i).set(y.at(t, i).div(sum));
    else {
      const scale = reg('f32', value('f32', 1).div(sum), 'scale');
      for (const i of ax.i) y.at(t, i).set(row.at(i).mul(scale));
    }
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

const rows = (lanes, vector, names) => (s, ax) => { gridRows(s, [ax.t], names.map((n) => ax[n]), { lanes, vector }); };

/** `bytes`: what must be moved, of [T, D] elements. `limit`: the peer's figure that it is held to. */
export const streams = [
  { name: 'copy', kernel: copy, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, '256 lanes, 4 a lane': (s, { t, i }) => gridMap(s, [t, i], { vector: 4 }) } },
  { name: 'row_sums', kernel: rowSums, limit: 'sum', bytes: (t, d) => 4 * t * d + 4 * t, schedules: { found: undefined, '512 lanes': rows(512, 4, ['i']) } },
  { name: 'softmax', kernel: softmax(), limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, '512 lanes, nothing kept': rows(512, 4, ['m', 'e', 'i']) } },
  { name: 'softmax of 8192', kernel: softmax(8192), columns: 8192, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { 'length known, 256 lanes': rows(256, 4, ['m', 'e', 'i']), 'length known, 512 lanes': rows(512, 4, ['m', 'e', 'i']) } },
  { name: 'rms_norm', kernel: rmsNorm, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, '512 lanes, nothing kept': rows(512, 4, ['j', 'i']) } },
  { name: 'transpose', kernel: transpose, limit: 'copy', bytes: (t, d) => 8 * t * d, schedules: { found: undefined, 'tiles of 32 x 32': (s, ax) => gridTranspose(s, ax, 'x'), 'tiles of 64 x 32': (s, ax) => gridTranspose(s, ax, 'x', { rows: 64 }) } },
];
const forms = [[4, 2, 64], [4, 2, 128], [2, 2, 128], [2, 4, 256]], ringed = [[4, 264, 2], [4, 264, 3], [2, 264, 5]];
/** `words`: so many rows side by side as words, on CUDA alone; else W and x are bytes. */
export const matvecs = { name: 'q4_0 x f16', limit: 'sum', rows: 4096, blocks: 344, schedules: Object.fromEntries([
  ...ringed.map(([rows, workgroups, stages]) => [`${rows} rows at once, ${workgroups} workgroups, ring of ${stages}`, { kernel: q4Words(rows, workgroups, 172), schedule: ahead(stages), words: rows }]),
  ...forms.map(([together, parts, lanes]) => [`${together} rows, 1/${parts} of a block a lane, ${lanes} lanes`, { kernel: q4Bytes(together, parts), schedule: matvec(lanes) }]),
]) };
