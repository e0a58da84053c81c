import type { WeightType } from '../../src/arch/index.ts';
import { ggufF32, ggufF32s, ggufI32s, ggufString, ggufStrings, ggufU32, writeGguf } from '../../src/format/index.ts';
import type { GgufTensorContents } from '../../src/format/index.ts';
import { quantize } from '../../src/quant/index.ts';
import { createRandom } from '../../src/sample/index.ts';

/** Numbers of the models that tests make: two layers, grouped heads, sizes that are multiples of 32 but not of wider tiles. */
export const TINY = { layers: 2, dim: 96, heads: 6, kvHeads: 2, ffn: 160, vocab: 300 } as const;

/** A GGUF file of a small Llama with random weights and a byte vocabulary. */
export function writeTinyLlama(o: { readonly type: WeightType; readonly seed: number; readonly tied?: boolean }): Uint8Array {
  const { layers, dim, heads, kvHeads, ffn, vocab } = TINY, headDim = dim / heads, random = createRandom(o.seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const matrix = (name: string, columns: number, rows: number): GgufTensorContents => {
    const w = Float32Array.from({ length: rows * columns }, () => normal() / Math.sqrt(columns));
    return { name: `${name}.weight`, type: o.type, dims: [columns, rows], data: quantize(o.type, w) };
  };
  const norm = (name: string): GgufTensorContents => ({ name: `${name}.weight`, type: 'F32', dims: [dim], data: quantize('F32', Float32Array.from({ length: dim }, () => 1 + 0.1 * normal())) });
  const tensors = [matrix('token_embd', dim, vocab)];
  for (let i = 0; i < layers; i++) {
    const b = `blk.${i}.`;
    tensors.push(norm(`${b}attn_norm`), matrix(`${b}attn_q`, dim, dim), matrix(`${b}attn_k`, dim, kvHeads * headDim), matrix(`${b}attn_v`, dim, kvHeads * headDim), matrix(`${b}attn_output`, dim, dim),
      norm(`${b}ffn_norm`), matrix(`${b}ffn_gate`, dim, ffn), matrix(`${b}ffn_up`, dim, ffn), matrix(`${b}ffn_down`, ffn, dim));
  }
  tensors.push(norm('output_norm'));
  if (!o.tied) tensors.push(matrix('output', dim, vocab));
  const pieces = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)];
  while (pieces.length < vocab) pieces.push(`w${pieces.length}`);
  const kind = (i: number): number => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
  return writeGguf({
    metadata: {
      'general.architecture': ggufString('llama'), 'general.name': ggufString('tiny'), 'llama.block_count': ggufU32(layers), 'llama.context_length': ggufU32(64),
      'llama.embedding_length': ggufU32(dim), 'llama.feed_forward_length': ggufU32(ffn), 'llama.attention.head_count': ggufU32(heads), 'llama.attention.head_count_kv': ggufU32(kvHeads),
      'llama.attention.layer_norm_rms_epsilon': ggufF32(1e-5), 'llama.rope.freq_base': ggufF32(10000), 'llama.rope.dimension_count': ggufU32(headDim),
      'tokenizer.ggml.model': ggufString('llama'), 'tokenizer.ggml.tokens': ggufStrings(pieces), 'tokenizer.ggml.scores': ggufF32s(Float32Array.from(pieces, (_, i) => -i)),
      'tokenizer.ggml.token_type': ggufI32s(Int32Array.from(pieces, (_, i) => kind(i))), 'tokenizer.ggml.bos_token_id': ggufU32(1), 'tokenizer.ggml.eos_token_id': ggufU32(2),
    },
    tensors,
  });
}
