// Runs WGSL modules on a WebGPU device: what the programs for Node (webgpu-run.mjs) and for a browser (chromium-run.mjs) share. Neither Node nor a browser is assumed.
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const textOf = (bytes) => { let s = ''; for (let i = 0; i < bytes.length; i += 8192) s += String.fromCharCode(...bytes.subarray(i, i + 8192)); return btoa(s); };
const round = (n, to) => Math.max(to, Math.ceil(n / to) * to);

/** Runs jobs one after the other; resolves to what their buffers hold then. @throws Error with the message of the device, and the module */
export async function runJobs(gpu, jobs) {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const limits = {};
  for (const l of ['maxStorageBuffersPerShaderStage', 'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY']) limits[l] = adapter.limits[l];
  const device = await adapter.requestDevice({ requiredFeatures: ['shader-f16'].filter((f) => adapter.features.has(f)), requiredLimits: limits }), errors = [];
  device.addEventListener('uncapturederror', (e) => errors.push(e.error.message));
  const scoped = async (what, f) => {
    device.pushErrorScope('validation');
    const x = await f(), e = await device.popErrorScope();
    if (e) throw new Error(`${e.message}\n${what}`);
    return x;
  };
  const out = [], built = new Map();
  /** A module and its pipelines by entry: made once for jobs of the same text. */
  async function build(name, source) {
    let told = '';
    const module = await scoped(`${name}\n${source}`, async () => {
      const m = device.createShaderModule({ code: source }), info = await m.getCompilationInfo();
      for (const x of info.messages) if (x.type === 'error') told += `${name}:${x.lineNum}:${x.linePos}: ${x.message}\n${source.split('\n')[x.lineNum - 1]}\n`;
      return m;
    }).catch((e) => { throw new Error(told + e.message); });
    return { module, pipelines: new Map() };
  }
  for (const { name, source, buffers, launches } of jobs) {
    if (!built.has(source)) built.set(source, await build(name, source));
    const { module, pipelines } = built.get(source);
    const data = buffers.map(bytesOf);
    const memory = data.map((b) => {
      const made = device.createBuffer({ size: round(b.length, 16), usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST }), padded = new Uint8Array(round(b.length, 16));
      padded.set(b);
      device.queue.writeBuffer(made, 0, padded);
      return made;
    });
    for (const { entry, groups, args } of launches) {
      if (!pipelines.has(entry)) pipelines.set(entry, await scoped(`${name} ${entry}\n${source}`, () => device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: entry } }).catch((e) => { throw new Error(`${e.message}\n${name} ${entry}\n${source}`); })));
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
      got.push(textOf(new Uint8Array(stage.getMappedRange()).slice(0, b.length)));
      stage.destroy();
      memory[i].destroy();
    }
    out.push(got);
  }
  if (errors.length) throw new Error(errors.join('\n'));
  const { vendor, architecture, description } = adapter.info, features = [...adapter.features];
  device.destroy();
  return { adapter: `${vendor} ${architecture} ${description}`, features, out };
}
