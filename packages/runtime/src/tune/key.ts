import { createHash } from 'node:crypto';

/** All that a measured choice depends on. Records of other keys say nothing about this one. */
export interface TuneKey {
  readonly kernel: string;
  /** Of the algorithm as it was traced: a changed kernel is another one. */
  readonly algorithm: string;
  /** Of the candidates and how they schedule: other choices, another race. */
  readonly candidates: string;
  /** Version of the kernel language. */
  readonly dsl: string;
  readonly isa: string;
  /** The processor's name. */
  readonly cpu: string;
  readonly threads: number;
  /** Each size, rounded to a power of two: a choice holds for what lies near. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** The power of two nearest to n by ratio; 0 stays 0. */
const bucket = (n: number): number => (n <= 0 ? 0 : 2 ** Math.round(Math.log2(n)));

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A key with its sizes rounded and in order. */
export function tuneKey(k: TuneKey): TuneKey {
  const sizes = Object.fromEntries(Object.entries(k.sizes).sort(([a], [b]) => (a < b ? -1 : 1)).map(([n, x]) => [n, bucket(x)]));
  return { kernel: k.kernel, algorithm: k.algorithm, candidates: k.candidates, dsl: k.dsl, isa: k.isa, cpu: k.cpu, threads: k.threads, sizes };
}

/** A key as one line: equal keys give equal lines, whatever order they were built in. */
export const keyText = (k: TuneKey): string => JSON.stringify(tuneKey(k));
