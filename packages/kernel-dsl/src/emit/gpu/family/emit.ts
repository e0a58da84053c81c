import type { KernelIR, SourcedLine } from '../../../ir/index.ts';
import type { Target } from '../../../targets/index.ts';
import { assemble, begin } from '../assemble.ts';
import type { EmitGpuOptions, GpuLaunch, GpuModule, GpuStep } from '../module.ts';
import { entriesOf, workspaceName } from '../plan.ts';
import type { PlannedLaunch } from '../plan.ts';
import type { Dialect } from './dialect.ts';
import type { ModuleState } from './frame.ts';
import { ordered } from './helper.ts';
import { strongest } from './interval.ts';
import { printLaunch } from './kernel.ts';

/** Prints a lowered kernel in CUDA C++ or OpenCL C. */
export function emitFamily(k: KernelIR, target: Target, dialect: Dialect, o: EmitGpuOptions = {}): GpuModule {
  const m: ModuleState = { ...begin(k, target, o), dialect, helpers: new Map() }, { plan } = m;
  const entries = entriesOf(plan.steps);
  const kernels: (readonly SourcedLine[])[] = [];
  const print = (steps: readonly GpuStep<PlannedLaunch>[]): GpuStep[] => steps.map((s): GpuStep => {
    switch (s.kind) {
      case 'launch': { const p = printLaunch(m, s.launch, entries); kernels.push(p.lines); return { kind: 'launch', launch: p.launch satisfies GpuLaunch }; }
      case 'if': return { ...s, then: print(s.then), else: print(s.else) };
      case 'for': case 'check': return { ...s, body: print(s.body) };
      case 'let': return s;
    }
  });
  const steps = print(plan.steps), helpers = ordered(m.helpers).map((h) => h.text.trimEnd());
  const body = [...helpers, ...kernels.flat().map((l) => l.text)].join('\n');
  const vectors = [...new Set(body.match(/\b(?:f64|f32|i64|i32|u32|i16|u16|i8|u8)x(?:2|4|8|16)\b/g) ?? [])].flatMap((v) => dialect.defineVector?.(v) ?? []);
  return assemble(m, {
    language: dialect.language, prologue: [...dialect.prologue(`${vectors.join('\n')}\n${body}`, m.features), ...vectors], helpers, kernels, steps,
    workspace: plan.workspace.map(({ buf, elements }) => ({ name: workspaceName(plan, buf), dtype: buf.dtype, elements })), below: strongest([...m.below.values()]),
  });
}
