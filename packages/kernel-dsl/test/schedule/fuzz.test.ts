import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuHas } from '../emit/harness.ts';
import { schedule } from '../../src/schedule/index.ts';
import { OPENCL } from '../gpu/harness.ts';
import { GXX } from '../gpu/warp-machine.ts';
import { CORPUS } from './corpus.ts';
import { CL, GPU, ROW_VERBS, HERE, SHARED_VERBS, TEAM_VERBS, VERBS, compare, counts as newCounts, inC, inCuda, inOpenCl, scheduled } from './fuzz.ts';
import { recipe } from './fuzz-teams.ts';
import type { Choice } from './fuzz-teams.ts';
import type { Draw } from './fuzz.ts';

/** Schedules that are tried: a few here, many in `npm run test:all`, the same each time; others with QUERN_FUZZ_SEED, to look for what is still wrong. */
const RUNS = Number(process.env['QUERN_FUZZ_SCHEDULES'] ?? 200), SEED = Number(process.env['QUERN_FUZZ_SEED'] ?? 20261122);

/** Schedules that run as OpenCL, which takes PoCL a second each: none here, some in `npm run test:all`. */
const CL_RUNS = Number(process.env['QUERN_FUZZ_OPENCL'] ?? 0);
/** One in so many runs as the text that it becomes, too; of few, a quarter is proved and emitted. */
const TEXTS = Number(process.env['QUERN_FUZZ_TEXTS'] ?? 500), TEXT = (seed: number): boolean => (seed * 7919 + 4001) % TEXTS === 0, PROVED = (seed: number): boolean => RUNS > 400 || seed % 4 === 3; // 0 is drawn more often than others
const LIMIT = 1000 * (60 + RUNS / 5 + 10 * RUNS / TEXTS);
const drawn = (verbs: readonly Draw['verb'][]): fc.Arbitrary<Draw> => fc.record({ verb: fc.constantFrom(...verbs), a: fc.nat(30), b: fc.nat(30), n: fc.nat(1000) }), draw = drawn(VERBS);
const size = fc.integer({ min: 0, max: 9 });

describe('random schedules', () => {
  const calls = new Map<string, number>(), counts = newCounts(calls);
  it('compute what the algorithm computes', () => {
    fc.assert(fc.property(fc.constantFrom(...CORPUS.map((k) => k.name)), fc.array(draw, { minLength: 1, maxLength: 14, size: 'max' }), fc.record({ M: size, N: size, K: size, P: size }), fc.nat(1000), (name, draws, sizes, seed) => {
      const k = CORPUS.find((c) => c.name === name)!;
      const text = cpuHas(HERE) && TEXT(seed), s = scheduled(k, draws, counts, text ? { machine: HERE } : {});
      if (s) compare(k, s, sizes, seed, { proved: PROVED(seed), run: text ? inC : undefined });
    }), { numRuns: RUNS, seed: SEED });
  }, LIMIT);

  it('that deal rows out over lanes compute what the algorithm computes', () => {
    const mine = newCounts(calls);
    fc.assert(fc.property(fc.constantFrom(...CORPUS.map((k) => k.name)), fc.array(drawn(ROW_VERBS), { minLength: 1, maxLength: 7, size: 'max' }), fc.record({ M: size, N: size, K: size, P: size }), fc.nat(1000), (name, draws, sizes, seed) => {
      const k = CORPUS.find((c) => c.name === name)!, s = scheduled(k, draws, mine);
      if (s) compare(k, s, sizes, seed, { proved: PROVED(seed) });
    }), { numRuns: Math.ceil(RUNS / 2), seed: SEED });
    expect(mine.done.get('deal')).toBeGreaterThan(RUNS / 40);
  }, LIMIT);

  it('that tile for workgroups and share memory compute what the algorithm computes', () => {
    const mine = newCounts(calls);
    fc.assert(fc.property(fc.constantFrom(...CORPUS.map((k) => k.name)), fc.nat(1000), fc.array(drawn(SHARED_VERBS), { minLength: 1, maxLength: 12, size: 'max' }), fc.record({ M: size, N: size, K: size, P: size }), fc.nat(1000), (name, grid, draws, sizes, seed) => {
      const k = CORPUS.find((c) => c.name === name)!, s = scheduled(k, [{ verb: 'grid', a: 0, b: 1, n: grid }, ...draws], mine, { machine: GPU, alive: true });
      if (s) compare(k, s, sizes, seed, { proved: PROVED(seed), run: GXX && TEXT(seed) ? inCuda(800, seed % 2 === 0) : undefined });
    }), { numRuns: Math.ceil(RUNS / 2), seed: SEED });
    for (const v of ['grid', 'shared', 'stage'] as const) expect(mine.done.get(v) ?? 0, v).toBeGreaterThan(RUNS / 40);
    expect((mine.done.get('prefetch') ?? 0) + (mine.done.get('ahead') ?? 0)).toBeGreaterThan(0);
  }, LIMIT);
  it.skipIf(!OPENCL || CL_RUNS === 0)(OPENCL ? 'run as OpenCL with the bits of the interpreter' : 'did not run as OpenCL: there is none here', () => {
    const mine = newCounts(), verbs = [...SHARED_VERBS, ...ROW_VERBS].filter((v) => v !== 'image'); // whoever runs these texts makes buffers alone
    let ran = 0;
    fc.assert(fc.property(fc.constantFrom(...CORPUS.map((k) => k.name)), fc.nat(1000), fc.array(drawn(verbs), { maxLength: 10, size: 'max' }), fc.record({ M: size, N: size, K: size, P: size }), fc.nat(1000), (name, grid, draws, sizes, seed) => {
      const k = CORPUS.find((c) => c.name === name)!, s = scheduled(k, [{ verb: 'grid', a: 0, b: 1, n: grid }, ...draws], mine, { machine: CL, alive: true });
      if (s) compare(k, s, sizes, seed, { proved: true, run: (...of) => { const done = inOpenCl(seed % 2 === 0, ...of); if (done) ran++; return done; } });
    }), { numRuns: CL_RUNS, seed: SEED });
    expect(ran).toBeGreaterThan(CL_RUNS / 4);
  }, 1000 * (60 + 10 * CL_RUNS));
  /** The steps of a recipe with some left out, some swapped, and others between. */
  const edited = (n: number, edits: readonly (readonly [number, 'out' | 'swap' | Draw])[]): readonly Draw[] => {
    const list: Draw[] = Array.from({ length: n }, (_, i) => ({ verb: 'piece', a: 0, b: 0, n: i }));
    for (const [i, e] of edits) {
      const at = i % (list.length + 1);
      if (e === 'out') list.splice(at, 1);
      else if (e === 'swap') list.splice(at, 2, ...list.slice(at, at + 2).reverse());
      else list.splice(at, 0, e);
    }
    return list;
  };
  const choice: fc.Arbitrary<Choice> = fc.record({
    what: fc.constantFrom('gemm', 'gemm', 'batched', 'gated', 'q4', 'wgmma', 'wgmma', 'attention'), isa: fc.constantFrom('cuda-sm80', 'cuda-sm75', 'cuda-sm90a'), form: fc.nat(11), bias: fc.boolean(),
    tile: fc.constantFrom([16, 16], [32, 32], [32, 32], [32, 16], [16, 32], [32, 32], [32, 64], [24, 16]), warp: fc.constantFrom([16, 16], [16, 16], [16, 16], [16, 32], [32, 16], [8, 16]), stages: fc.nat(4), workgroups: fc.nat(3), cluster: fc.boolean(), tail: fc.constantFrom('pad', 'pad', 'pad', 'pad', 'pad', 'pad', 'mask', 'clamp'),
  });
  it('of teams compute what the algorithm computes', () => {
    const mine = newCounts(calls);
    fc.assert(fc.property(choice, fc.array(fc.tuple(fc.nat(30), fc.oneof({ weight: 3, arbitrary: drawn(TEAM_VERBS) }, { weight: 1, arbitrary: fc.constantFrom('out' as const, 'swap' as const) })), { maxLength: 4, size: 'max' }), fc.nat(40), fc.nat(40), fc.nat(150), fc.nat(1000), (c, edits, m, n, z, seed) => {
      const r = recipe(c), s = scheduled(r.kernel, edited(r.pieces.length, edits), mine, { machine: r.machine, alive: true, pieces: r.pieces });
      if (s) compare(r.kernel, s, {}, 1, { args: r.args(m, n, z), exact: true, proved: PROVED(seed), run: GXX && TEXT(seed) ? inCuda(r.arch, seed % 2 === 0) : undefined });
    }), { numRuns: Math.ceil(RUNS / 16), seed: SEED });
    expect(mine.done.get('piece')).toBeGreaterThan(RUNS / 8);
  }, LIMIT);
  const plain: Choice = { what: 'gemm', isa: 'cuda-sm80', form: 0, bias: false, tile: [16, 16], warp: [16, 16], stages: 0, workgroups: 0, cluster: false, tail: 'pad' };
  // What was found of teams.
  const teams: readonly (readonly [string, Partial<Choice>, Parameters<typeof edited>[1]])[] = [
    ['sums that begin under a condition were added to without it', { tail: 'mask' }, []],
    ['products ahead had the loops of those that follow', { what: 'attention' }, [[4, 'swap']]],
    ['tiles were read by what is no product, as they were no more', { what: 'attention' }, [[10, 'out']]],
    ['sums that begin under a condition were streamed whole', { what: 'wgmma', workgroups: 3, tail: 'mask' }, []],
    ['a vector of an array of registers became one element where distribute gave the array more dimensions', { what: 'gated' }, [[0, { verb: 'rfactor', a: 0, b: 0, n: 0 }]]],
    ['a bulk copy was copied in bulk, which only tensors are', { what: 'attention' }, [[1, { verb: 'bulk', a: 0, b: 0, n: 0 }]]],
    ['workgroups inside of a loop of one became loops inside of its lanes', { what: 'batched', stages: 1, workgroups: 1, tail: 'mask' }, [[0, { verb: 'fuse', a: 0, b: 0, n: 0 }], [10, { verb: 'split', a: 0, b: 0, n: 0 }], [29, 'out']]],
  ];
  it.each(teams)('a case of teams that once failed: %s', (_, of, edits) => {
    const r = recipe({ ...plain, ...of }), s = scheduled(r.kernel, edited(r.pieces.length, edits), counts, { machine: r.machine, alive: true, pieces: r.pieces });
    if (s) for (const n of [1, 3]) compare(r.kernel, s, {}, 1, { args: r.args(n, n, 2 * n), exact: true, proved: true });
  });
  // What was found there; the second is refused, as no lane would be left.
  const shared: readonly (readonly [string, readonly Draw[]])[] = [
    ['gemm', [{ verb: 'grid', a: 0, b: 1, n: 256 }, { verb: 'shared', a: 0, b: 0, n: 744 }, { verb: 'prefetch', a: 0, b: 0, n: 0 }]], // lanes that had fetched nothing stored it all the same
    ['saxpy', [{ verb: 'grid', a: 0, b: 0, n: 0 }, { verb: 'split', a: 1, b: 1, n: 1 }]], // lanes split with a rest, of which none was left
    ['saxpy', [{ verb: 'grid', a: 0, b: 0, n: 0 }, { verb: 'stage', a: 0, b: 15, n: 0 }, { verb: 'bind', a: 26, b: 0, n: 393 }]], // workgroups bound beside the lanes
    ['bytes', [{ verb: 'grid', a: 0, b: 1, n: 538 }, { verb: 'shared', a: 0, b: 4, n: 602 }, { verb: 'shared', a: 0, b: 22, n: 13 }, { verb: 'prefetch', a: 0, b: 0, n: 0 }]], // a copy of a copy was fetched ahead of it
    ['saxpy', [{ verb: 'grid', a: 0, b: 1, n: 186 }, { verb: 'stage', a: 0, b: 21, n: 0 }, { verb: 'shared', a: 0, b: 0, n: 530 }, { verb: 'split', a: 0, b: 1, n: 43 }]], // barriers of a second nest of lanes were lost
    ['gemm', [{ verb: 'grid', a: 0, b: 1, n: 133 }, { verb: 'split', a: 2, b: 0, n: 0 }, { verb: 'shared', a: 0, b: 10, n: 65 }, { verb: 'stage', a: 23, b: 5, n: 0 }, { verb: 'jam', a: 14, b: 0, n: 0 }]], // a loop between those of the lanes, which all copied everything
    ['blur', [{ verb: 'grid', a: 0, b: 1, n: 135 }, { verb: 'shared', a: 0, b: 0, n: 0 }, { verb: 'split', a: 15, b: 14, n: 0 }, { verb: 'distribute', a: 20, b: 0, n: 295 }]], // what lanes share became each one's own
  ];
  it.each(shared)('a case that once failed on GPUs: %s', (name, draws) => {
    const k = CORPUS.find((c) => c.name === name)!, s = scheduled(k, draws, counts, { machine: GPU, alive: true });
    for (const n of [0, 1, 2, 5, 9]) if (s) compare(k, s, { M: n, N: n, K: n, P: n }, n);
  });

  // What was found, shortest first.
  const found: readonly (readonly [string, readonly Draw[]])[] = [
    ['softmax', [{ verb: 'stage', a: 2, b: 7, n: 66 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // the copy read what the loop writes first
    ['transpose', [{ verb: 'stage', a: 3, b: 21, n: 761 }]], // a register was copied back that a condition had left unwritten
    ['saxpy', [{ verb: 'split', a: 0, b: 0, n: 0 }, { verb: 'split', a: 1, b: 14, n: 0 }, { verb: 'split', a: 4, b: 1, n: 7 }, { verb: 'jam', a: 5, b: 0, n: 0 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // no iteration to jam
    ['blur', [{ verb: 'split', a: 5, b: 0, n: 0 }, { verb: 'bind', a: 4, b: 0, n: 74 }, { verb: 'split', a: 0, b: 0, n: 0 }, { verb: 'parallel', a: 21, b: 0, n: 0 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // worker threads inside of a workgroup's
    ['softmax', [{ verb: 'split', a: 2, b: 15, n: 157 }, { verb: 'stage', a: 4, b: 9, n: 24 }, { verb: 'stage', a: 4, b: 0, n: 186 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // a padded loop wrote what it then summed
    ['blur', [{ verb: 'split', a: 5, b: 0, n: 334 }, { verb: 'stage', a: 0, b: 22, n: 406 }]], // a panel put a loop inside of one that its extent needs
    ['blur', [{ verb: 'split', a: 5, b: 15, n: 742 }, { verb: 'stage', a: 22, b: 0, n: 479 }, { verb: 'jam', a: 25, b: 0, n: 0 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // copies of a padded loop forgot that it was padded
    ['blur', [{ verb: 'split', a: 15, b: 5, n: 303 }, { verb: 'rfactor', a: 18, b: 0, n: 0 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // no iteration to give a register to
    ['blur', [{ verb: 'bind', a: 2, b: 0, n: 630 }, { verb: 'split', a: 0, b: 0, n: 0 }, { verb: 'bind', a: 19, b: 0, n: 126 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // threads read what others had written
    ['blur', [{ verb: 'deal', a: 0, b: 5, n: 4 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // lanes of one row after those of another: the interpreter saw a race
    ['blur', [{ verb: 'deal', a: 0, b: 3, n: 1 }, { verb: 'distribute', a: 2, b: 0, n: 2 }]], // what lanes add up together was stored without a name
    ['blur', [{ verb: 'split', a: 15, b: 7, n: 15 }, { verb: 'computeAt', a: 10, b: 19, n: 0 }, { verb: 'split', a: 0, b: 0, n: 0 }]], // a padded tail read what computeAt had not made
    ['softmax', [{ verb: 'split', a: 0, b: 10, n: 565 }, { verb: 'deal', a: 16, b: 19, n: 196 }, { verb: 'bind', a: 12, b: 0, n: 699 }]], // a condition that lanes do not share stood around what they hand on, where no barrier can
    ['gemm', [{ verb: 'tile', a: 23, b: 1, n: 448 }, { verb: 'stage', a: 27, b: 0, n: 746 }, { verb: 'stage', a: 26, b: 0, n: 164 }]], // one condition that spoke of two loops was left out of a copy that needed half of it
  ];
  it.each(found)('a case that once failed: %s', (name, draws) => {
    const k = CORPUS.find((c) => c.name === name)!, s = scheduled(k, draws, counts);
    for (const n of [0, 1, 5, 9]) if (s) compare(k, s, { M: n, N: n, K: n, P: n }, n, { proved: true });
  });

  it('have every verb of a schedule', () => {
    // Whole recipes, whose last steps only come to pass where all others do.
    for (const of of [{ workgroups: 2 }, { cluster: true }, { what: 'attention' }] satisfies readonly Partial<Choice>[]) { const r = recipe({ ...plain, what: 'wgmma', stages: 2, ...of }); scheduled(r.kernel, edited(r.pieces.length, []), counts, { machine: r.machine, pieces: r.pieces }); }
    let verbs: readonly string[] = [];
    schedule(CORPUS[0]!, GPU, (s) => { verbs = Object.keys(s); });
    const steps = verbs.filter((v) => v !== 'target' && v !== 'vec'); // what machine it is, and the lanes of its vectors: no steps
    expect(steps.filter((v) => !calls.has(v)), 'never drawn so that it could be done').toEqual([]);
  });

  it('draw every verb and often succeed', () => {
    const done = [...counts.done.values()].reduce((a, b) => a + b, 0), refused = [...counts.refused.values()].reduce((a, b) => a + b, 0);
    expect(done / (done + refused)).toBeGreaterThan(0.15);
    for (const v of ['split', 'reorder', 'stage', 'parallel', 'vectorize', 'unroll'] as const) expect(counts.done.get(v) ?? 0, v).toBeGreaterThan(0);
  });
});
