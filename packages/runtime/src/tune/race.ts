import { ArgumentError } from '../errors/index.ts';

/** Something whose speed is measured. */
export interface Runner {
  readonly name: string;
  /** Does the work once. */
  readonly run: () => void;
}

/** How to race. */
export interface RaceOptions {
  /** Turns that each runner gets, at least 3; default 9. */
  readonly turns?: number;
  /** The least time of a turn in milliseconds: quick work is repeated that often; default 5. */
  readonly turnMs?: number;
  /** By how much a challenger must be ahead of the first runner, as a fraction; default 0.02. */
  readonly margin?: number;
  /** Called after each turn. */
  readonly onTurn?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** The clock, in milliseconds; for tests. */
  readonly now?: () => number;
}

/** What one runner did: microseconds of a run, turn by turn. */
export interface Timing { readonly name: string; readonly us: readonly number[]; readonly min: number; readonly median: number }

/** A race and who won it. */
export interface RaceResult {
  readonly timings: readonly Timing[];
  /** The index of the winner: 0, the first runner, unless another is ahead of it by more than the noise. */
  readonly winner: number;
}

export const median = (list: readonly number[]): number => {
  const s = [...list].sort((a, b) => a - b), m = s.length >> 1;
  return s.length % 2 ? s[m]! : (s[m - 1]! + s[m]!) / 2;
};

/** How often to run so that a turn takes long enough. */
function repeats(run: () => void, turnMs: number, now: () => number): number {
  for (let n = 1; ; n *= 4) {
    const from = now();
    for (let i = 0; i < n; i++) run();
    const took = now() - from;
    if (took >= turnMs || n >= 1 << 20) return Math.max(1, Math.ceil((n * turnMs) / Math.max(took, 1e-3)));
    if (took > 0) n = Math.max(n, Math.floor((n * turnMs) / took / 8));
  }
}

/**
 * Times runners in turns, so that what disturbs the machine disturbs all of them, and picks a winner. The first runner is the incumbent.
 * A challenger wins only if it is ahead in four of five turns, and if its best turn and the median of its turn-by-turn ratios are both ahead by
 * the margin, and by more than half as far again as the incumbent's own turns lie apart (the quartile of its turns above its best).
 *
 * @throws ArgumentError without runners or with fewer than 3 turns; what a runner throws; the signal's reason when aborted.
 * @example
 * const { winner } = race([{ name: 'old', run: old }, { name: 'new', run: fresh }]);
 */
export function race(runners: readonly Runner[], o: RaceOptions = {}): RaceResult {
  const turns = o.turns ?? 9, turnMs = o.turnMs ?? 5, margin = o.margin ?? 0.02, now = o.now ?? (() => performance.now());
  if (runners.length === 0) throw new ArgumentError('a race needs at least one runner');
  if (!Number.isInteger(turns) || turns < 3) throw new ArgumentError(`turns must be an integer of at least 3, got ${turns}`);
  const n = runners.map((r) => {
    o.signal?.throwIfAborted();
    r.run();
    return repeats(r.run, turnMs, now);
  });
  const us: number[][] = runners.map(() => []);
  for (let t = 0; t < turns; t++) {
    // Who begins a turn changes: being first after a pause is neither a gain nor a loss for one alone.
    for (let k = 0; k < runners.length; k++) {
      o.signal?.throwIfAborted();
      const i = (k + t) % runners.length, { run } = runners[i]!, count = n[i]!, from = now();
      for (let c = 0; c < count; c++) run();
      us[i]!.push(((now() - from) * 1000) / count);
    }
    o.onTurn?.(t + 1, turns);
  }
  const timings = runners.map((r, i): Timing => ({ name: r.name, us: us[i]!, min: Math.min(...us[i]!), median: median(us[i]!) }));
  return { timings, winner: winnerOf(timings, margin) };
}

/** Past the noise: see `race`. */
function winnerOf(timings: readonly Timing[], margin: number): number {
  const first = timings[0]!, sorted = [...first.us].sort((a, b) => a - b), spread = sorted[sorted.length >> 2]! / first.min - 1;
  const needed = 1 / (1 + Math.max(margin, 1.5 * spread));
  let best = 0;
  timings.forEach((t, i) => {
    const ratios = t.us.map((x, turn) => x / first.us[turn]!), paired = median(ratios);
    if (i > 0 && ratios.filter((r) => r < 1).length >= 0.8 * ratios.length && t.min <= first.min * needed && paired <= needed && t.min < timings[best]!.min) best = i;
  });
  return best;
}
