/** Kernels that several tests of the emitter share, put together by hand in lowered form. */
import type { Buffer, Expr, KernelIR, Stmt } from '../../src/ir/index.ts';
import { add, broadcast, bytesOf, constant, fma, load, newBuffer, newVar } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { alloc, bindTo, kernelOf, loop, param, store } from '../run/helpers.ts';

const loc = { file: '/somewhere/kernels/micro.ts', line: 9, col: 3 };

/** C[mr, nr] += A[K, mr] * B[K, nr] on packed panels, nr = `vectors` registers: mr * vectors named accumulators. */
export function microKernel(mr: number, vectors: number, t: Target): KernelIR {
  const lanes = t.vecBytes / bytesOf('f32'), nr = vectors * lanes;
  const A = param('A', 'f32', ['K', mr]), B = param('B', 'f32', ['K', nr]), C = param('C', 'f32', [mr, nr], 'inout');
  const acc: Buffer[][] = Array.from({ length: mr }, (_, i) => Array.from({ length: vectors }, (_, j) =>
    newBuffer({ name: `c${i}_${j}`, dtype: 'f32', space: 'reg', shape: [constant(lanes)] })));
  const each = (f: (r: Buffer, i: number, j: number) => Stmt): Stmt[] => acc.flatMap((row, i) => row.map((r, j) => f(r, i, j)));
  const zero = [constant(0)], at = (i: number, j: number): Expr[] => [constant(i), constant(j * lanes)];
  const step = loop('k', 'K', (k) => {
    const b = Array.from({ length: vectors }, (_, j) => newVar(`b${j}`, 'f32', lanes)), a = Array.from({ length: mr }, (_, i) => newVar(`a${i}`, 'f32', lanes));
    return [
      ...b.map((v, j) => bindTo(v, load(B, [k, constant(j * lanes)], { lanes }))),
      ...a.flatMap((v, i) => [
        bindTo(v, broadcast(load(A, [k, constant(i)]), lanes)),
        ...acc[i]!.map((r, j) => store(r, zero, fma(v, b[j]!, load(r, zero, { lanes })))),
      ]),
    ];
  });
  const k = kernelOf([A, B, C], [
    { kind: 'region', name: `${mr} x ${nr} accumulators stay in registers`, loc, body: { kind: 'block', body: [...each((r) => alloc(r)), ...each((r) => store(r, zero, broadcast(constant(0, 'f32'), lanes)))] } },
    { ...step, loc: { ...loc, line: 12 } },
    ...each((r, i, j) => store(C, at(i, j), add(load(C, at(i, j), { lanes }), load(r, zero, { lanes })))),
  ], 'micro_kernel');
  return { ...k, loc };
}
