import type { GpuLaunch, GpuModule, GpuStep, HostValues } from '@quern/kernel-dsl/gpu';
import { LaunchError } from '../errors/index.ts';
import type { GpuDriver } from '../driver/index.ts';
import type { Operand } from '../kernel/index.ts';
import type { Evaluate } from './variants.ts';

/** One step of a call, all of it known: a launch with its grid, or the point where faults are looked at. */
export type Resolved =
  | { readonly kind: 'launch'; readonly launch: GpuLaunch; readonly grid: readonly [number, number, number]; readonly vars: ReadonlyMap<number, number> }
  | { readonly kind: 'look' };

/** Workgroups along x alone; in WGSL, whose directions are short, along y too. Its texts count them so and leave those beyond the last alone. */
const flat = (n: number, m: GpuModule): readonly [number, number, number] => { const x = m.language === 'wgsl' ? Math.min(n, 65535) : n; return [x, Math.ceil(n / x), 1]; };

/** Walks a plan for one call. Launches without workgroups are left out. */
export function resolvePlan(m: GpuModule, at: HostValues, evaluate: Evaluate): Resolved[] {
  const out: Resolved[] = [];
  const walk = (steps: readonly GpuStep[], vars: Map<number, number>): void => {
    for (const s of steps) {
      const value = (e: Parameters<Evaluate>[0]): number => evaluate(e, { ...at, vars });
      switch (s.kind) {
        case 'launch': {
          const grid = s.launch.grid.map(value) as [number, number, number];
          if (grid.every((n) => n > 0)) out.push({ kind: 'launch', launch: s.launch, grid: m.options.flatGrid ? flat(grid[0] * grid[1] * grid[2], m) : grid, vars: new Map(vars) });
          break;
        }
        case 'check': walk(s.body, vars); out.push({ kind: 'look' }); break;
        case 'if': walk(value(s.cond) !== 0 ? s.then : s.else, new Map(vars)); break;
        case 'let': vars.set(s.v.id, value(s.value)); break;
        case 'for': {
          const n = value(s.extent);
          for (let i = 0; i < n; i++) walk(s.body, new Map(vars).set(s.v.id, i));
          break;
        }
      }
    }
  };
  walk(m.plan, new Map(at.vars));
  return out;
}

/** Does every launch suit the grid of a device as it is? */
export const suitsGrid = (steps: readonly Resolved[], driver: GpuDriver): boolean =>
  steps.every((s) => s.kind === 'look' || s.grid.every((n, d) => n <= (driver.info.limits.grid[d] ?? 1)));

/** @throws LaunchError where a launch asks for more than a device has, with the number and a fix */
export function checkLimits(m: GpuModule, steps: readonly Resolved[], operand: (param: string) => Operand, driver: GpuDriver): void {
  const { limits, kind, index } = driver.info, where = `${kind}:${index}`;
  const refuse = (what: string, most: number, fix: string): never => { throw new LaunchError(`kernel '${m.name}': ${what}; ${where} takes ${most}`, { fix }); };
  for (const s of steps) {
    if (s.kind === 'look') continue;
    const { block, sharedBytes, dynamicSharedBytes } = s.launch, lanes = block[0] * block[1] * block[2];
    if (lanes > limits.lanes) refuse(`a workgroup has ${lanes} lanes`, limits.lanes, 'bind fewer iterations to lanes');
    block.forEach((n, d) => { if (n > limits.block[d]!) refuse(`a workgroup has ${n} lanes along ${'xyz'[d]}`, limits.block[d]!, 'bind another loop to that direction'); });
    const most = dynamicSharedBytes > 0 ? limits.dynamicSharedBytes : limits.sharedBytes;
    if (sharedBytes > most) refuse(`a workgroup uses ${sharedBytes} bytes of shared memory`, most, 'stage smaller tiles, or pipeline fewer of them');
    for (const a of s.launch.args) if (a.kind === 'buffer' && a.image !== undefined) {
      const { high, elementBytes } = operand(a.param), texels = Math.ceil(high / (4 * elementBytes));
      if (texels > (limits.texels ?? 0)) refuse(`'${a.param}' ends at texel ${texels} of an image`, limits.texels ?? 0, 'pass parts of it in memory of their own, or compile the kernel without stage(…, \'image\')');
    }
    const bindings = s.launch.args.filter((a) => a.kind === 'buffer' || a.kind === 'workspace' || a.kind === 'faults' || a.kind === 'print').length, { parts, bytes } = m.options.split, split = Object.entries(parts);
    if (bindings > (limits.bindings ?? Infinity)) refuse(`a launch takes ${bindings} bindings${split.length > 0 ? `, of ${bytes} bytes at most: ${split.map(([n, x]) => `${x} for ${n}`).join(', ')}` : ''}`, limits.bindings!, split.length > 0 ? 'pass slices of its tensors, in several calls' : 'pass fewer tensors to one kernel');
    s.grid.forEach((n, d) => { if (n > limits.grid[d]!) refuse(`a launch has ${n} workgroups along ${'xyz'[d]}`, limits.grid[d]!, 'give each workgroup more to do'); });
  }
}
