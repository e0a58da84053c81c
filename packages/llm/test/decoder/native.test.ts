import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTinyLlama } from './tiny.ts';
import type { WeightType } from '../../src/arch/index.ts';
import { readLlama } from '../../src/arch/index.ts';
import { referenceDecoder } from '../../src/decoder/index.ts';
import { loadModel } from '../../src/engine/index.ts';
import { fileSource, openGguf } from '../../src/format/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'quern-llm-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Largest difference of two vectors, relative to the size of the second. */
function distance(a: Float32Array, b: Float32Array): number {
  const scale = Math.sqrt(b.reduce((s, x) => s + x * x, 0) / b.length);
  return a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0) / scale;
}

/** Float weights differ by f32 rounding. With rounded activations, a value beside a tie may go the other way: one step of 1/127 of its block. */
const TOLERANCE: Readonly<Record<WeightType, number>> = { F32: 2e-5, F16: 2e-5, Q8_0: 0.01, Q4_0: 0.01 };

describe('the native decoder against the reference in double precision', () => {
  it.each(['F32', 'F16', 'Q8_0', 'Q4_0'] as const)('%s weights: one token at a time and whole prompts', async (type) => {
    const path = join(dir, `${type}.gguf`);
    writeFileSync(path, writeTinyLlama({ type, seed: 5 }));
    const gguf = openGguf(fileSource(path)), reference = referenceDecoder(gguf, readLlama(gguf), { context: 64, roundActivations: true });
    const model = await loadModel(path, { backend: 'native', context: 64, kv: 'f32', batch: 32 });
    const tokens = Array.from({ length: 45 }, (_, i) => (i * 37 + 11) % model.model.spec.vocab);
    let at = 0;
    // Single tokens, then prompts that are shorter than, equal to and longer than a panel, then single tokens again.
    for (const n of [1, 1, 5, 16, 17, 1, 3, 1]) {
      const part = tokens.slice(at, at + n);
      const [a, b] = [await model.decoder.feed(part, at), await reference.feed(part, at)];
      expect(distance(a, b), `${n} tokens at ${at}`).toBeLessThan(TOLERANCE[type]);
      at += n;
    }
    // Going back forgets what was cached after that position.
    const [a, b] = [await model.decoder.feed(tokens.slice(3, 7), 3), await reference.feed(tokens.slice(3, 7), 3)];
    expect(distance(a, b)).toBeLessThan(TOLERANCE[type]);
    model.dispose();
  });

  it('gives the same bits for any number of threads', async () => {
    const path = join(dir, 'threads.gguf');
    writeFileSync(path, writeTinyLlama({ type: 'Q4_0', seed: 9 }));
    const run = async (threads: number): Promise<Float32Array[]> => {
      const model = await loadModel(path, { backend: 'native', context: 64, threads });
      const prompt = (await model.decoder.feed([5, 6, 7, 8, 9, 10, 11, 12], 0)).slice(), next = (await model.decoder.feed([13], 8)).slice();
      model.dispose();
      return [prompt, next];
    };
    const one = await run(1);
    expect(await run(2)).toEqual(one);
    expect(await run(3)).toEqual(one);
  });

  it('refuses what does not fit, and says what would', async () => {
    const path = join(dir, 'limits.gguf');
    writeFileSync(path, writeTinyLlama({ type: 'F32', seed: 1 }));
    const model = await loadModel(path, { backend: 'native', context: 8 });
    await expect(model.decoder.feed([1, 2, 3], 6)).rejects.toMatchObject({ code: 'context-full' });
    await expect(model.decoder.feed([-1], 0)).rejects.toMatchObject({ code: 'bad-request' });
    await expect(model.decoder.feed([model.model.spec.vocab], 0)).rejects.toMatchObject({ code: 'bad-request' });
    await expect(model.decoder.feed([], 0)).rejects.toMatchObject({ code: 'bad-request' });
    model.dispose();
    await expect(model.decoder.feed([1], 0)).rejects.toMatchObject({ code: 'disposed' });
    await expect(loadModel(path, { context: 0 })).rejects.toMatchObject({ code: 'bad-request' });
  });
});
