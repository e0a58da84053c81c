import type { KernelIR, SourcedLine } from '../../../ir/index.ts';
import { specViolation } from '../../../ir/index.ts';
import type { Target } from '../../../targets/index.ts';
import { EmitError } from '../../error.ts';
import { kernelMeta } from '../../meta.ts';
import { identifier } from '../../names.ts';
import { headerComment } from '../../text/index.ts';
import type { EmitGpuOptions, GpuLaunch, GpuModule, GpuStep } from '../module.ts';
import { entriesOf, planOf, workspaceName } from '../plan.ts';
import type { PlannedLaunch } from '../plan.ts';
import type { Dialect } from './dialect.ts';
import type { ModuleState } from './frame.ts';
import { ordered } from './helper.ts';
import { strongest } from './interval.ts';
import { printLaunch } from './kernel.ts';

const blank: SourcedLine = { text: '', locs: [] };
const plain = (text: string): readonly SourcedLine[] => text.split('\n').map((t) => ({ text: t, locs: [] }));

/** Prints a lowered kernel in CUDA C++ or OpenCL C. */
export function emitFamily(k: KernelIR, target: Target, dialect: Dialect, o: EmitGpuOptions = {}): GpuModule {
  const bad = specViolation(k, 'lowered-gpu');
  if (bad) throw new EmitError(`kernel ${k.name} is not lowered for a GPU: ${bad}`, k.loc);
  const plan = planOf(k, `${identifier(k.name)}_kernel`), options: Required<EmitGpuOptions> = { indexBits: o.indexBits ?? 32, aligned: o.aligned ?? true, flatGrid: o.flatGrid ?? false, bounds: o.bounds ?? false };
  const m: ModuleState = { k, target, dialect, options, plan, helpers: new Map(), features: new Set(), below: new Map(), alignment: new Map(), sites: [] };
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
  const steps = print(plan.steps), own = k.loc ? [k.loc] : [], helpers = ordered(m.helpers).map((h) => h.text.trimEnd());
  const body = [...helpers, ...kernels.flat().map((l) => l.text)].join('\n');
  const vectors = [...new Set(body.match(/\b(?:f64|f32|i64|i32|u32|i16|u16|i8|u8)x(?:2|4|8|16)\b/g) ?? [])].flatMap((v) => dialect.defineVector?.(v) ?? []);
  const prologue = [...dialect.prologue(`${vectors.join('\n')}\n${body}`, m.features), ...vectors];
  const lines: SourcedLine[] = [
    ...prologue.flatMap(plain), ...(prologue.length ? [blank] : []),
    ...helpers.flatMap((h) => [...plain(h), blank]),
    ...headerComment(k).map((text) => ({ text, locs: own })),
    ...kernels.flatMap((x, i) => (i ? [blank, ...x] : x)),
  ];
  return {
    name: k.name, language: dialect.language, source: lines.map((l) => `${l.text}\n`).join(''), lines, flags: target.cflags, meta: kernelMeta(k, { scratchBytes: 0, sharedBytes: 0 }), plan: steps,
    workspace: plan.workspace.map(({ buf, elements }) => ({ name: workspaceName(plan, buf), dtype: buf.dtype, elements })),
    alignment: [...m.alignment].map(([param, a]) => ({ param, elements: a.elements, dims: [...a.dims].sort((x, y) => x - y) })),
    below: strongest([...m.below.values()]),
    assumptions: plan.assumptions.map((a) => ({ cond: a.cond, text: a.text, ...(a.loc && { loc: a.loc }) })),
    features: [...m.features].sort(), sites: m.sites, options,
  };
}
