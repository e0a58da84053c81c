// Turns a trained checkpoint and the vocabulary into a GGUF file, with the writer and the block codecs of @quern/llm.
//
// usage: node tools/demo-model/export.mjs CHECKPOINT_FOLDER OUT.gguf [Q4_0 | Q8_0 | F16 | F32]
// CHECKPOINT_FOLDER holds checkpoint-0.safetensors, checkpoint-1.safetensors and report.json, as train.py wrote them.
import { readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { room } from './from-source.mjs';

const FILE_TYPES = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7 };

/** All tensors of a folder's safetensors files: name -> { shape, data }. */
async function readCheckpoint(folder) {
  const tensors = new Map();
  for (let i = 0; existsSync(join(folder, `checkpoint-${i}.safetensors`)); i++) {
    const bytes = await readFile(join(folder, `checkpoint-${i}.safetensors`));
    const headerLength = Number(bytes.readBigUInt64LE(0));
    for (const [name, { dtype, shape, data_offsets: [begin, end] }] of Object.entries(JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)))) {
      if (dtype !== 'F32') throw new Error(`${name} is ${dtype}; train.py writes F32`);
      const data = new Float32Array((end - begin) / 4);
      new Uint8Array(data.buffer).set(bytes.subarray(8 + headerLength + begin, 8 + headerLength + end));
      tensors.set(name, { shape, data });
    }
  }
  if (tensors.size === 0) throw new Error(`no checkpoint-0.safetensors in ${folder}; train.py writes it`);
  return tensors;
}

function metadata(shape, vocabulary, type, g) {
  const { tokens } = vocabulary;
  const id = (piece) => tokens.findIndex((t) => t.piece === piece);
  return {
    'general.architecture': g.ggufString('llama'),
    'general.name': g.ggufString('Quern demo'),
    'general.description': g.ggufString('A very small model that tells stories and answers exact little tasks, trained on generated text.'),
    'general.license': g.ggufString('mit'),
    'general.file_type': g.ggufU32(FILE_TYPES[type]),
    'general.quantization_version': g.ggufU32(2),
    'llama.block_count': g.ggufU32(shape.layers),
    'llama.context_length': g.ggufU32(shape.context),
    'llama.embedding_length': g.ggufU32(shape.dim),
    'llama.feed_forward_length': g.ggufU32(shape.ffn),
    'llama.attention.head_count': g.ggufU32(shape.heads),
    'llama.attention.head_count_kv': g.ggufU32(shape.kv_heads),
    'llama.attention.layer_norm_rms_epsilon': g.ggufF32(shape.eps),
    'llama.rope.freq_base': g.ggufF32(shape.rope_base),
    'llama.rope.dimension_count': g.ggufU32(shape.dim / shape.heads),
    'llama.vocab_size': g.ggufU32(shape.vocab),
    'tokenizer.ggml.model': g.ggufString(vocabulary.model),
    'tokenizer.ggml.pre': g.ggufString('default'),
    'tokenizer.ggml.tokens': g.ggufStrings(tokens.map((t) => t.piece)),
    'tokenizer.ggml.scores': g.ggufF32s(tokens.map((t) => t.score)),
    'tokenizer.ggml.token_type': g.ggufI32s(tokens.map((t) => t.type)),
    'tokenizer.ggml.unknown_token_id': g.ggufU32(id('<unk>')),
    'tokenizer.ggml.bos_token_id': g.ggufU32(id('<s>')),
    'tokenizer.ggml.eos_token_id': g.ggufU32(id('</s>')),
    'tokenizer.ggml.eot_token_id': g.ggufU32(id('<|end|>')),
    'tokenizer.ggml.add_bos_token': g.ggufBool(vocabulary.add_bos_token),
    'tokenizer.ggml.add_eos_token': g.ggufBool(false),
    'tokenizer.ggml.add_space_prefix': g.ggufBool(vocabulary.add_space_prefix),
    'tokenizer.chat_template': g.ggufString(vocabulary.chat_template),
  };
}

async function main([folder, out, type = 'Q4_0']) {
  if (!folder || !out || !(type in FILE_TYPES)) throw new Error('usage: export.mjs CHECKPOINT_FOLDER OUT.gguf [Q4_0 | Q8_0 | F16 | F32]');
  const [format, quant, checkpoint] = await Promise.all([room('format'), room('quant'), readCheckpoint(folder)]);
  const { shape } = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
  const vocabulary = JSON.parse(await readFile(new URL('tokenizer.json', import.meta.url), 'utf8'));
  const tensors = [...checkpoint].map(([name, { shape: dims, data }]) => {
    const stored = dims.length === 1 ? 'F32' : type;
    return { name, type: stored, dims: dims.toReversed(), data: quant.quantize(stored, data) };
  });
  const bytes = format.writeGguf({ metadata: metadata(shape, vocabulary, type, format), tensors });
  await writeFile(out, bytes);
  process.stdout.write(`${out}: ${tensors.length} tensors, ${(bytes.length / 1e6).toFixed(2)} MB\n`);
}

await main(process.argv.slice(2)).catch((e) => {
  process.stderr.write(`${e.message}\n`);
  process.exitCode = 1;
});
