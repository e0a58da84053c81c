import type { Loc, SourcedLine } from '@quern/kernel-dsl';
import { added } from './diff.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** The program at one point of its way: what made it so, and its lines. */
export interface Stage { readonly title: string; readonly lines: readonly SourcedLine[] }

/** What the page shows. */
export interface KernelPage {
  readonly kernel: string;
  readonly isa: string;
  /** The author's file: its path as locations name it, and its text. */
  readonly file: string;
  readonly source: string;
  /** The algorithm, then the program after each step, then as lowered. */
  readonly stages: readonly Stage[];
  /** The emitted text, and the name of its language. */
  readonly language: string;
  readonly code: readonly SourcedLine[];
}

const escape = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Locations may name a file as a path or as a URL. */
const isFile = (loc: Loc, file: string): boolean => decodeURI(loc.file.replace(/^file:\/\//, '').replace(/[?#].*$/, '')) === file;

/** The numbers of the author's lines that a line comes from, for `data-l`. */
const linesIn = (l: SourcedLine, file: string): string => l.locs.filter((x) => isFile(x, file)).map((x) => x.line).join(' ');

function row(text: string, number: number, from: string, isNew: boolean): string {
  return `<div class="l${isNew ? ' new' : ''}"${from ? ` data-l="${from}"` : ''}><i>${number}</i><code>${escape(text) || ' '}</code></div>`;
}

/**
 * One self-contained HTML page, without any address in it: three panes side by side, in which a line under the pointer lights up the lines
 * that belong to it in the others, and a click brings them into view. Lines that a step made new are marked.
 */
export function kernelPage(p: KernelPage): string {
  const used = new Set([...p.stages.flatMap((s) => s.lines), ...p.code].flatMap((l) => l.locs.filter((x) => isFile(x, p.file)).map((x) => x.line)));
  const source = p.source.replace(/\n$/, '').split('\n').map((text, i) => row(text, i + 1, used.has(i + 1) ? String(i + 1) : '', false)).join('');
  const stages = p.stages.map((s, i) => {
    const fresh = i === 0 ? new Set<number>() : added(p.stages[i - 1]!.lines.map((l) => l.text), s.lines.map((l) => l.text));
    return `<div class="code stage" data-stage="${i}"${i === 0 ? '' : ' hidden'}>${s.lines.map((l, n) => row(l.text, n + 1, linesIn(l, p.file), fresh.has(n))).join('')}</div>`;
  }).join('');
  const tabs = p.stages.map((s, i) => `<button data-show="${i}"${i === 0 ? ' class="on"' : ''}><b>${i}</b> ${escape(s.title)}</button>`).join('');
  const code = p.code.map((l, n) => row(l.text, n + 1, linesIn(l, p.file), false)).join('');
  const name = p.file.split(/[\\/]/).at(-1)!;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(p.kernel)} on ${escape(p.isa)}</title><style>${STYLE}</style></head>
<body><header><h1>${escape(p.kernel)}</h1><span>${escape(p.isa)}</span><p>Point at a line to see what it became; click to bring it into view. Arrow keys go through the steps.</p></header>
<main>
<section aria-label="source"><h2>${escape(name)}</h2><div class="code" id="source">${source}</div></section>
<section aria-label="program"><h2>the program after</h2><nav>${tabs}</nav><div id="stages">${stages}</div></section>
<section aria-label="text"><h2>${escape(p.language)}</h2><div class="code" id="c">${code}</div></section>
</main><script>${SCRIPT}</script></body></html>
`;
}
