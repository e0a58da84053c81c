import { describe, it } from 'vitest';
import { target } from '../../src/targets/index.ts';
import { corpusCases, workgroupCases } from './cases.ts';
import { sameOnOpenCl } from './harness.ts';

const t = target('opencl');

describe('OpenCL gives the bits of the interpreter', () => {
  it('for workgroups', () => { sameOnOpenCl(workgroupCases(t), t); });
  it('for the corpus of schedules', () => { sameOnOpenCl(corpusCases(t), t); });
  it('for the corpus, with scalar accesses and every access checked', () => { sameOnOpenCl(corpusCases(t), t, { bounds: true, aligned: false }); });
  it('with 64-bit indices', () => { sameOnOpenCl(workgroupCases(t), t, { indexBits: 64 }); });
  it('with a flat grid', () => { sameOnOpenCl(workgroupCases(t), t, { flatGrid: true }); });
});
