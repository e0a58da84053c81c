// An instruction and a machine that Quern does not know, from a file of your own: four products of bytes per lane, with and without AVX-512.
import { axes, instr, kernel, reg, tensor, x86_64_v3 } from '@quern/kernel-dsl';
import type { Instruction, InterpretArg, Kernel, Schedule, Target } from '@quern/kernel-dsl';

/** What it computes: c[l] += a[l, 0] b[l, 0] + … + a[l, 3] b[l, 3], exact. The interpreter runs this; loops must match it. */
const meaning = (): Kernel => kernel('dot_bytes', { a: tensor('u8', 8, 4), b: tensor('i8', 8, 4), c: tensor('i32', 8).inout() }, ({ a, b, c }) => {
  const ax = axes({ l: 8, q: 4 });
  for (const l of ax.l) for (const q of ax.q) c.at(l).addAssign(a.at(l, q).to('i32').mul(b.at(l, q).to('i32')));
  return ax;
});
const dot = (name: string, needs: readonly string[], intrinsic: string): Instruction => instr({
  name, needs, meaning, operands: { a: 'vector', b: 'vector', c: 'vector' },
  emit: { c: `return (i32x8)${intrinsic}((__m256i)c, (__m256i)a, (__m256i)b);`, includes: ['immintrin.h'] },
});
const dot512 = dot('dot_bytes_vl', ['avx512_vnni', 'avx512vl'], '_mm256_dpbusd_epi32'), dot256 = dot('dot_bytes_vex', ['avx_vnni'], '_mm256_dpbusd_avx_epi32');

/** Alder Lake and later desktops: VNNI without AVX-512. */
export const alderLake: Target = {
  ...x86_64_v3, isa: 'x86-64-v3-vnni', features: [...x86_64_v3.features, 'avx_vnni'], adds: ['avx_vnni'], instructions: [...x86_64_v3.instructions, dot256], cflags: [...x86_64_v3.cflags, '-mavxvnni'],
};

export const algorithm = kernel('bytes_matvec', { W: tensor('u8', 'R', 'K'), x: tensor('i8', 'K'), y: tensor('i32', 'R').out() }, ({ W, x, y, R, K }) => {
  const ax = axes({ r: R, k: K });
  for (const r of ax.r) {
    const acc = reg('i32', 0);
    for (const k of ax.k) acc.addAssign(W.at(r, k).to('i32').mul(x.at(k).to('i32')));
    y.at(r).set(acc);
  }
  return ax;
});

export const cpu = (s: Schedule, { r, k }: typeof algorithm.axes): void => {
  const [, block] = s.split(k, 32, { tail: 'peel' }), [l, q] = s.split(block, 4);
  s.rfactor('acc', l);
  const own = [dot256, dot512].find((d) => d.needs.every((f) => s.target.features.includes(f)));
  if (own) s.tensorize(own, l, q);
  else s.vectorize(l);
  s.parallel(r);
};

export const sample = (): Record<string, InterpretArg> => {
  const [R, K] = [130, 77];
  const W = Uint8Array.from({ length: R * K }, (_, i) => (i * 37) & 255), x = Int8Array.from({ length: K }, (_, i) => ((i * 91) & 255) - 128);
  return { W: { data: W, shape: [R, K] }, x: { data: x, shape: [K] }, y: { data: new Int32Array(R), shape: [R] } };
};
