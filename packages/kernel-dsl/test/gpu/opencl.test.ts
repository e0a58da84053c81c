import { describe, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { target } from '../../src/targets/index.ts';
import type { Case } from '../emit/harness.ts';
import { corpusCases, workgroupCases } from './cases.ts';
import { OPENCL, sameOnOpenCl } from './harness.ts';

const t = target('opencl');
/** Half of the corpus of schedules, one or the other, unless QUERN_FULL: a kernel takes PoCL a second or more. */
const half = (turn: 0 | 1): readonly Case[] => { const all = corpusCases(t); return spread(all, Math.ceil(all.length / 2), turn); };

describe.skipIf(!OPENCL)(OPENCL ? 'OpenCL gives the bits of the interpreter' : 'there is no OpenCL here: no text for it was run', () => {
  it('for workgroups', () => { sameOnOpenCl(workgroupCases(t), t); });
  it('for the corpus of schedules', () => { sameOnOpenCl(half(0), t); });
  it('for the corpus, with scalar accesses and every access checked', () => { sameOnOpenCl(half(1), t, { bounds: true, aligned: false }); });
  it('with 64-bit indices', () => { sameOnOpenCl(workgroupCases(t), t, { indexBits: 64 }); });
  it('with a flat grid', () => { sameOnOpenCl(workgroupCases(t), t, { flatGrid: true }); });
});
