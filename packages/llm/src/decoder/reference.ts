import { ModelError, ropeTable } from '../arch/index.ts';
import type { LlamaModel } from '../arch/index.ts';
import { tensorBytes } from '../format/index.ts';
import type { Gguf, GgufTensor } from '../format/index.ts';
import { dequantize } from '../quant/index.ts';
import type { CodecName } from '../quant/index.ts';
import type { Decoder } from './decoder.ts';

/** How the reference computes. */
export interface ReferenceOptions {
  readonly context: number;
  /** Round activations to 8 bits in blocks of 32 before they meet Q4_0 and Q8_0 weights, as the fast decoders do. Default: no. */
  readonly roundActivations?: boolean;
}

/** x in steps of each block's largest magnitude / 127. */
function rounded(x: Float64Array): Float64Array {
  const out = new Float64Array(x.length);
  for (let b = 0; b < x.length; b += 32) {
    const step = x.subarray(b, b + 32).reduce((m, v) => Math.max(m, Math.abs(v)), 0) / 127;
    for (let i = b; i < b + 32; i++) out[i] = step > 0 ? Math.round(x[i]! / step) * step : 0;
  }
  return out;
}

/** Weights as stored, multiplied in double precision: what every fast decoder is compared with, and a floor that runs anywhere. */
export function referenceDecoder(gguf: Gguf, model: LlamaModel, o: ReferenceOptions): Decoder {
  const { spec } = model;
  const { dim, heads, kvHeads, headDim, ropeDim } = spec, kvDim = kvHeads * headDim, group = heads / kvHeads;
  const cacheK = model.layers.map(() => new Float64Array(o.context * kvDim)), cacheV = model.layers.map(() => new Float64Array(o.context * kvDim));
  const known = new Map<string, Float32Array>();
  const weights = (t: GgufTensor): Float32Array => {
    const w = known.get(t.name) ?? dequantize(t.type as CodecName, tensorBytes(gguf, t), t.elements);
    known.set(t.name, w);
    return w;
  };
  const matvec = (t: GgufTensor, given: Float64Array): Float64Array => {
    const x = o.roundActivations && (t.type === 'Q4_0' || t.type === 'Q8_0') ? rounded(given) : given;
    const w = weights(t), n = t.dims[0]!, y = new Float64Array(t.dims[1]!);
    for (let r = 0; r < y.length; r++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += w[r * n + i]! * x[i]!;
      y[r] = sum;
    }
    return y;
  };
  const norm = (t: GgufTensor, x: Float64Array): Float64Array => {
    const w = weights(t);
    let sum = 0;
    for (const v of x) sum += v * v;
    const scale = 1 / Math.sqrt(sum / x.length + spec.normEps);
    return x.map((v, i) => v * scale * w[i]!);
  };
  const factors = spec.ropeFactors ? weights(gguf.tensor(spec.ropeFactors)) : undefined;
  const rotate = (x: Float64Array, pos: number): void => {
    const { cos, sin } = ropeTable(spec, pos, 1, factors);
    for (let h = 0; h < x.length; h += headDim) {
      for (let p = 0; p < ropeDim / 2; p++) {
        const a = x[h + 2 * p]!, b = x[h + 2 * p + 1]!;
        x[h + 2 * p] = a * cos[p]! - b * sin[p]!;
        x[h + 2 * p + 1] = a * sin[p]! + b * cos[p]!;
      }
    }
  };
  const attend = (q: Float64Array, layer: number, pos: number): Float64Array => {
    const K = cacheK[layer]!, V = cacheV[layer]!, out = new Float64Array(heads * headDim), scores = new Float64Array(pos + 1);
    for (let h = 0; h < heads; h++) {
      const kv = Math.floor(h / group) * headDim;
      let top = -Infinity, total = 0;
      for (let t = 0; t <= pos; t++) {
        let s = 0;
        for (let i = 0; i < headDim; i++) s += q[h * headDim + i]! * K[t * kvDim + kv + i]!;
        scores[t] = s / Math.sqrt(headDim);
        top = Math.max(top, scores[t]!);
      }
      for (let t = 0; t <= pos; t++) total += scores[t] = Math.exp(scores[t]! - top);
      for (let t = 0; t <= pos; t++) for (let i = 0; i < headDim; i++) out[h * headDim + i]! += (scores[t]! / total) * V[t * kvDim + kv + i]!;
    }
    return out;
  };
  const step = (token: number, pos: number): Float64Array => {
    const table = weights(model.embedding);
    let x: Float64Array = Float64Array.from(table.subarray(token * dim, (token + 1) * dim));
    model.layers.forEach((l, i) => {
      const a = norm(l.attnNorm, x), q = matvec(l.q, a), k = matvec(l.k, a);
      rotate(q, pos);
      rotate(k, pos);
      cacheK[i]!.set(k, pos * kvDim);
      cacheV[i]!.set(matvec(l.v, a), pos * kvDim);
      const o1 = matvec(l.out, attend(q, i, pos));
      x = x.map((v, j) => v + o1[j]!);
      const f = norm(l.ffnNorm, x), gate = matvec(l.gate, f), up = matvec(l.up, f);
      const o2 = matvec(l.down, gate.map((g, j) => (g / (1 + Math.exp(-g))) * up[j]!));
      x = x.map((v, j) => v + o2[j]!);
    });
    return x;
  };
  return {
    model, capacity: o.context, maxBatch: o.context, backend: 'reference',
    feed(tokens, at) {
      if (at + tokens.length > o.context) return Promise.reject(new ModelError('context-full', `position ${at + tokens.length} is beyond the context of ${o.context}`, 'load the model with a larger context, or shorten the prompt'));
      let x: Float64Array = new Float64Array(dim);
      for (let i = 0; i < tokens.length; i++) x = step(tokens[i]!, at + i);
      return Promise.resolve(Float32Array.from(matvec(model.output, norm(model.outputNorm, x))));
    },
    dispose: () => known.clear(),
  };
}
