import { axes, exp, kernel, streamingMap, tensor, value } from '@quern/kernel-dsl';
import type { Val } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

const VECTORS = 4;

/** x / (1 + exp(-x)). */
const silu = (x: Val<'f32'>): Val<'f32'> => x.div(exp(x.neg()).add(value('f32', 1)));

/** y = x * sigmoid(x), element by element. */
export const SILU: DnnKernel = define(
  'silu',
  (name) => kernel(name, { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) y.at(i).set(silu(x.at(i)));
    return ax;
  }),
  (s, { i }) => s.parallel(streamingMap(s, i, { vectors: VECTORS })),
);

/** y = silu(g) * u: the gate of a SwiGLU layer (Shazeer, "GLU Variants Improve Transformer", 2020). */
export const SILU_MUL: DnnKernel = define(
  'silu_mul',
  (name) => kernel(name, { g: tensor('f32', 'N'), u: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ g, u, y, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) y.at(i).set(silu(g.at(i)).mul(u.at(i)));
    return ax;
  }),
  (s, { i }) => s.parallel(streamingMap(s, i, { vectors: VECTORS })),
);

/** y = a + b. */
export const ADD: DnnKernel = define(
  'add',
  (name) => kernel(name, { a: tensor('f32', 'N'), b: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ a, b, y, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) y.at(i).set(a.at(i).add(b.at(i)));
    return ax;
  }),
  (s, { i }) => s.parallel(streamingMap(s, i, { vectors: VECTORS })),
);

/** y += x: a residual connection. */
export const ADD_TO: DnnKernel = define(
  'add_to',
  (name) => kernel(name, { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ x, y, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) y.at(i).addAssign(x.at(i));
    return ax;
  }),
  (s, { i }) => s.parallel(streamingMap(s, i, { vectors: VECTORS })),
);
