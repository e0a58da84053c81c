// `npm start`: installs, builds, then runs the main job. Arguments go through: npm start -- MODEL.gguf "prompt".
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './setup.mjs';

await build();
const command = join(root, 'packages', 'quern', 'bin', 'quern.js');
const child = spawn(process.execPath, [command, 'start', ...process.argv.slice(2)], { stdio: 'inherit' });
// The child decides what an interrupt means; this process only passes its status on.
process.on('SIGINT', () => {});
child.on('close', (status, signal) => {
  process.exitCode = status ?? (signal === 'SIGINT' ? 130 : 1);
});
