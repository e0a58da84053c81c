/** What commands share: arguments and progress. */
export { UsageError, optionHelp, parse } from './args.ts';
export type { Option, Options, Parsed } from './args.ts';
export { progressLine } from './progress.ts';
