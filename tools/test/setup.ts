/** What runs before each file of tests: fast-check gets the seed of the run, which vitest.config.ts chose, so that FC_SEED=<seed> repeats any failure. */
import fc from 'fast-check';
import { endFile } from './after-file.ts';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['FC_SEED']) });
endFile();
