import { TokenizerError } from './error.ts';

// White space is \p{White_Space} throughout: JavaScript's \s has U+FEFF too and lacks U+0085, so \s would split differently.
const S = '\\p{White_Space}';
const NOT_S = '\\P{White_Space}';

const CONTRACTION = "'s|'t|'re|'ve|'m|'ll|'d";
const CONTRACTION_ANY_CASE = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const TRAILING_SPACE = `${S}+(?!${NOT_S})|${S}+`;
/** Words, numbers and the rest, each with at most one space before; the space before a word is left to the word. */
const GPT2 = `${CONTRACTION}| ?\\p{L}+| ?\\p{N}+| ?[^${S}\\p{L}\\p{N}]+|${TRAILING_SPACE}`;
const LINES = `${S}*[\\r\\n]+|${TRAILING_SPACE}`;

/** The family of cl100k: words with one leading mark, numbers in groups of up to `digits`, line ends kept with punctuation. */
function cl100k(digits: string): string {
  return `${CONTRACTION_ANY_CASE}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|${LINES}`;
}

/** The family of o200k: as cl100k, but a word also ends where lower case turns into upper case. */
function o200k(contraction: string, digits: string): string {
  const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
  const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
  const lead = '[^\\r\\n\\p{L}\\p{N}]?';
  return `${lead}${upper}*${lower}+${contraction}|${lead}${upper}+${lower}*${contraction}|${digits}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n/]*|${LINES}`;
}

const ASCII_PUNCTUATION = '[!-\\/:-@\\[-`{-~]';

/** Stages of each rule: every stage splits each piece of the one before into its matches and what lies between them. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  default: ['[\\p{P}$+<=>^~|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'],
  gpt2: [GPT2],
  falcon: ['[\\p{P}$+<=>^~|`]+', GPT2, '[0-9][0-9][0-9]'],
  digits: ['\\p{N}', GPT2],
  llama3: [cl100k('\\p{N}{1,3}')],
  qwen2: [cl100k('\\p{N}')],
  gpt4o: [o200k(`(?:${CONTRACTION_ANY_CASE})?`, '\\p{N}{1,3}')],
  tekken: [o200k('', '\\p{N}')],
  deepseek3: [
    '\\p{N}{1,3}',
    '[一-龥\\u3040-ゟ゠-ヿ]+',
    `${ASCII_PUNCTUATION}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${LINES}`,
  ],
};

/** Rule of each value that `tokenizer.ggml.pre` takes. */
const NAMES: Readonly<Record<string, string>> = {
  default: 'default',
  'gpt-2': 'gpt2', phi: 'gpt2', 'phi-2': 'gpt2', mpt: 'gpt2', olmo: 'gpt2', jais: 'gpt2', dbrx: 'llama3', smaug: 'llama3', 'smaug-bpe': 'llama3',
  falcon: 'falcon',
  smollm: 'digits', starcoder: 'digits', refact: 'digits', 'command-r': 'digits', codeshell: 'digits', exaone: 'digits', 'minerva-7b': 'digits',
  'llama-bpe': 'llama3', llama3: 'llama3', 'llama-v3': 'llama3', falcon3: 'llama3', pixtral: 'llama3',
  qwen2: 'qwen2', 'deepseek-r1-qwen': 'qwen2', stablelm2: 'qwen2', megrez: 'qwen2',
  'gpt-4o': 'gpt4o', llama4: 'gpt4o',
  tekken: 'tekken',
  'deepseek-v3': 'deepseek3',
};

/** Values of `tokenizer.ggml.pre` that are known here. */
export const PRE_TOKENIZERS: readonly string[] = Object.keys(NAMES);

/** Pre-tokenizers under which a piece that is a token as a whole is that token, whatever the merges say. */
const WHOLE_WORDS: ReadonlySet<string> = new Set(['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'tekken']);

/** Whether {@link WHOLE_WORDS} holds. */
export function takesWholeWords(pre: string): boolean {
  return WHOLE_WORDS.has(pre);
}

/** A function that splits a text as a model's training did. Joined, the pieces are the text. */
export type Splitter = (text: string) => string[];

/** The splitter of a `tokenizer.ggml.pre` value. @throws TokenizerError `unknown-pre-tokenizer` */
export function splitter(pre: string): Splitter {
  const rule = Object.hasOwn(NAMES, pre) ? RULES[NAMES[pre] as string] : undefined;
  if (rule === undefined) {
    throw new TokenizerError('unknown-pre-tokenizer', `the pre-tokenizer '${pre}' is not known`, `use a model with one of ${PRE_TOKENIZERS.join(', ')}, or, if you know which of them it equals, set tokenizer.ggml.pre to that`);
  }
  const stages = rule.map((source) => new RegExp(source, 'gu'));
  return (text) => {
    let pieces = [text];
    for (const stage of stages) {
      const split: string[] = [];
      try {
        for (const piece of pieces) splitBy(stage, piece, split);
      } catch (error) {
        // The engine's memory for backtracking holds some ten million characters of one match.
        if (!(error instanceof RangeError)) throw error;
        throw new TokenizerError('bad-text', `the text of ${text.length} characters has a word too long for the regular expressions of '${pre}'`, 'encode it in parts of at most a few million characters');
      }
      pieces = split;
    }
    return pieces;
  };
}

/** Splits a text by a `tokenizer.ggml.pre` value. @example splitText('gpt-2', 'Hello world') // ['Hello', ' world'] */
export function splitText(pre: string, text: string): string[] {
  return splitter(pre)(text);
}

function splitBy(pattern: RegExp, text: string, into: string[]): void {
  let done = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (match.index > done) into.push(text.slice(done, match.index));
    into.push(match[0]);
    done = match.index + match[0].length;
  }
  if (done < text.length) into.push(text.slice(done));
}
