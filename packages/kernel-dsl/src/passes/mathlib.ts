import type { KernelIR } from '../ir/index.ts';

export const mathlib = (k: KernelIR): KernelIR => k;
