import { DslError } from '../errors/index.ts';
import type { Approximate } from '../ir/index.ts';
import type { At, State } from './state.ts';

/** Lets the machine compute functions of float32 in its own way: results are no longer those of the formulas, bit for bit. */
export function approximate(st: State, functions: readonly Approximate[], at: At): void {
  const has = st.target.gpu?.approximate ?? [];
  for (const name of functions) if (!has.includes(name)) throw new DslError('KD-S-APPROXIMATE', { name, why: has.length ? `${st.target.isa} has its own ${has.join(', ')}` : `${st.target.isa} has no functions of its own` }, at);
  st.ir = { ...st.ir, approximate: [...new Set([...(st.ir.approximate ?? []), ...functions])] };
  st.reassociates = true;
}
