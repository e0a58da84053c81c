// Runs WGSL in headless Chromium: node chromium-run.mjs JOB RESULT. A page fetches the job from a server on this machine, runs it on `navigator.gpu`, and posts
// what came of it. Without a GPU, Chromium's own SwiftShader is the adapter.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [job, result] = process.argv.slice(2), profile = mkdtempSync(join(tmpdir(), 'quern-chromium-'));
const PAGE = `<!doctype html><script type="module">
const send = (x) => fetch('/result', { method: 'POST', body: JSON.stringify(x) });
try {
  if (!navigator.gpu) throw new Error('this browser has no navigator.gpu');
  const { runJobs } = await import('/jobs.mjs');
  await send(await runJobs(navigator.gpu, await (await fetch('/job')).json()));
} catch (e) { await send({ error: String(e?.message ?? e) }); }
</script>`;
const files = { '/': ['text/html', () => PAGE], '/jobs.mjs': ['text/javascript', () => readFileSync(new URL('webgpu-jobs.mjs', import.meta.url))], '/job': ['application/json', () => readFileSync(job)] };
let browser, said = '';
function end(status, message) {
  if (message) console.error(message);
  browser?.removeAllListeners('exit');
  // All of its processes: they are one group.
  try { process.kill(-browser.pid, 'SIGKILL'); } catch { /* it never ran, or has ended */ }
  try { rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }); } catch { /* what its last writes leave behind is the system's to clear */ }
  process.exit(status);
}
const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const parts = [];
    request.on('data', (d) => parts.push(d)).on('end', () => {
      response.end();
      const answer = JSON.parse(Buffer.concat(parts).toString('utf8'));
      if (answer.error !== undefined) end(1, answer.error);
      writeFileSync(result, JSON.stringify(answer));
      end(0);
    });
    return;
  }
  const file = files[request.url];
  response.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' }).end(file?.[1]() ?? '');
});
server.listen(0, '127.0.0.1', () => {
  browser = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--no-first-run', '--disable-extensions', `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/`], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  browser.stderr.setEncoding('utf8').on('data', (d) => { said = (said + d).slice(-4000); });
  browser.on('error', (e) => end(3, `chromium: ${e.message}`)).on('exit', (status) => end(3, `chromium ended with status ${status}\n${said}`));
});
setTimeout(() => end(1, `chromium gave no answer in 100 seconds\n${said}`), 100_000);
