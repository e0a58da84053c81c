import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bytesSource, fileSource, openGguf } from '../../src/format/index.ts';
import { tokenizerFromGguf } from '../../src/tokenizer/index.ts';

/** Token vectors of llama.cpp, which are not part of this project: QUERN_SHARED, or ../shared beside the checkout, may hold them. */
const shared = process.env['QUERN_SHARED'] ?? resolve(dirname(fileURLToPath(import.meta.url)), '../../../../../shared');
const folder = join(shared, 'vectors');

describe.skipIf(!existsSync(folder))('vectors of llama.cpp (skipped where the shared folder is absent)', () => {
  it.each([['gpt-2', 46], ['falcon', 46], ['phi-3', 46]])('%s: all %i lines', (name, count) => {
    const file = readFileSync(join(folder, `ggml-vocab-${name}.gguf`));
    const tokenizer = tokenizerFromGguf(openGguf(bytesSource(file)).metadata);
    const texts = readFileSync(join(folder, `ggml-vocab-${name}.gguf.inp`), 'utf8').split('\n__ggml_vocab_test__\n').slice(0, -1);
    const lines = readFileSync(join(folder, `ggml-vocab-${name}.gguf.out`), 'utf8').split('\n').slice(0, -1);
    expect([texts.length, lines.length]).toEqual([count, count]);
    texts.forEach((text, i) => {
      const wanted = (lines[i] as string).trim().split(/\s+/).filter(Boolean).map(Number);
      const ids = tokenizer.encode(text, { addSpecial: false });
      expect([...ids], JSON.stringify(text)).toEqual(wanted);
      expect(tokenizer.decode(ids)).toBe(text);
    });
  });

  it('opens the gpt-2 vocabulary, with all of its strings, in under 100 ms', () => {
    const open = (): number => {
      const start = performance.now();
      const source = fileSource(join(folder, 'ggml-vocab-gpt-2.gguf'));
      const { metadata } = openGguf(source);
      expect(metadata.strings('tokenizer.ggml.tokens')).toHaveLength(50257);
      expect(metadata.strings('tokenizer.ggml.merges')).toHaveLength(50000);
      source.close();
      return performance.now() - start;
    };
    // The least of several: what other processes take of the machine is not the reader's.
    let least = Infinity;
    for (let i = 0; i < 20 && least >= 100; i++) least = Math.min(least, open());
    expect(least).toBeLessThan(100);
  });
});
