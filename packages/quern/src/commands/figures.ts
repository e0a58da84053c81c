import type { GenerateStats, Model } from '@quern/llm';

/** Speeds of one generation. Rates are undefined where too little was measured. */
export interface Figures {
  readonly promptTokens: number;
  readonly promptTokensPerSecond: number | undefined;
  readonly generatedTokens: number;
  readonly decodeTokensPerSecond: number | undefined;
  /** Weights read per second while decoding, in 10^9 bytes. */
  readonly decodeGBPerSecond: number | undefined;
  /** What this machine's memory gives when it is only read. */
  readonly limitGBPerSecond: number | undefined;
  /** The share of it that decoding reached. */
  readonly shareOfLimit: number | undefined;
  readonly stop: GenerateStats['stop'];
}

/** The figures of a generation; `limit` in bytes per second, 0 when it was not measured. */
export function figures(stats: GenerateStats, model: Model, limit: number): Figures {
  const rate = (n: number, s: number): number | undefined => (n > 0 && s > 0 ? n / s : undefined);
  const decode = rate(stats.generatedTokens - 1, stats.decodeSeconds);
  const bytes = decode === undefined ? undefined : decode * model.model.bytesPerToken;
  return {
    promptTokens: stats.promptTokens, promptTokensPerSecond: rate(stats.promptTokens - stats.reusedTokens, stats.promptSeconds),
    generatedTokens: stats.generatedTokens, decodeTokensPerSecond: decode,
    decodeGBPerSecond: bytes === undefined ? undefined : bytes / 1e9, limitGBPerSecond: limit > 0 ? limit / 1e9 : undefined,
    shareOfLimit: bytes === undefined || limit <= 0 ? undefined : bytes / limit, stop: stats.stop,
  };
}

const show = (x: number | undefined): string => (x === undefined ? '-' : x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));

/** The figures as one line for people. */
export function figuresLine(f: Figures): string {
  return `prompt ${f.promptTokens} tokens, ${show(f.promptTokensPerSecond)} tok/s; decode ${f.generatedTokens} tokens, ${show(f.decodeTokensPerSecond)} tok/s, ${show(f.decodeGBPerSecond)} GB/s`
    + (f.shareOfLimit === undefined ? '' : ` = ${Math.round(100 * f.shareOfLimit)} % of the ${show(f.limitGBPerSecond)} GB/s that this machine's memory gives`);
}
