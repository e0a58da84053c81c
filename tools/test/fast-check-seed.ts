/** Fixes fast-check's seed for a run and prints it, so that any failure can be repeated with FC_SEED=<seed>. */
import fc from 'fast-check';

const seed = Number.parseInt(process.env['FC_SEED'] ?? '', 10);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number.isNaN(seed) ? Date.now() & 0x7fffffff : seed });
