import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { added } from '../src/page/diff.ts';
import { kernelPage } from '../src/page/index.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'quern-page-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('quern kernel --html', () => {
  const out = join(dir, 'saxpy.html'), file = join(root, 'examples/saxpy.ts');
  // From another folder: places in the page must not depend on where the command runs.
  const r = spawnSync(process.execPath, [join(root, 'packages/quern/bin/quern.js'), 'kernel', file, '--html', out, '--target', 'x86-64-v3'], { encoding: 'utf8', cwd: dir });
  const html = r.status === 0 ? readFileSync(out, 'utf8') : '';
  const rows = [...html.matchAll(/<div class="l( new)?"( data-l="([\d ]*)")?><i>(\d+)<\/i><code>(.*?)<\/code>/g)].map((m) => ({ fresh: m[1] !== undefined, from: m[3], text: m[5]! }));
  const source = readFileSync(file, 'utf8').split('\n'), body = source.findIndex((l) => l.includes('addAssign')) + 1;

  it('writes one page without an address in it', () => {
    expect(r.stderr).toContain('saxpy.html written');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/(src|href)=|https?:|@import/);
  });

  it('shows the source, a pane for each step, and the C', () => {
    expect([...html.matchAll(/<button data-show="\d+".*?<\/b> (.*?)<\/button>/g)].map((m) => m[1])).toEqual(['algorithm', 'split(i, 32, peel)', 'vectorize(ii)', 'parallel(io)', 'lowering']);
    expect(html.match(/class="code stage"/g)).toHaveLength(5);
    expect(html).toContain('<h2>C</h2>');
    for (const line of source.filter((l) => l !== '' && !/[<>&"]/.test(l))) expect(html).toContain(`<code>${line}</code>`);
    expect(html).toContain('int32_t saxpy__x86_64_v3(');
  });

  it.each([['cuda-sm90a', 'CUDA', '__global__'], ['opencl', 'OpenCL C', '__kernel'], ['wgsl', 'WGSL', '@compute']])('shows the text for %s under the name of its language', (isa, language, word) => {
    const page = join(dir, `${isa}.html`), gpu = spawnSync(process.execPath, [join(root, 'packages/quern/bin/quern.js'), 'kernel', file, '--html', page, '--target', isa], { encoding: 'utf8' });
    expect(gpu.status, gpu.stderr).toBe(0);
    const [, name, text = ''] = /<section aria-label="text"><h2>(.*?)<\/h2>([^]*)/.exec(readFileSync(page, 'utf8')) ?? [];
    expect(name).toBe(language);
    expect(text).toContain(word);
  });

  it('links a line of the source to the statements and the C that it became', () => {
    const linked = rows.filter((x) => x.from?.split(' ').includes(String(body))).map((x) => x.text);
    expect(linked).toContain(source[body - 1]);
    expect(linked).toContain('    y[i] += a * x[i]');
    expect(linked.some((t) => /fma_f32x8\(/.test(t))).toBe(true);
  });

  it('marks what a step made new', () => {
    expect(rows.filter((x) => x.fresh).map((x) => x.text.trim())).toContain('vector ii in 0..32:    # split(i, 32, peel)');
  });

  it('escapes what an author writes', () => {
    const page = kernelPage({ kernel: 'a<b', isa: 'x', file: '/k.ts', source: 'if (a < b && "c") {}', stages: [{ title: '<script>', lines: [] }], language: 'C', code: [] });
    expect(page).toContain('if (a &lt; b &amp;&amp; &quot;c&quot;) {}');
    expect(page).not.toContain('</b> <script>');
  });
});

describe('the lines that a step made new', () => {
  it('are those without a partner before, as few as possible', () => {
    expect([...added(['a', 'b', 'c'], ['a', 'x', 'c', 'y'])]).toEqual([1, 3]);
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
    fc.assert(fc.property(lines, lines, (before, after) => {
      const fresh = added(before, after), kept = after.filter((_, i) => !fresh.has(i));
      // What is kept occurs before, in this order.
      let at = 0;
      for (const l of kept) { at = before.indexOf(l, at); expect(at).toBeGreaterThanOrEqual(0); at++; }
      expect(added(before, before).size).toBe(0);
    }));
  });
});
