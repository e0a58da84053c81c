import { describe, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { target } from '../../src/targets/index.ts';
import type { Case } from '../emit/harness.ts';
import { corpusCases, workgroupCases } from './cases.ts';
import { sameOnOpenCl } from './harness.ts';

const t = target('opencl');
/** Of the corpus of schedules, which runs in full as it stands, half in this variant unless QUERN_FULL. */
const half = (): readonly Case[] => { const all = corpusCases(t); return spread(all, Math.ceil(all.length / 2), 1); };

describe('OpenCL gives the bits of the interpreter', () => {
  it('for workgroups', () => { sameOnOpenCl(workgroupCases(t), t); });
  it('for the corpus of schedules', () => { sameOnOpenCl(corpusCases(t), t); });
  it('for the corpus, with scalar accesses and every access checked', () => { sameOnOpenCl(half(), t, { bounds: true, aligned: false }); });
  it('with 64-bit indices', () => { sameOnOpenCl(workgroupCases(t), t, { indexBits: 64 }); });
  it('with a flat grid', () => { sameOnOpenCl(workgroupCases(t), t, { flatGrid: true }); });
});
