// peers.py as a process of its own, which waits while we run.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), 'peers.py');

/** Starts it. `ask(request)` resolves to its answer, which has `error` where it has none: also once the process has ended, whatever the reason. */
export function startPeer() {
  const child = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'pipe'] }), waiting = [];
  let rest = '', said = '', over;
  const end = (why) => {
    over ??= { error: said.trim().split('\n').at(-1) || why };
    for (const done of waiting.splice(0)) done(over);
  };
  child.on('error', (error) => end(`python3: ${error.message}`));
  child.on('close', (status) => end(`peers.py ended with status ${status}`));
  child.stdin.on('error', () => {}); // it has ended, which `close` tells
  child.stderr.on('data', (d) => { said = (said + d).slice(-4096); });
  child.stdout.on('data', (d) => { rest += d; for (let i; (i = rest.indexOf('\n')) >= 0;) { waiting.shift()?.(JSON.parse(rest.slice(0, i))); rest = rest.slice(i + 1); } });
  const ask = (q) => (over !== undefined ? Promise.resolve(over) : new Promise((done) => { waiting.push(done); child.stdin.write(`${JSON.stringify(q)}\n`); }));
  return { ask, end: () => { child.stdin.end('{"op": "quit"}\n'); } };
}
