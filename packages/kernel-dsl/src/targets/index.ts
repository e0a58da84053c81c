/** The machines that kernels are emitted for, one file each. */
import { generic } from './generic.ts';
import type { Target } from './target.ts';
import { x86_64_v3 } from './x86-64-v3.ts';
import { x86_64_v4_vnni } from './x86-64-v4-vnni.ts';
import { x86_64_v4 } from './x86-64-v4.ts';
import { x86_64 } from './x86-64.ts';

export type { Target } from './target.ts';
export { COMMON_CFLAGS } from './target.ts';
export { generic, x86_64, x86_64_v3, x86_64_v4, x86_64_v4_vnni };

/** Every target, best first: the order in which a loader tries them. */
export const TARGETS: readonly Target[] = [x86_64_v4_vnni, x86_64_v4, x86_64_v3, x86_64, generic];

/**
 * The targets that a library for this kind of processor holds, best first: those made for it, else those that run anywhere.
 * @param arch as `process.arch` names it
 * @example targetsFor('x64').at(-1)!.isa // 'x86-64'
 */
export function targetsFor(arch: string): readonly Target[] {
  const own = TARGETS.filter((t) => t.arch === arch);
  return own.length > 0 ? own : TARGETS.filter((t) => t.arch === undefined);
}

/**
 * The target with this name.
 * @throws Error naming the targets there are.
 * @example target('x86-64-v3').vecBytes // 32
 */
export function target(isa: string): Target {
  const t = TARGETS.find((x) => x.isa === isa);
  if (!t) throw new Error(`unknown target '${isa}': use one of ${TARGETS.map((x) => x.isa).join(', ')}`);
  return t;
}
