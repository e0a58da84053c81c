// The rungs of examples/gpu-gemm beside cuBLAS: see gpu-rungs.bench.mjs, which makes one JavaScript file of this.
import { device, tensor, zeros } from '@quern/runtime';
import * as lanes from '../../examples/gpu-gemm/1-lanes.ts';
import * as shared from '../../examples/gpu-gemm/2-shared.ts';
import * as registers from '../../examples/gpu-gemm/3-registers.ts';
import * as cores from '../../examples/gpu-gemm/4-tensor-cores.ts';
import * as stages from '../../examples/gpu-gemm/5-stages.ts';
import * as engine from '../../examples/gpu-gemm/6-copy-engine.ts';
import * as persistent from '../../examples/gpu-gemm/7-persistent.ts';
import * as epilogue from '../../examples/gpu-gemm/8-epilogue.ts';
import * as float32 from '../../examples/gpu-gemm/9-float32.ts';
import { argument as arg, openPeer, refuse, writeResults } from './common.mjs';
import { measureProducts } from './products.mjs';

const NEEDED = 'needs an NVIDIA GPU of compute capability 9.0 (H100, H200) and python3 with torch', turns = Number(arg('--turns') ?? 7);
const gpu = await device('cuda:0', { fallback: 'none' }).catch((error) => refuse('gpu-rungs', `${NEEDED}; here, ${error.reasons?.[0]?.detail ?? error.message}`));
const { peer, info } = await openPeer('gpu-rungs', NEEDED);
const plain = { peer: 'f32', dtype: 'f32', out: 'f32', transposed: false, sizes: [4096] }, half = { peer: 'bf16', dtype: 'bf16', out: 'bf16', transposed: true, sizes: [4096] };
/** A bias for each column, and the function of a sum that the kernel computes. */
const more = async (on, [, n]) => {
  const bias = Float32Array.from({ length: n }, (_, j) => (j % 17) - 8);
  return { args: { bias: await tensor(bias, [n]).to(on), scale: 0.5 }, finish: (sum, j) => Math.max(0, sum * 0.5 + bias[j]) };
};
/** Memory for what rung 9 makes of both factors. */
const split = async (on, [n]) => ({ args: Object.fromEntries(['A_rest', 'B_rest', 'B_rows'].map((x) => [x, zeros([n, n], 'f32', { device: on })])) });
const rung = (name, m, o) => ({ name, kernel: m.algorithm, schedules: { [name]: m.gpu }, ...o });
process.stdout.write(`${gpu.info.name}, ${gpu.driver.identity}; TFLOP/s at 4096, medians of ${turns} turns\n`);
const rows = await measureProducts({ gpu, peer, turns }, [
  rung('1 lanes', lanes, plain), rung('2 shared', shared, plain), rung('3 registers', registers, plain), rung('4 tensor cores', cores, half), rung('5 stages', stages, half),
  rung('6 copy engine', engine, half), rung('7 persistent', persistent, half), rung('8 epilogue', epilogue, { ...half, more }), rung('9 float32', float32, { ...plain, more: split }),
]);
peer.end();
process.exit(writeResults({ benchmark: 'gpu-rungs', gpu, info, turns, rows, out: arg('--out'), kind: 'rungs', problem: 'products of 4096, f32 for rungs 1 to 3 and 9, bf16 for the others; milliseconds of one call, ours and the peer in turns; the peer of rung 8 multiplies alone' }));
