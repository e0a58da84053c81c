/** Kernels of this package, one for each form of work, with arguments that they can be held to on a GPU. */
import type { DeviceOptions } from '@quern/conformance';
import fc from 'fast-check';

/** Blocks of 32 weights: a scale of ordinary size as f16, then random bytes. */
const blocks = (bytes: number) => ({ shape, random }: { readonly shape: readonly number[]; readonly random: () => number }): number[] =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % bytes === 1 ? 0x2c + Math.floor(random() * 8) : Math.floor(random() * 256)));
/** Numbers in -1 to 1: scores stay small, so that the bounds of exponentials say something. */
const near = ({ shape, random }: { readonly shape: readonly number[]; readonly random: () => number }): number[] => Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1);
const attention: DeviceOptions = { args: { pos: fc.constantFrom(3, 20), scale: fc.constant(0.25), q: near, K: near, V: near }, bound: () => 2e-5, sizes: { C: { min: 40, max: 44 }, T: { max: 20 }, E: { max: 20 } } };

/** Maps, rows with one sum and with three, tables, blocks of weights, products, attention. */
export const FORMS: readonly { readonly name: string; readonly o?: DeviceOptions; /** Left to the wider tests: PoCL compiles it for long, or another form says nearly the same. */ readonly wider?: true }[] = [
  { name: 'silu_mul' }, { name: 'rms_norm' }, { name: 'softmax', wider: true }, { name: 'kv_append_f16', wider: true, o: { args: { pos: fc.constant(1) }, sizes: { C: { min: 40 }, T: { max: 20 } } } },
  { name: 'quantize_q8', wider: true }, { name: 'matvec_q4_0', o: { args: { W: blocks(18) }, sizes: { NB: { max: 8 } } } }, { name: 'matvec_q8_0_acc', wider: true, o: { args: { W: blocks(34) }, sizes: { NB: { max: 8 } } } },
  { name: 'matmul_f32' }, { name: 'attention_f32', o: attention }, { name: 'attention_f16', o: attention, wider: true },
];
/** What every run of them has in common: workgroups have more lanes than the interpreter can run soon, so that results are held to the algorithm's bound. */
export const SETTINGS: DeviceOptions = { work: 600, checked: false, interpret: false };
