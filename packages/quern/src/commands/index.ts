/** The subcommands of `quern`, one a file: each takes its arguments and returns the exit status. */
export { devices, doctor } from './devices.ts';
export { KERNEL_HELP, kernel } from './kernel.ts';
export { RUN_HELP, run } from './run.ts';
export { start } from './start.ts';
export { TUNE_HELP, tune } from './tune.ts';
