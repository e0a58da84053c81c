import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A fenced block of a document that names a file: ```LANGUAGE FILE. */
export interface Snippet { readonly language: string; readonly file: string; readonly text: string }

/** The repository. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));
/** A document of the repository. */
export const document = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

/** The blocks that name a file, in order. */
export const snippetsOf = (markdown: string): Snippet[] =>
  [...markdown.matchAll(/^```(\w+) (\S+)\n([^]*?)^```$/gm)].map(([, language = '', file = '', text = '']) => ({ language, file, text }));

/** A text with a diff's `+` lines put in place and its `-` lines taken out; all lines but the new ones must be there, together and once. */
export function applied(text: string, diff: string): string {
  const lines = diff.trimEnd().split('\n'), before = lines.filter((l) => !l.startsWith('+')).map((l) => `${l.slice(1)}\n`).join('');
  if (text.split(before).length !== 2) throw new Error(`these lines must be in the file, once:\n${before}`);
  return text.replace(before, () => lines.filter((l) => !l.startsWith('-')).map((l) => `${l.slice(1)}\n`).join(''));
}
