import { ArgumentError, nativeCall } from '../errors/index.ts';
import { native } from '../native/index.ts';
import { checkThreads } from './threads.ts';

/** How to measure. */
export interface MeasureOptions {
  /** Default: all that a call gets. */
  readonly threads?: number;
  /** The best of so many rounds counts; 5 unless told. */
  readonly rounds?: number;
}

function checked(options: MeasureOptions): { threads: number; rounds: number } {
  if (options.threads !== undefined) checkThreads(options.threads);
  const rounds = options.rounds ?? 5;
  if (!Number.isInteger(rounds) || rounds < 1) throw new ArgumentError(`rounds must be a positive integer, got ${rounds}`);
  return { threads: options.threads ?? 0, rounds };
}

/**
 * Bytes per second at which memory can be read: the physical limit of a kernel that touches much and computes little,
 * such as a decoder's matrix-vector products. Streams over `bytes` bytes (default: 256 MB, or four times the last-level
 * cache if that is more); takes some tens of milliseconds and that much memory.
 */
export function measureReadBandwidth(options: MeasureOptions & { readonly bytes?: number } = {}): number {
  const { threads, rounds } = checked(options);
  const bytes = options.bytes ?? Math.max(256 * 2 ** 20, 4 * native().cpuInfo().l3);
  return nativeCall('measureReadBandwidth', () => native().measureRead(threads, bytes, rounds));
}

/**
 * Floating-point operations per second of multiply-adds out of registers: the physical limit of a matrix product.
 * 0 on a CPU whose vector multiply-add is not known here.
 */
export function measureFmaPeak(options: MeasureOptions & { readonly dtype?: 'f32' | 'f64' } = {}): number {
  const { threads, rounds } = checked(options);
  return nativeCall('measureFmaPeak', () => native().measureFma(threads, options.dtype === 'f64', rounds));
}
