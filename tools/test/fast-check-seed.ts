/** Gives fast-check the seed of the run, which vitest.config.ts chose, so that FC_SEED=<seed> repeats any failure. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['FC_SEED']) });
