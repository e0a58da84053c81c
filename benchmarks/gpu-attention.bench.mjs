// gpu-attention: attention on an NVIDIA GPU of compute capability 9.0, beside PyTorch's FlashAttention 2 and cuDNN attention in the same run.
//   npm run bench -- gpu-attention            writes benchmarks/results/<date>-<gpu>-attention.json; --turns N (7 when not given); --out FILE
// Status: 0; 1 when a row failed; 2 when the machine lacks something.
import { device } from '@quern/runtime';
import { attentions, measureAttention } from './gpu/attention.mjs';
import { argument as arg, openPeer, refuse, writeResults } from './gpu/common.mjs';

const NEEDED = 'needs an NVIDIA GPU of compute capability 9.0 (H100, H200) and python3 with torch', turns = Number(arg('--turns') ?? 7);
if (!(turns >= 1)) refuse('gpu-attention', '--turns takes a number, 1 or more');
const gpu = await device('cuda:0', { fallback: 'none' }).catch((error) => refuse('gpu-attention', `${NEEDED}; here, ${error.reasons?.[0]?.detail ?? error.message}`));
const { peer, info } = await openPeer('gpu-attention', NEEDED);
process.stdout.write(`${gpu.info.name}, ${gpu.driver.identity}; TFLOP/s at the median of ${turns} turns\n`);
const rows = await measureAttention({ gpu, peer, turns }, attentions);
peer.end();
process.exit(writeResults({ benchmark: 'gpu-attention', gpu, info, turns, rows, out: arg('--out'), kind: 'attention', problem: 'softmax(Q K^T / sqrt(D)) V of H heads, S queries and keys, normal random data; milliseconds of one call, means of bursts timed by events on the device; ours, FlashAttention 2 and cuDNN of PyTorch in turns; 4 S^2 D H operations, half of them where causal' }));
