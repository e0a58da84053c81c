// Draws the rows of a gemm result: GFLOP/s over n for each type and number of threads. `node benchmarks/gemm/plot.mjs RESULT.json` writes
// RESULT.svg beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { least } from '../lib/machine.mjs';

const WIDTH = 330, HEIGHT = 220, LEFT = 44, BOTTOM = 34, TOP = 26;
const series = [
  { name: 'peak of fused multiply-adds', color: '#999', dash: '4 3', value: (r, rows) => Math.max(...rows.map((x) => x.peakFlops)) / 1e9 },
  { name: 'OpenBLAS', color: '#c0504d', value: (r) => 2 * r.n ** 3 / least(r.peer) / 1e9 },
  { name: 'Quern', color: '#1f6fb2', value: (r) => 2 * r.n ** 3 / least(r.ours) / 1e9 },
];

function panel(title, rows, x0, y0) {
  const top = Math.ceil(Math.max(...rows.flatMap((r) => series.map((s) => s.value(r, rows)))) / 20) * 20;
  const least = Math.log2(Math.min(...rows.map((r) => r.n))), most = Math.log2(Math.max(...rows.map((r) => r.n)));
  const x = (n) => x0 + LEFT + (most > least ? (Math.log2(n) - least) / (most - least) : 0.5) * (WIDTH - LEFT - 18);
  const y = (g) => y0 + HEIGHT - BOTTOM - g / top * (HEIGHT - BOTTOM - TOP);
  const out = [`<text x="${x0 + LEFT}" y="${y0 + 15}" font-weight="bold">${title}</text>`];
  for (let g = 0; g <= top; g += top / 4) {
    out.push(`<line x1="${x0 + LEFT}" x2="${x0 + WIDTH - 12}" y1="${y(g)}" y2="${y(g)}" stroke="#e4e4e4"/>`, `<text x="${x0 + LEFT - 5}" y="${y(g) + 4}" text-anchor="end">${g}</text>`);
  }
  // 1000 and 1024 would print over each other.
  for (const r of rows) if (r.n !== 1000) out.push(`<text x="${x(r.n)}" y="${y0 + HEIGHT - BOTTOM + 15}" text-anchor="middle">${r.n}</text>`);
  for (const s of series) {
    const points = rows.map((r) => `${x(r.n).toFixed(1)},${y(s.value(r, rows)).toFixed(1)}`);
    out.push(`<polyline fill="none" stroke="${s.color}" stroke-width="1.8"${s.dash ? ` stroke-dasharray="${s.dash}"` : ''} points="${points.join(' ')}"/>`);
    if (!s.dash) out.push(...points.map((p) => `<circle cx="${p.split(',')[0]}" cy="${p.split(',')[1]}" r="2.6" fill="${s.color}"/>`));
  }
  return out.join('\n');
}

/** The plot as SVG text. */
export function plot(result) {
  const groups = new Map();
  for (const r of result.rows) {
    const key = `${r.type}, ${r.threads} thread${r.threads > 1 ? 's' : ''}, ${r.isa}`;
    groups.set(key, [...(groups.get(key) ?? []), r]);
  }
  const panels = [...groups].map(([title, rows], i) => panel(title, rows.slice().sort((a, b) => a.n - b.n), i % 2 * WIDTH, 46 + Math.floor(i / 2) * HEIGHT));
  const height = 46 + Math.ceil(groups.size / 2) * HEIGHT, m = result.machine;
  const legend = series.map((s, i) => `<line x1="${LEFT + i * 205}" x2="${LEFT + 24 + i * 205}" y1="34" y2="34" stroke="${s.color}" stroke-width="2"${s.dash ? ` stroke-dasharray="${s.dash}"` : ''}/><text x="${LEFT + 30 + i * 205}" y="38">${s.name}</text>`);
  return [`<svg xmlns="http://www.w3.org/2000/svg" width="${2 * WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`, '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${LEFT}" y="17" font-size="13">gemm, GFLOP/s over n (fastest of ${result.turns} turns); ${m.cpu}, family ${m.family} model ${m.model}, ${m.cores} cores, ${result.date}</text>`,
    ...legend, ...panels, '</svg>', ''].join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = process.argv[2];
  if (!file?.endsWith('.json')) throw new Error('usage: node benchmarks/gemm/plot.mjs RESULT.json');
  writeFileSync(file.replace(/json$/, 'svg'), plot(JSON.parse(readFileSync(file, 'utf8'))));
}
