import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bandwidthLimit, demoModelPath, loadModel } from '@quern/llm';
import type { GenerateStats } from '@quern/llm';
import { doctorReport, formatDevices } from '@quern/runtime';
import { parse } from '../cli/index.ts';
import { figures, figuresLine } from './figures.ts';
import { check, chooseTarget, stages } from './kernel.ts';
import { loadKernelModule } from './module.ts';

export const START_HELP = 'quern start [MODEL.gguf ["prompt"]]\n\nShows the devices, one kernel on its way to C, and a model that speaks.\n';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/saxpy.ts', import.meta.url));
const PROMPT = 'Once upon a time';

const heading = (text: string): void => { process.stdout.write(`\n${text}\n${'-'.repeat(text.length)}\n`); };

/** The devices, one kernel on its way to machine code, and a model that speaks. */
export async function start(argv: readonly string[]): Promise<number> {
  const { rest: [path, prompt] } = parse(argv, {}, { min: 0, max: 2, what: '' });
  let status = 0;
  if (path === undefined) {
    heading('Devices');
    process.stdout.write(`${formatDevices(await doctorReport())}\n`);
    // The examples come with the repository, not with the installed package.
    if (existsSync(EXAMPLE)) status = await showKernel();
  }
  heading('A model');
  return Math.max(status, await speak(path ?? demoModelPath(), prompt ?? PROMPT));
}

async function showKernel(): Promise<number> {
  const m = await loadKernelModule(EXAMPLE), t = chooseTarget(undefined);
  heading(`A kernel: ${relative(process.cwd(), EXAMPLE)}`);
  process.stdout.write(`${m.algorithm.print()}\nin C for ${t.isa}:\n\n${stages(m, t).emitted.source}\n`);
  const r = check(m, t);
  process.stdout.write(r.differing === 0
    ? `compiled (${r.cache === 'hit' ? 'found in the cache' : 'with the C compiler of this machine'}) and run: all ${r.elements} elements equal the interpreter's, bit for bit\n`
    : `compiled and run: ${r.differing} of ${r.elements} elements DIFFER from the interpreter\n`);
  return r.differing === 0 ? 0 : 1;
}

async function speak(path: string, prompt: string): Promise<number> {
  const model = await loadModel(path);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    process.stdout.write(`${model.model.spec.name || path} (${(model.gguf.source.size / 1e6).toFixed(1)} MB) on ${model.decoder.backend}\n\n${prompt}`);
    let stats: GenerateStats | undefined;
    for await (const e of model.generate(prompt, { maxTokens: 160, temperature: 0.7, seed: 7, signal: stop.signal })) {
      if (e.type === 'text') process.stdout.write(e.text);
      else stats = e.stats;
    }
    process.stdout.write(`\n\n${figuresLine(figures(stats!, model, bandwidthLimit()))}\n`);
    return stats!.stop === 'aborted' ? 130 : 0;
  } finally {
    model.dispose();
  }
}
