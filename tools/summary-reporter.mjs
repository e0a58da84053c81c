// A vitest reporter that leaves the counts of a run in a file, for the plain last line of `npm test`, and prints the random seed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memory } from './setup.mjs';

/** Where the counts of the last run lie. */
export const summaryFile = join(memory, 'test-summary.json');

export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      let own = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed += 1;
        else if (state === 'failed') own += 1;
        else counts.skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      // A file that could not be loaded, or a suite whose hook failed, has no failed test to count.
      counts.failed += own === 0 && module.state() === 'failed' ? 1 : own;
    }
    mkdirSync(memory, { recursive: true });
    writeFileSync(summaryFile, JSON.stringify(counts));
    process.stdout.write(`   fast-check seed ${process.env.FC_SEED} (repeat this run's random cases with FC_SEED=${process.env.FC_SEED})\n`);
  }
}
