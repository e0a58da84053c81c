import { Tensor, param } from '@quern/runtime';
import type { Kernel, ParamRef, Step } from '@quern/runtime';
import type { LlamaModel } from '../arch/index.ts';
import type { GgufTensor } from '../format/index.ts';
import { blockType } from '../quant/index.ts';

/** The memory of one step for up to T tokens. Shapes: [T, width]. `quantised` is scratch for activations as signed bytes. */
export interface Buffers {
  readonly T: number;
  readonly ids: Tensor<'i32'>;
  readonly x: Tensor<'f32'>;
  readonly xn: Tensor<'f32'>;
  readonly q: Tensor<'f32'>;
  readonly k: Tensor<'f32'>;
  readonly v: Tensor<'f32'>;
  readonly att: Tensor<'f32'>;
  readonly gate: Tensor<'f32'>;
  readonly up: Tensor<'f32'>;
  readonly h: Tensor<'f32'>;
  readonly cos: Tensor<'f32'>;
  readonly sin: Tensor<'f32'>;
  readonly quantised: { readonly bytes: Tensor<'u8'>; readonly d: Tensor<'f32'>; readonly s: Tensor<'i32'> };
}

/** What the steps of all batch sizes share. */
export interface Parts {
  readonly model: LlamaModel;
  readonly kernel: (name: string) => Kernel;
  /** A weight where it lies in the file. */
  readonly weights: (name: string, dtype: 'u8' | 'f16' | 'f32', shape: readonly number[], byteOffset: number) => Tensor;
  readonly caches: readonly { readonly K: Tensor; readonly V: Tensor }[];
  readonly kv: 'f16' | 'f32';
  readonly one: Buffers;
  readonly logits: Tensor<'f32'>;
}

/** Work below this many bytes is done before another thread has woken up. */
const SHARED_BYTES = 96 * 1024;

type Weight = { readonly format: 'q4_0' | 'q8_0' | 'f16' | 'f32'; readonly W: Tensor; readonly columns: number };
const quantisedFormat = (w: Weight): boolean => w.format === 'q4_0' || w.format === 'q8_0';

function weight(p: Parts, t: GgufTensor): Weight {
  const [columns = 1, rows = 1] = t.dims;
  if (t.type === 'F32' || t.type === 'F16') {
    const format = t.type === 'F32' ? 'f32' : 'f16';
    return { format, columns, W: p.weights(t.name, format, [rows, columns], t.offset) };
  }
  const { blockSize, blockBytes } = blockType(t.type);
  return { format: t.type === 'Q4_0' ? 'q4_0' : 'q8_0', columns, W: p.weights(t.name, 'u8', [rows, columns / blockSize, blockBytes], t.offset) };
}

const vector = (p: Parts, t: GgufTensor): Tensor => p.weights(t.name, 'f32', [t.dims[0]!], t.offset);

/** Writes launches: y = W x for one token by matvec, for more by matmul; activations are quantised once for all weights that read them. */
class StepWriter {
  readonly steps: Step[] = [];
  readonly #p: Parts;
  readonly #b: Buffers;
  #quantised: Tensor | undefined;
  constructor(p: Parts, b: Buffers) {
    this.#p = p;
    this.#b = b;
  }
  get #many(): boolean { return this.#b.T > 1; }
  /** The sizes of a launch that works on T tokens; with one token the shapes say it. */
  #sizes(extra: Readonly<Record<string, ParamRef>> = {}): { sizes?: Readonly<Record<string, ParamRef>> } {
    return this.#many ? { sizes: { T: param('T'), ...extra } } : {};
  }
  /** `bytes`: what one token makes the launch read; where that is less than waking threads costs, it runs in one. */
  add(label: string, kernel: string, args: Step['args'], sizes: { sizes?: Readonly<Record<string, ParamRef>> } = this.#sizes(), bytes = Infinity): void {
    this.steps.push({ label, kernel: this.#p.kernel(kernel), args, ...sizes, ...(!this.#many && bytes < SHARED_BYTES ? { threads: 1 } : {}) });
  }
  /** A buffer that weights read was written: what was quantised from it is stale. */
  changed(): void { this.#quantised = undefined; }

  #quantise(x: Tensor<'f32'>, columns: number): Readonly<Record<'q' | 'd', Tensor>> & { readonly s?: Tensor } {
    const { bytes, d, s } = this.#b.quantised, NB = columns / 32, T = this.#b.T;
    const whole = x.reshape(T, NB, 32);
    const part = (t: Tensor, dtype: 'u8' | 'i32' | 'f32', shape: readonly number[]): Tensor => view(t, dtype, shape);
    if (!this.#many) {
      const out = { q: part(bytes, 'u8', [1, NB, 32]), d: part(d, 'f32', [1, NB]) };
      if (this.#quantised !== x) this.add('quantise', 'quantize_q8', { x: whole, ...out });
      this.#quantised = x;
      return { q: part(bytes, 'u8', [NB, 32]), d: part(d, 'f32', [NB]) };
    }
    const P = Math.ceil(T / 16);
    const out = { q: part(bytes, 'i32', [P, NB, 128]), d: part(d, 'f32', [P, NB, 16]), s: part(s, 'i32', [P, NB, 16]) };
    if (this.#quantised !== x) this.add('quantise', 'quantize_q8_panels', { x: whole, ...out }, this.#sizes({ P: param('P') }));
    this.#quantised = x;
    return out;
  }

  /** y = W x, or y += W x. */
  multiply(label: string, t: GgufTensor, x: Tensor<'f32'>, y: Tensor<'f32'>, accumulate = false): void {
    const w = weight(this.#p, t), acc = accumulate ? '_acc' : '';
    const activations = quantisedFormat(w) ? this.#quantise(x, w.columns) : { x: this.#many ? x : x.reshape(w.columns) };
    if (this.#many) this.add(label, `matmul_${w.format}${acc}`, { W: w.W, ...activations, y }, this.#sizes(quantisedFormat(w) ? { P: param('P') } : {}));
    else this.add(label, `matvec_${w.format}${acc}`, { W: w.W, ...activations, y: y.reshape(y.size) }, {}, t.bytes);
  }
}

/** The first elements of a tensor's memory in another shape (and, for bytes, as words). */
function view(t: Tensor, dtype: 'u8' | 'i32' | 'f32', shape: readonly number[]): Tensor {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  return new Tensor(t.storage, dtype, shape, strides, t.byteOffset);
}

/** Heads as [T, heads, pairs, 2] over the rotated part of each head. */
function rotated(t: Tensor<'f32'>, heads: number, headDim: number, ropeDim: number): Tensor {
  return new Tensor(t.storage, 'f32', [t.shape[0]!, heads, ropeDim / 2, 2], [heads * headDim, headDim, 2, 1], t.byteOffset);
}

/** All launches from token ids to the residual stream after the last layer, for b.T tokens at most. Parameters: T, TF, pos, and P where weights are quantised. */
export function decoderSteps(p: Parts, b: Buffers): Step[] {
  const { spec } = p.model, w = new StepWriter(p, b), T = b.T;
  const heads = (t: Tensor<'f32'>, n: number): Tensor => t.reshape(T, n, spec.headDim);
  const e = weight(p, p.model.embedding);
  const shape = e.format === 'q4_0' ? [T, e.columns / 32, 2, 16] : e.format === 'q8_0' ? [T, e.columns / 32, 32] : [T, spec.dim];
  w.add('embed', `embed_${e.format}`, { W: e.W, ids: b.ids, y: b.x.reshape(...shape) });
  p.model.layers.forEach((l, i) => {
    const cache = p.caches[i]!;
    w.add(`${i} norm`, 'rms_norm', { x: b.x, w: vector(p, l.attnNorm), eps: spec.normEps, y: b.xn });
    w.changed();
    w.multiply(`${i} q`, l.q, b.xn, b.q);
    w.multiply(`${i} k`, l.k, b.xn, b.k);
    w.multiply(`${i} v`, l.v, b.xn, b.v);
    w.add(`${i} rope q`, 'rope', { x: rotated(b.q, spec.heads, spec.headDim, spec.ropeDim), cos: b.cos, sin: b.sin });
    w.add(`${i} rope k`, 'rope', { x: rotated(b.k, spec.kvHeads, spec.headDim, spec.ropeDim), cos: b.cos, sin: b.sin });
    w.add(`${i} cache`, `kv_append_${p.kv}`, { k: heads(b.k, spec.kvHeads), v: heads(b.v, spec.kvHeads), K: cache.K, V: cache.V, pos: param('pos') });
    w.add(`${i} attention`, `attention_${p.kv}`, { q: heads(b.q, spec.heads), K: cache.K, V: cache.V, pos: param('pos'), scale: 1 / Math.sqrt(spec.headDim), y: heads(b.att, spec.heads) });
    w.changed();
    w.multiply(`${i} out`, l.out, b.att, b.x, true);
    w.add(`${i} norm 2`, 'rms_norm', { x: b.x, w: vector(p, l.ffnNorm), eps: spec.normEps, y: b.xn });
    w.changed();
    w.multiply(`${i} gate`, l.gate, b.xn, b.gate);
    w.multiply(`${i} up`, l.up, b.xn, b.up);
    const flat = (t: Tensor<'f32'>): Tensor => t.reshape(t.size);
    w.add(`${i} silu`, 'silu_mul', { g: flat(b.gate), u: flat(b.up), y: flat(b.h) }, T > 1 ? { sizes: { N: param('TF') } } : {}, spec.ffn * 12);
    w.changed();
    w.multiply(`${i} down`, l.down, b.h, b.x, true);
  });
  return w.steps;
}

/** From the last token's residual stream to its logits. */
export function headSteps(p: Parts): Step[] {
  const { spec } = p.model, w = new StepWriter(p, p.one);
  w.add('output norm', 'rms_norm', { x: p.one.x, w: vector(p, p.model.outputNorm), eps: spec.normEps, y: p.one.xn });
  w.multiply('logits', p.model.output, p.one.xn, p.logits);
  return w.steps;
}
