/** The pages with code tell the truth: it runs, and prints what the page says it prints. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { document, root, snippetsOf } from './snippets.ts';

// In the repository, so that packages are found; not named like a test's folder.
const dir = mkdtempSync(join(root, 'tools/test/snippets-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const PAGES = { 'docs/tutorial.md': ['saxpy.ts', 'dot.ts', 'gemm.ts', 'softmax.ts', 'q4.ts', 'dft4.ts'], 'docs/gpu.md': ['norm.ts', 'rows.ts', 'float32.ts', 'attention.ts'] };
const snippets = Object.keys(PAGES).flatMap((page) => snippetsOf(document(page)));

/** Runs all code of a file, in the order of the page; what it printed. */
async function printed(file: string): Promise<string> {
  const path = join(dir, file), lines: string[] = [];
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, snippets.filter((s) => s.file === file && s.language === 'ts').map((s) => s.text).join('\n'));
  const log = vi.spyOn(console, 'log').mockImplementation((...args: unknown[]) => { lines.push(args.map(String).join(' ')); });
  try {
    await import(path);
  } finally {
    log.mockRestore();
  }
  return `${lines.join('\n')}\n`;
}

describe.each(Object.entries(PAGES))('%s', (page, files) => {
  it('has the chapters that it promises', () => expect([...new Set(snippetsOf(document(page)).map((s) => s.file))]).toEqual(files));

  it.each(files)('%s prints what the page shows, in that order', async (file) => {
    const out = await printed(file), shown = snippets.filter((s) => s.file === file && s.language === 'text');
    expect(shown.length).toBeGreaterThan(0);
    let from = 0;
    for (const { text } of shown) {
      // Whole lines, or the beginning of one line: places of errors differ from machine to machine.
      const at = out.indexOf(text.trimEnd(), from);
      expect(at, `${file} printed\n${out}\nwithout, after character ${from},\n${text}`).toBeGreaterThanOrEqual(0);
      from = at + text.length;
    }
  });
});
