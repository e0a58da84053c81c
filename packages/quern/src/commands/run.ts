import { bandwidthLimit, loadModel } from '@quern/llm';
import type { GenerateStats } from '@quern/llm';
import { UsageError, optionHelp, parse, progressLine } from '../cli/index.ts';
import { figures, figuresLine } from './figures.ts';

const RUN_OPTIONS = {
  prompt: { kind: 'text', short: 'p', value: 'TEXT', help: 'what to continue (needed)' },
  tokens: { kind: 'integer', short: 'n', min: 0, help: 'most tokens to generate (default 128)' },
  temp: { kind: 'number', value: 'T', min: 0, help: '0 takes the best token each time (default), above 0 samples' },
  'top-k': { kind: 'integer', min: 0, help: 'sample among the N best tokens (default 40; 0: all)' },
  'top-p': { kind: 'number', value: 'P', min: 0, help: 'sample among the best tokens that make up this probability (default 0.95)' },
  seed: { kind: 'integer', min: 0, help: 'the same seed gives the same text' },
  threads: { kind: 'integer', min: 1, help: 'at most so many threads (QUERN_NUM_THREADS caps them too)' },
  device: { kind: 'text', value: 'D', help: 'for example cpu; see quern devices' },
  context: { kind: 'integer', min: 1, help: 'positions to keep room for' },
  kv: { kind: 'text', value: 'TYPE', help: 'element type of the key-value cache: f16 (default) or f32' },
  special: { kind: 'flag', help: 'read control tokens such as <|user|> in the prompt' },
  json: { kind: 'flag', help: 'one JSON object on stdout: text, tokens and figures' },
} as const;

export const RUN_HELP: string = `quern run MODEL.gguf -p TEXT [options]

Continues a text with a GGUF model. Only the continuation goes to stdout; progress and figures go to stderr.

${optionHelp(RUN_OPTIONS)}
`;

/** `quern run`: streams the continuation of a prompt. */
export async function run(argv: readonly string[]): Promise<number> {
  const { values: v, rest: [path = ''] } = parse(argv, RUN_OPTIONS, { min: 1, max: 1, what: 'the model file' });
  if (v.prompt === undefined) throw new UsageError('-p TEXT is missing: what shall the model continue?');
  if (v.kv !== undefined && v.kv !== 'f16' && v.kv !== 'f32') throw new UsageError(`--kv is f16 or f32, got '${v.kv}'`);
  const model = await loadModel(path, { threads: v.threads, device: v.device, context: v.context, kv: v.kv });
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  // A reader that goes away, as in `quern run … | head`, ends the run like an interrupt.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') stop.abort(); else throw error; });
  const bar = progressLine('reading the prompt');
  let text = '', stats: GenerateStats | undefined;
  const tokens: number[] = [];
  try {
    const stream = model.generate(v.prompt, {
      maxTokens: v.tokens ?? 128, temperature: v.temp ?? 0, topK: v['top-k'], topP: v['top-p'], seed: v.seed, signal: stop.signal,
      encode: { parseSpecial: v.special ?? false }, onPrompt: (done, total) => bar.update(done, total),
    });
    for await (const e of stream) {
      bar.end();
      if (e.type === 'done') stats = e.stats;
      else {
        text += e.text;
        if (e.token >= 0) tokens.push(e.token);
        if (!v.json) process.stdout.write(e.text);
      }
    }
    const f = figures(stats!, model, bandwidthLimit(v.threads));
    if (v.json) process.stdout.write(`${JSON.stringify({ model: path, backend: model.decoder.backend, prompt: v.prompt, text, tokens, ...f })}\n`);
    else {
      process.stdout.write('\n');
      process.stderr.write(`[${model.decoder.backend}] ${figuresLine(f)}\n`);
    }
    return stats!.stop === 'aborted' ? 130 : 0;
  } finally {
    bar.end();
    process.off('SIGINT', interrupt);
    model.dispose();
  }
}
