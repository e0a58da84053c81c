// One process of the benchmark `ready`: makes the f32 GEMM ready once, with nothing warm but what the cache folder holds, and prints milliseconds as JSON.
//   node once.mjs CACHE_FOLDER ISA
import { performance } from 'node:perf_hooks';

const [, , cacheDir, isa] = process.argv, marks = [performance.now()], mark = () => marks.push(performance.now());
const { lower, schedule, target } = await import('@quern/kernel-dsl'), { libraryFiles } = await import('@quern/kernel-dsl/c');
const { gemm, gemmBlocks, scheduleGemm } = await import('../../packages/blas/dist/kernels/gemm.js');
const { compileGenerated } = await import('@quern/runtime');
mark();

const t = target(isa);
/** The files of the library, and when each stage had ended. */
function emit() {
  const files = libraryFiles([{ name: 'gemm_nn_f32', build: () => {
    const traced = gemm('f32', 'nn');
    mark();
    const { ir } = schedule(traced, t, (s, ax) => scheduleGemm(s, ax, 'f32', gemmBlocks('f32', t)));
    mark();
    const lowered = lower(ir, t);
    mark();
    return lowered;
  } }], [t], { name: 'gemm_nn_f32' });
  mark();
  return files;
}
const files = emit();
compileGenerated(files, { cacheDir }).kernel('gemm_nn_f32', t.isa);
mark();
emit();

const [, imported, traced, scheduled, lowered, emitted, ready, , , , again] = marks;
process.stdout.write(JSON.stringify({ import: imported - marks[0], trace: traced - imported, schedule: scheduled - traced, lower: lowered - scheduled, emit: emitted - lowered, compileAndLoad: ready - emitted, secondTraceToEmit: again - ready }));
