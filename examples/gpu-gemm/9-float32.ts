// Rung 9: float32 on tensor cores. They read no more than 11 significant bits of a number, so each is split into tf32 and the rest of it, and three products of these are summed: of rest and
// tf32, of tf32 and rest, of both tf32. Tiles of all four come through one ring, 2/3 of what three products apart would bring. What tensor cores add up they round toward zero; so
// a block of 32 of k is theirs, and its sum joins one of float32 by an ordinary addition: errors are smaller than those of float32 summed in order (docs/gpu.md has both). It costs
// memory: as much again as both factors, and B once more, in rows along k.
// `tf32x3` is the algorithm and `hopperTf32x3` its schedule, of rung 6's verbs and `distribute`.
import { hopperTf32x3, tf32x3 } from '@quern/kernel-dsl/gpu';
import type { Tf32x3Axes } from '@quern/kernel-dsl/gpu';
import type { InterpretArg, Schedule } from '@quern/kernel-dsl';
import { sample as factors } from './product.ts';

/** Only this target has the instructions. */
export const isa = 'cuda-sm90a';

export const algorithm = tf32x3();

export const gpu = (s: Schedule, ax: Tf32x3Axes): void => { hopperTf32x3(s, ax, { tile: [128, 128], stages: 3, persistent: { workgroups: 132, group: 8 } }); };

export const sample = (): Record<string, InterpretArg> => {
  const memory = (m: number, k: number): InterpretArg => ({ data: new Float32Array(m * k), shape: [m, k] });
  return { ...factors(), A_rest: memory(37, 29), B_rest: memory(45, 29), B_rows: memory(45, 29) };
};
