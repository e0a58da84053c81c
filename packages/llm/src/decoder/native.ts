import { dnnKernel } from '@quern/dnn';
import { fromMemory, program, threads, zeros } from '@quern/runtime';
import type { Memory, Program, Tensor } from '@quern/runtime';
import { ModelError, ropeTable } from '../arch/index.ts';
import type { LlamaModel } from '../arch/index.ts';
import { tensorBytes } from '../format/index.ts';
import type { Gguf } from '../format/index.ts';
import type { Decoder } from './decoder.ts';
import { decoderSteps, headSteps } from './steps.ts';
import type { Buffers } from './steps.ts';

/** How a native decoder is made. */
export interface NativeDecoderOptions {
  /** Positions of the key-value cache. */
  readonly context: number;
  /** Most prompt tokens computed at a time. */
  readonly maxBatch: number;
  /** Element type of the key-value cache. */
  readonly kv: 'f16' | 'f32';
  /** At most so many threads; undefined: the pool's. */
  readonly threads: number | undefined;
}

/** Bytes of weights read in one feed below which it is not worth leaving JavaScript's thread. */
const QUICK_BYTES = 32e6;
/** A run of quick feeds lets other events in after so many milliseconds. */
const YIELD_MS = 10;

/** The model's file mapped, every weight multiplied where it lies, all launches of a token in one native call. */
export function nativeDecoder(gguf: Gguf, model: LlamaModel, file: Memory, o: NativeDecoderOptions): Decoder {
  const { spec } = model;
  const kvShape = [o.context, spec.kvHeads, spec.headDim];
  const batch = Math.max(1, Math.min(o.maxBatch, o.context));
  const owned: Tensor[] = [];
  const make = <D extends 'f32' | 'f16' | 'i32' | 'u8'>(dtype: D, ...shape: number[]): Tensor<D> => {
    const t = zeros(shape, dtype);
    owned.push(t);
    return t;
  };
  const pairs = spec.ropeDim / 2, qDim = spec.heads * spec.headDim, kvDim = spec.kvHeads * spec.headDim;
  const buffersFor = (T: number, widest: number): Buffers => ({
    T,
    ids: make('i32', T), x: make('f32', T, spec.dim), xn: make('f32', T, spec.dim), q: make('f32', T, qDim), k: make('f32', T, kvDim), v: make('f32', T, kvDim),
    att: make('f32', T, qDim), gate: make('f32', T, spec.ffn), up: make('f32', T, spec.ffn), h: make('f32', T, spec.ffn), cos: make('f32', T, pairs), sin: make('f32', T, pairs),
    quantised: { bytes: make('u8', Math.ceil(T / 16) * 16 * Math.ceil(widest / 32) * 32), d: make('f32', Math.ceil(T / 16) * 16 * Math.ceil(widest / 32)), s: make('i32', Math.ceil(T / 16) * 16 * Math.ceil(widest / 32)) },
  });
  const widest = Math.max(spec.dim, spec.ffn, qDim);
  const caches = model.layers.map(() => ({ K: make(o.kv, ...kvShape), V: make(o.kv, ...kvShape) }));
  const one = buffersFor(1, widest);
  const logits = make('f32', spec.vocab);
  const weights = (name: string, dtype: 'u8' | 'f16' | 'f32', shape: readonly number[], byteOffset: number): Tensor => fromMemory(file, dtype, shape, { byteOffset });
  const parts = { model, kernel: dnnKernel, weights, caches, kv: o.kv, one, logits };
  const programs: Program[] = [];
  const compile = (...args: Parameters<typeof program>): Program => {
    const p = program(...args);
    programs.push(p);
    return p;
  };
  const single = compile(decoderSteps(parts, one), { pos: 0 });
  const head = compile(headSteps(parts), {});
  // The plan for prompts is made when the first prompt comes: a server of short requests may never need it.
  let many: { buffers: Buffers; program: Program } | undefined;
  const forPrompts = (): { buffers: Buffers; program: Program } => {
    if (!many) {
      const buffers = buffersFor(batch, widest);
      const quantised = model.layers.some((l) => [l.q, l.k, l.v, l.out, l.gate, l.up, l.down].some((t) => t.type === 'Q4_0' || t.type === 'Q8_0'));
      many = { buffers, program: compile(decoderSteps(parts, buffers), { T: batch, TF: batch * spec.ffn, pos: 0, ...(quantised ? { P: Math.ceil(batch / 16) } : {}) }) };
    }
    return many;
  };
  const factors = spec.ropeFactors ? new Float32Array(tensorBytes(gguf, spec.ropeFactors).slice().buffer) : undefined;
  const limit = { ...(o.threads === undefined ? {} : { threads: o.threads }) };
  let yielded = performance.now(), disposed = false;

  const run = async (p: Program, quick: boolean): Promise<void> => {
    if (!quick) return p.runAsync(limit);
    p.run(limit);
    if (performance.now() - yielded > YIELD_MS) {
      await new Promise((resume) => setImmediate(resume));
      yielded = performance.now();
    }
  };

  const feed = async (tokens: ArrayLike<number>, at: number): Promise<Float32Array> => {
    if (disposed) throw new ModelError('disposed', 'the model has been disposed', 'load it again');
    const T = tokens.length;
    if (T === 0 || T > batch) throw new ModelError('bad-request', `${T} tokens were fed, 1 to ${batch} can be`, 'feed a prompt in parts');
    if (!(at >= 0) || at + T > o.context) throw new ModelError('context-full', `position ${at + T} is beyond the context of ${o.context}`, 'load the model with a larger context, or shorten the prompt');
    for (let i = 0; i < T; i++) if (!(tokens[i]! >= 0 && tokens[i]! < spec.vocab)) throw new ModelError('bad-request', `${tokens[i]} is not a token of this model`, `use ids from 0 to ${spec.vocab - 1}`);
    const { buffers, program: p } = T === 1 ? { buffers: one, program: single } : forPrompts();
    buffers.ids.array.set(Int32Array.from(tokens));
    const table = ropeTable(spec, at, T, factors);
    buffers.cos.array.set(table.cos);
    buffers.sin.array.set(table.sin);
    p.set('pos', at);
    if (T > 1) {
      p.set('T', T).set('TF', T * spec.ffn);
      if ('P' in p.params) p.set('P', Math.ceil(T / 16));
    }
    const quick = model.bytesPerToken * T < QUICK_BYTES;
    await run(p, quick);
    if (T > 1) one.x.array.set(buffers.x.array.subarray((T - 1) * spec.dim, T * spec.dim));
    await run(head, quick);
    return logits.array;
  };

  return {
    model, capacity: o.context, maxBatch: batch, feed,
    backend: `${dnnKernel('rms_norm').isa}, ${o.threads ?? threads()} thread${(o.threads ?? threads()) === 1 ? '' : 's'}`,
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const p of programs) p.dispose();
      for (const t of owned) t.dispose();
    },
  };
}
