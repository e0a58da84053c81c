import type { Gguf, GgufTensor } from '../format/index.ts';
import { ModelError } from './error.ts';

/** The numbers of a Llama-shaped model. All sizes are in elements. */
export interface LlamaSpec {
  readonly name: string;
  readonly layers: number;
  /** Width of the residual stream. */
  readonly dim: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly ffn: number;
  readonly vocab: number;
  /** Positions the model was trained for. */
  readonly context: number;
  readonly normEps: number;
  /** Rotated elements of a head (interleaved pairs) and their base frequency. */
  readonly ropeDim: number;
  readonly ropeBase: number;
  /** Per pair: a factor that divides its frequency (long-context models), else undefined. */
  readonly ropeFactors: string | undefined;
}

/** The tensors of one layer. A matrix of `rows x columns` has dims `[columns, rows]`. */
export interface LlamaLayer {
  readonly attnNorm: GgufTensor;
  readonly q: GgufTensor;
  readonly k: GgufTensor;
  readonly v: GgufTensor;
  readonly out: GgufTensor;
  readonly ffnNorm: GgufTensor;
  readonly gate: GgufTensor;
  readonly up: GgufTensor;
  readonly down: GgufTensor;
}

/** A checked model: its numbers and where its weights lie. */
export interface LlamaModel {
  readonly spec: LlamaSpec;
  readonly embedding: GgufTensor;
  readonly layers: readonly LlamaLayer[];
  readonly outputNorm: GgufTensor;
  /** The embedding again where the file ties them. */
  readonly output: GgufTensor;
  /** Bytes of weights read for one generated token: everything but the embedding table (unless tied). */
  readonly bytesPerToken: number;
}

/** Weight formats that the decoder multiplies with. */
export const WEIGHT_TYPES = ['F32', 'F16', 'Q8_0', 'Q4_0'] as const;
/** A weight format that the decoder multiplies with. */
export type WeightType = (typeof WEIGHT_TYPES)[number];

const natural = (gguf: Gguf, key: string, fallback?: number): number => {
  const n = gguf.metadata.u32(key, fallback);
  if (n === 0) throw new ModelError('bad-hyperparameter', `'${key}' is 0`, 'the file is damaged or was written wrongly: fetch or convert it again');
  return n;
};

/** Reads and checks the numbers of a Llama-shaped model. @throws ModelError, GgufError */
export function readLlamaSpec(gguf: Gguf): LlamaSpec {
  const arch = gguf.metadata.string('general.architecture');
  if (arch !== 'llama') throw new ModelError('unsupported-architecture', `the architecture '${arch}' is not supported`, "use a model of the architecture 'llama'");
  if (gguf.metadata.u32('llama.expert_count', 0) > 0) throw new ModelError('unsupported-architecture', 'mixtures of experts are not supported', 'use a dense model');
  const scaling = gguf.metadata.string('llama.rope.scaling.type', 'none');
  if (scaling !== 'none') throw new ModelError('unsupported-architecture', `rope scaling '${scaling}' is not supported`, 'use a model without rope scaling');
  const dim = natural(gguf, 'llama.embedding_length'), heads = natural(gguf, 'llama.attention.head_count');
  const kvHeads = natural(gguf, 'llama.attention.head_count_kv', heads);
  const headDim = natural(gguf, 'llama.attention.key_length', Math.floor(dim / heads) || undefined);
  const ropeDim = natural(gguf, 'llama.rope.dimension_count', headDim);
  const embd = gguf.tensor('token_embd.weight');
  const spec: LlamaSpec = {
    name: gguf.metadata.string('general.name', ''),
    layers: natural(gguf, 'llama.block_count'), dim, heads, kvHeads, headDim, ropeDim,
    ffn: natural(gguf, 'llama.feed_forward_length'), vocab: embd.dims[1] ?? 0,
    context: natural(gguf, 'llama.context_length', 2048),
    normEps: gguf.metadata.f32('llama.attention.layer_norm_rms_epsilon', 1e-5), ropeBase: gguf.metadata.f32('llama.rope.freq_base', 10000),
    ropeFactors: gguf.find('rope_freqs.weight') ? 'rope_freqs.weight' : undefined,
  };
  const bad = (what: string): never => { throw new ModelError('bad-hyperparameter', what, 'the file is damaged or was written wrongly: fetch or convert it again'); };
  if (heads % kvHeads !== 0) bad(`${heads} heads cannot share ${kvHeads} key-value heads`);
  if (gguf.metadata.u32('llama.attention.value_length', headDim) !== headDim) bad('keys and values have different lengths');
  if (ropeDim % 2 !== 0 || ropeDim > headDim) bad(`${ropeDim} of ${headDim} elements of a head cannot be rotated in pairs`);
  if (!(spec.normEps > 0) || !(spec.ropeBase > 0) || !Number.isFinite(spec.ropeBase)) bad('the norm epsilon or the rope base is not a positive number');
  if (spec.layers > 4096 || spec.context > 2 ** 24) bad(`${spec.layers} layers with a context of ${spec.context} are beyond any real model`);
  return spec;
}

/** A tensor whose dims must be these; norms must be F32, matrices one of {@link WEIGHT_TYPES}. */
function expectTensor(gguf: Gguf, name: string, dims: readonly number[]): GgufTensor {
  const t = gguf.tensor(name);
  const same = dims.every((d, i) => (t.dims[i] ?? 1) === d) && t.dims.slice(dims.length).every((d) => d === 1);
  if (!same) throw new ModelError('bad-tensor-shape', `'${name}' is [${t.dims.join(', ')}], the model's numbers make it [${dims.join(', ')}]`, 'the file is inconsistent: fetch or convert it again');
  const allowed: readonly string[] = dims.length === 1 ? ['F32'] : WEIGHT_TYPES;
  if (!allowed.includes(t.type)) throw new ModelError('unsupported-tensor-type', `'${name}' is stored as ${t.type}, which is not supported there`, `use a file with ${allowed.join(', ')} weights`);
  return t;
}

/** Finds and checks every tensor of the model. @throws ModelError, GgufError */
export function readLlama(gguf: Gguf): LlamaModel {
  const spec = readLlamaSpec(gguf);
  const { dim, ffn, vocab } = spec, qDim = spec.heads * spec.headDim, kvDim = spec.kvHeads * spec.headDim;
  const layer = (i: number): LlamaLayer => {
    const t = (name: string, ...dims: number[]): GgufTensor => expectTensor(gguf, `blk.${i}.${name}.weight`, dims);
    return {
      attnNorm: t('attn_norm', dim), q: t('attn_q', dim, qDim), k: t('attn_k', dim, kvDim), v: t('attn_v', dim, kvDim), out: t('attn_output', qDim, dim),
      ffnNorm: t('ffn_norm', dim), gate: t('ffn_gate', dim, ffn), up: t('ffn_up', dim, ffn), down: t('ffn_down', ffn, dim),
    };
  };
  if (gguf.tensors.some((t) => /^blk\.\d+\.attn_(q|k|v)\.bias$/.test(t.name))) throw new ModelError('unsupported-architecture', 'attention biases are not supported', 'use a model without them');
  const embedding = expectTensor(gguf, 'token_embd.weight', [dim, vocab]);
  const layers = Array.from({ length: spec.layers }, (_, i) => layer(i));
  const output = gguf.find('output.weight') ? expectTensor(gguf, 'output.weight', [dim, vocab]) : embedding;
  const outputNorm = expectTensor(gguf, 'output_norm.weight', [dim]);
  const bytesPerToken = layers.reduce((sum, l) => sum + Object.values(l as unknown as Record<string, GgufTensor>).reduce((s, t) => s + t.bytes, 0), 0) + output.bytes + outputNorm.bytes;
  return { spec, embedding, layers, outputNorm, output, bytesPerToken };
}
