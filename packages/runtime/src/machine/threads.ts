import { ArgumentError } from '../errors/index.ts';
import { native, tryNative } from '../native/index.ts';

/**
 * Threads that a kernel gets when its call asks for no number: the CPUs that this process may use (affinity mask and
 * cgroup quota), QUERN_NUM_THREADS, or what `setThreads` said, whichever is decisive. 1 where there is no addon.
 */
export function threads(): number {
  return tryNative()?.poolInfo().limit ?? 1;
}

/**
 * Sets the number of threads for calls that ask for none; without a number, back to the default. More than the CPUs is
 * allowed; QUERN_NUM_THREADS is never exceeded. Returns the number in force.
 *
 * @throws ArgumentError when count is not an integer from 1 to 256.
 */
export function setThreads(count?: number): number {
  if (count !== undefined) checkThreads(count);
  return native().poolConfigure(count ?? 0);
}

/** Throws ArgumentError unless count is an integer from 1 to 256. */
export function checkThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > 256) {
    throw new ArgumentError(`threads must be an integer from 1 to 256, got ${count}`);
  }
}
