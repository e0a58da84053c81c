/** The kernels of this package: an algorithm and its CPU schedule each. */
import { ATTENTION } from './attention.ts';
import type { DnnKernel } from './define.ts';
import { ADD, ADD_TO, SILU, SILU_MUL } from './elementwise.ts';
import { EMBED } from './embed.ts';
import { KV_APPEND } from './kv-append.ts';
import { MATMUL_FLOAT } from './matmul-float.ts';
import { MATMUL_QUANTIZED } from './matmul-quantized.ts';
import { MATVEC_FLOAT } from './matvec-float.ts';
import { MATVEC_QUANTIZED } from './matvec-quantized.ts';
import { MATH } from './math.ts';
import { PANEL, QUANTIZE_Q8, QUANTIZE_Q8_PANELS } from './quantize.ts';
import { RMS_NORM } from './rms-norm.ts';
import { ROPE, ROPE_NEOX } from './rope.ts';
import { SOFTMAX } from './softmax.ts';

export type { DnnKernel } from './define.ts';
export { PANEL };

/** Every kernel, in the order of the generated library. */
export const KERNELS: readonly DnnKernel[] = [
  RMS_NORM, SOFTMAX, SILU, SILU_MUL, ADD, ADD_TO, ROPE, ROPE_NEOX, ...EMBED, QUANTIZE_Q8, QUANTIZE_Q8_PANELS,
  ...MATVEC_QUANTIZED, ...MATVEC_FLOAT, ...MATMUL_QUANTIZED, ...MATMUL_FLOAT, ...KV_APPEND, ...ATTENTION, ...MATH,
];

/** The kernel of a name. */
export function kernelNamed(name: string): DnnKernel {
  const k = KERNELS.find((x) => x.name === name);
  if (!k) throw new Error(`no kernel ${name}: there are ${KERNELS.map((x) => x.name).join(', ')}`);
  return k;
}
