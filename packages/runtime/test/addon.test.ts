/** The addon by itself: environments, worker threads, and arguments that only a mistake could pass. */
import { describe, expect, test } from 'vitest';
import { compileC } from '../src/index.ts';
import { native } from '../src/native/index.ts';
import { sampleSource, temporaryDir } from './support/sample.ts';
import { addonPath, node } from './support/child.ts';
import { thrown } from './support/thrown.ts';

const { path } = compileC([{ path: 'sample.c', text: sampleSource }], { cacheDir: temporaryDir() });

describe('environment', () => {
  const info = (env: Record<string, string>): { cpu: { isas: string[]; isaCapKnown: boolean }; pool: { limit: number; cpus: number; cap: number } } =>
    JSON.parse(node('console.log(JSON.stringify({ cpu: addon.cpuInfo(), pool: addon.poolInfo() }))', env).stdout) as ReturnType<typeof info>;

  test('QUERN_NUM_THREADS caps what anybody asks for; nonsense is ignored', () => {
    expect(info({ QUERN_NUM_THREADS: '1' }).pool).toMatchObject({ limit: 1, cap: 1 });
    const free = info({ QUERN_NUM_THREADS: '' }).pool;
    expect(free.limit).toBe(free.cpus);
    expect(info({ QUERN_NUM_THREADS: 'many' }).pool).toMatchObject({ limit: free.cpus, cap: 0 });
    expect(info({ QUERN_NUM_THREADS: '100' }).pool.limit).toBe(free.cpus);
    expect(node('console.log(addon.poolConfigure(8), addon.poolConfigure(0))', { QUERN_NUM_THREADS: '1' }).stdout).toBe('1 1\n');
    expect(node('console.log(addon.poolConfigure(8))', { QUERN_NUM_THREADS: '' }).stdout).toBe('8\n');
  });

  test('QUERN_ISA takes away what is better than it', () => {
    const { isas } = info({ QUERN_ISA: '' }).cpu;
    for (const [i, isa] of isas.entries()) expect(info({ QUERN_ISA: isa }).cpu.isas).toEqual(isas.slice(i));
    expect(info({ QUERN_ISA: 'fast' }).cpu).toMatchObject({ isas, isaCapKnown: false });
    expect(isas.at(-1)).toBe('generic');
  });

  test.runIf(process.platform === 'linux')('the affinity mask counts', async () => {
    const { execFileSync } = await import('node:child_process');
    const out = execFileSync('taskset', ['-c', '0', process.execPath, '-p', `require(${JSON.stringify(addonPath)}).poolInfo().cpus`], { encoding: 'utf8' });
    expect(out).toBe('1\n');
  });
});

describe('threads of JavaScript', () => {
  const use = `
    const library = addon.libraryOpen(${JSON.stringify(path)});
    const { handle } = addon.libraryKernel(library, 'sum', null);
    const work = () => {
      const n = 20000, x = new Float64Array(n).fill(1), out = new Float64Array(1);
      const bad = addon.launch(handle, [x, out], Float64Array.of(0, 0, 8 * n, 0, 0, 0, 8, 1), BigInt64Array.of(BigInt(n), 1n, 1n), new BigInt64Array(0), 4);
      if (bad !== 0 || out[0] !== n) throw new Error('wrong: ' + out[0]);
    };
    for (let i = 0; i < 300; i++) work();`;

  test('main and three workers use it at once, and all end cleanly', () => {
    const result = node(`
      const { Worker } = require('node:worker_threads');
      const code = ${JSON.stringify(`const addon = require(${JSON.stringify(addonPath)});${use} require('node:worker_threads').parentPort.postMessage('done');`)};
      const workers = [1, 2, 3].map(() => new Promise((resolve, reject) => {
        const worker = new Worker(code, { eval: true });
        let said;
        worker.on('message', (m) => { said = m; });
        worker.on('error', reject);
        worker.on('exit', (c) => resolve(said + c));
      }));
      ${use}
      Promise.all(workers).then((all) => { ${use.replaceAll('const ', 'var ')} console.log(all.join(' ')); });`);
    expect(result).toMatchObject({ stdout: 'done0 done0 done0\n', stderr: '', status: 0 });
  });

  test('a worker alone may load it and go, again and again; terminated ones too', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const code = (end) => ${JSON.stringify(`const addon = require(${JSON.stringify(addonPath)});${use}`)} + end;
      (async () => {
        for (let i = 0; i < 4; i++) {
          const worker = new Worker(code(i % 2 ? "require('node:worker_threads').parentPort.postMessage(0); for (;;) work();" : ''), { eval: true });
          if (i % 2) { await new Promise((r) => worker.once('message', r)); await worker.terminate(); }
          else await new Promise((r, j) => { worker.once('exit', r); worker.once('error', j); });
        }
        console.log('fine');
      })();`;
    // The addon must not be loaded by the main thread here.
    const result = node(script.replaceAll('\n', ' '));
    expect(result).toMatchObject({ stdout: 'fine\n', stderr: '', status: 0 });
  });

  test('a worker that ends in the middle of an asynchronous run does no harm', () => {
    const result = node(`
      const { Worker } = require('node:worker_threads');
      const code = ${JSON.stringify(`const addon = require(${JSON.stringify(addonPath)});
        const { handle } = addon.libraryKernel(addon.libraryOpen(${JSON.stringify(path)}), 'sum', null);
        const n = 4e6, x = addon.memoryAlloc(8 * n), out = addon.memoryAlloc(8);
        const plan = addon.planCreate(Array.from({ length: 20 }, () => [handle, [x, out], Float64Array.of(0, 0, 8 * n, 0, 0, 0, 8, 1), BigInt64Array.of(BigInt(n), 1n, 1n), new BigInt64Array(0), 0]));
        addon.planRunAsync(plan, 0, false);
        require('node:worker_threads').parentPort.postMessage('started');`)};
      (async () => {
        for (let i = 0; i < 3; i++) {
          const worker = new Worker(code, { eval: true });
          await new Promise((r, j) => { worker.once('message', r); worker.once('error', j); });
          await worker.terminate();
        }
        console.log('fine');
      })();`);
    expect(result).toMatchObject({ stdout: 'fine\n', stderr: '', status: 0 });
  });

  test('a plan that is collected in the middle of its run does no harm', () => {
    const result = node(`
      const { handle } = addon.libraryKernel(addon.libraryOpen(${JSON.stringify(path)}), 'sum', null);
      require('node:v8').setFlagsFromString('--expose-gc');
      const gc = require('node:vm').runInNewContext('gc');
      const start = () => {
        const n = 4e6, x = addon.memoryAlloc(8 * n), out = addon.memoryAlloc(8);
        const plan = addon.planCreate(Array.from({ length: 20 }, () => [handle, [x, out], Float64Array.of(0, 0, 8 * n, 0, 0, 0, 8, 1), BigInt64Array.of(BigInt(n), 1n, 1n), new BigInt64Array(0), 0]));
        return addon.planRunAsync(plan, 0, false);
      };
      const run = start();
      setTimeout(() => gc(), 1);
      setTimeout(() => gc(), 5);
      run.then((r) => console.log(r));`);
    expect(result).toMatchObject({ stdout: 'null\n', stderr: '', status: 0 });
  });
});

describe('arguments that are wrong get an error with a code', () => {
  const addon = native();
  const library = addon.libraryOpen(path);
  const { handle } = addon.libraryKernel(library, 'axpy', null);
  const memory = addon.memoryAlloc(64);
  const x = new Float32Array(4), y = new Float32Array(4);
  const ranges = Float64Array.of(0, 0, 16, 0, 0, 0, 16, 1);
  const sizes = BigInt64Array.of(4n, 1n, 1n), scalars = new BigInt64Array(1);
  const call = (f: (...args: never[]) => unknown, ...args: unknown[]): unknown => f(...(args as never[]));
  const range = (...numbers: number[]): Float64Array => Float64Array.from([...numbers, 0, 0, 16, 1]);

  test.each<[string, string, () => unknown]>([
    ['no arguments', 'ARGUMENT', () => call(addon.launch)],
    ['a number for a handle', 'ARGUMENT', () => call(addon.launch, 1, [x, y], ranges, sizes, scalars, 0)],
    ['a handle of another kind', 'ARGUMENT', () => call(addon.launch, library, [x, y], ranges, sizes, scalars, 0)],
    ['memory for a library', 'ARGUMENT', () => call(addon.libraryEntries, memory)],
    ['a kernel for memory', 'ARGUMENT', () => call(addon.memoryBytes, handle)],
    ['one buffer too few', 'ARGUMENT', () => addon.launch(handle, [x], ranges, sizes, scalars, 0)],
    ['buffers that are no array', 'ARGUMENT', () => call(addon.launch, handle, { length: 2 }, ranges, sizes, scalars, 0)],
    ['a string for a buffer', 'ARGUMENT', () => call(addon.launch, handle, [x, 'y'], ranges, sizes, scalars, 0)],
    ['a hole for a buffer', 'ARGUMENT', () => call(addon.launch, handle, new Array(2), ranges, sizes, scalars, 0)],
    ['a library for a buffer', 'ARGUMENT', () => call(addon.launch, handle, [x, library], ranges, sizes, scalars, 0)],
    ['too few ranges', 'ARGUMENT', () => addon.launch(handle, [x, y], ranges.subarray(1), sizes, scalars, 0)],
    ['ranges of another type', 'ARGUMENT', () => call(addon.launch, handle, [x, y], new Float32Array(8), sizes, scalars, 0)],
    ['too few sizes', 'ARGUMENT', () => addon.launch(handle, [x, y], ranges, sizes.subarray(1), scalars, 0)],
    ['sizes as numbers', 'ARGUMENT', () => call(addon.launch, handle, [x, y], ranges, [4, 1, 1], scalars, 0)],
    ['too many scalars', 'ARGUMENT', () => addon.launch(handle, [x, y], ranges, sizes, new BigInt64Array(2), 0)],
    ['257 threads', 'ARGUMENT', () => addon.launch(handle, [x, y], ranges, sizes, scalars, 257)],
    ['threads that are NaN', 'ARGUMENT', () => addon.launch(handle, [x, y], ranges, sizes, scalars, NaN)],
    ['an end beyond the buffer', 'RANGE', () => addon.launch(handle, [x, y], range(0, 0, 17, 0), sizes, scalars, 0)],
    ['a negative start', 'RANGE', () => addon.launch(handle, [x, y], range(-4, -4, 12, 0), sizes, scalars, 0)],
    ['an element 0 below the lowest byte', 'RANGE', () => addon.launch(handle, [x, y], range(0, 4, 16, 0), sizes, scalars, 0)],
    ['a range that is NaN', 'RANGE', () => addon.launch(handle, [x, y], range(0, 0, NaN, 0), sizes, scalars, 0)],
    ['an infinite range', 'RANGE', () => addon.launch(handle, [x, y], range(0, 0, Infinity, 0), sizes, scalars, 0)],
    ['a fractional start', 'RANGE', () => addon.launch(handle, [x, y], range(0.5, 0, 16, 0), sizes, scalars, 0)],
    ['plans that are no array', 'ARGUMENT', () => call(addon.planCreate, 1)],
    ['a plan of numbers', 'ARGUMENT', () => call(addon.planCreate, [1])],
    ['a plan with a short launch', 'ARGUMENT', () => call(addon.planCreate, [[handle]])],
    ['a plan whose second launch is wrong', 'RANGE', () => addon.planCreate([[handle, [x, y], ranges, sizes, scalars, 0], [handle, [x, y], range(0, 0, 99, 0), sizes, scalars, 0]])],
    ['a rebinding of a launch that is not there', 'ARGUMENT', () => addon.planRebind(addon.planCreate([]), 0, 0, x, 0, 0, 0, 0)],
    ['a rebinding to too little', 'RANGE', () => addon.planRebind(addon.planCreate([[handle, [x, y], ranges, sizes, scalars, 0]]), 0, 0, x, 0, 0, 17, 0)],
    ['a number for a path', 'ARGUMENT', () => call(addon.memoryMap, 1)],
    ['an advice that is none', 'ARGUMENT', () => addon.memoryAdvise(memory, 0, 1, 9)],
  ])('%s: %s', (_, code, f) => {
    expect(thrown(f).code).toBe(`QUERN_E_${code}`);
    expect([...y]).toEqual([0, 0, 0, 0]);
  });

  test('and right ones do not', () => {
    expect(addon.launch(handle, [x, y], ranges, sizes, scalars, 0)).toBe(0);
  });
});
