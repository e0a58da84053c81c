// Runs WGSL on a WebGPU device of Node: node webgpu-run.mjs JOB RESULT [OPTION…]. A process of its own: what a driver does at its end harms no test.
import { readFileSync, writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { runJobs } from './webgpu-jobs.mjs';

const [job, result, ...options] = process.argv.slice(2);
Object.assign(globalThis, globals);
try {
  writeFileSync(result, JSON.stringify(await runJobs(create(options), JSON.parse(readFileSync(job, 'utf8')))));
  process.exit(0);
} catch (e) {
  console.error(e.message);
  process.exit(1);
}
