// Runs WGSL on a WebGPU device of Node: node webgpu-run.mjs JOB RESULT [OPTION…]. A process of its own: what a driver does at its end harms no test.
import { readFileSync, writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';

const [job, result, ...options] = process.argv.slice(2);
Object.assign(globalThis, globals);
const gpu = create(options), adapter = await gpu.requestAdapter();
if (!adapter) { console.error('no WebGPU adapter'); process.exit(3); }
const has = (f) => adapter.features.has(f), limits = {};
for (const l of ['maxStorageBuffersPerShaderStage', 'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY']) limits[l] = adapter.limits[l];
const device = await adapter.requestDevice({ requiredFeatures: ['shader-f16'].filter(has), requiredLimits: limits });
const errors = [];
device.addEventListener('uncapturederror', (e) => errors.push(e.error.message));
const scoped = async (what, f) => {
  device.pushErrorScope('validation');
  const x = await f();
  const e = await device.popErrorScope();
  if (e) { console.error(`${e.message}\n${what}`); process.exit(1); }
  return x;
};
const round = (n, to) => Math.max(to, Math.ceil(n / to) * to), out = [];
for (const { name, source, buffers, launches } of JSON.parse(readFileSync(job, 'utf8'))) {
  const module = await scoped(`${name}\n${source}`, async () => {
    const m = device.createShaderModule({ code: source }), info = await m.getCompilationInfo();
    for (const x of info.messages) if (x.type === 'error') console.error(`${name}:${x.lineNum}:${x.linePos}: ${x.message}\n${source.split('\n')[x.lineNum - 1]}`);
    return m;
  });
  const data = buffers.map((b) => Buffer.from(b, 'base64'));
  const memory = data.map((b) => {
    const made = device.createBuffer({ size: round(b.length, 16), usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST }), padded = new Uint8Array(round(b.length, 16));
    padded.set(b);
    device.queue.writeBuffer(made, 0, padded);
    return made;
  });
  const pipelines = new Map();
  for (const { entry, groups, args } of launches) {
    if (!pipelines.has(entry)) pipelines.set(entry, await scoped(`${name} ${entry}\n${source}`, () => device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: entry } }).catch((e) => { console.error(`${e.message}\n${name} ${entry}\n${source}`); process.exit(1); })));
    const pipeline = pipelines.get(entry), entries = [], numbers = [];
    for (const a of args) if (typeof a === 'number') entries.push({ binding: entries.length, resource: { buffer: memory[a] } }); else numbers.push(a);
    if (numbers.length) {
      const block = new Uint8Array(round(4 * numbers.length, 16));
      numbers.forEach((b, i) => block.set(b, 4 * i));
      const uniform = device.createBuffer({ size: block.length, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(uniform, 0, block);
      entries.push({ binding: entries.length, resource: { buffer: uniform } });
    }
    await scoped(`${name} ${entry}\n${source}`, async () => {
      const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      if (entries.length) pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(...groups);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  }
  const got = [];
  for (const [i, b] of data.entries()) {
    const size = round(b.length, 16), stage = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }), encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(memory[i], 0, stage, 0, size);
    device.queue.submit([encoder.finish()]);
    await stage.mapAsync(GPUMapMode.READ);
    got.push(Buffer.from(stage.getMappedRange()).subarray(0, b.length).toString('base64'));
    stage.destroy();
    memory[i].destroy();
  }
  out.push(got);
}
if (errors.length) { console.error(errors.join('\n')); process.exit(1); }
writeFileSync(result, JSON.stringify({ adapter: `${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.description}`, features: [...adapter.features], out }));
device.destroy();
process.exit(0);
