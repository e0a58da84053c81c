import type { KernelIR, SourcedLine } from '../../../ir/index.ts';
import { DslError } from '../../../errors/index.ts';
import type { Target } from '../../../targets/index.ts';
import { Namer } from '../../names.ts';
import { assemble, begin } from '../assemble.ts';
import type { EmitGpuOptions, GpuModule, GpuStep } from '../module.ts';
import { entriesOf, workspaceName } from '../plan.ts';
import type { PlannedLaunch } from '../plan.ts';
import type { ModuleState } from './frame.ts';
import { printLaunch, workspaceDtype } from './launch.ts';
import { cellLaunches } from './marks.ts';
import type { Marks } from './marks.ts';
import { RESERVED } from './types.ts';

/** What stands above a module that uses a feature. */
const DIRECTIVES: Readonly<Record<string, string>> = { f16: 'enable f16;', dot4: 'requires packed_4x8_integer_dot_product;' };

/**
 * Prints a lowered kernel in WGSL. Tensors are bindings 0, 1, … of group 0 in the order of a launch's arguments; its numbers are one uniform block behind them,
 * 32 bits each, in the same order.
 * @throws DslError KD-L-LACKS what needs 64-bit numbers, or barriers that some lanes do not reach; KD-L-SHARED
 */
export function emitWgsl(k: KernelIR, target: Target, o: EmitGpuOptions = {}): GpuModule {
  if (o.indexBits === 64) throw new DslError('KD-L-LACKS', { isa: target.isa, what: '64-bit integers', where: 'indices of 64 bits', fix: 'pass parts of the tensors' }, { loc: k.loc });
  const m: ModuleState = { ...begin(k, target, o), names: new Namer(RESERVED), helpers: new Map(), prints: [] }, { plan } = m;
  for (const entry of entriesOf(plan.steps)) m.names.take(entry);
  const kernels: (readonly SourcedLine[])[] = [], marks = new Map<number, Marks>(), cells = new Map<number, ReturnType<typeof cellLaunches>>();
  const print = (steps: readonly GpuStep<PlannedLaunch>[]): GpuStep[] => steps.flatMap((s): GpuStep[] => {
    switch (s.kind) {
      case 'launch': {
        const p = printLaunch(m, s.launch, marks);
        kernels.push(p.lines);
        const around = p.marks.map((x) => {
          const own = cells.get(x.buf.id) ?? cellLaunches(m, x);
          if (!cells.has(x.buf.id)) kernels.push(own.clear.lines, own.pack.lines);
          cells.set(x.buf.id, own);
          return own;
        });
        return [...around.map((x) => x.clear.step), { kind: 'launch', launch: p.launch }, ...around.map((x) => x.pack.step)];
      }
      case 'if': return [{ ...s, then: print(s.then), else: print(s.else) }];
      case 'for': case 'check': return [{ ...s, body: print(s.body) }];
      case 'let': return [s];
    }
  });
  const printed = print(plan.steps);
  return assemble(m, {
    language: 'wgsl', prologue: [...m.features].sort().flatMap((x) => DIRECTIVES[x] ?? []), helpers: [...m.helpers.keys()].sort().map((name) => m.helpers.get(name)!.text), kernels,
    steps: [...[...marks.values()].flatMap((x) => x.steps), ...printed],
    workspace: [...plan.workspace.map(({ buf, elements }) => ({ name: workspaceName(plan, buf), dtype: workspaceDtype(buf), elements })), ...[...marks.values()].map((x) => x.workspace)],
    below: [...m.below.values()], prints: m.prints,
  });
}
