import { specViolation } from '../../ir/index.ts';
import type { Expr, KernelIR, SourcedLine } from '../../ir/index.ts';
import type { GpuLanguage, Target } from '../../targets/index.ts';
import { EmitError } from '../error.ts';
import { kernelMeta } from '../meta.ts';
import { identifier } from '../names.ts';
import { headerComment } from '../text/index.ts';
import type { EmitGpuOptions, GpuModule, GpuPrint, GpuSite, GpuStep, GpuWorkspace } from './module.ts';
import { planOf } from './plan.ts';
import type { Plan } from './plan.ts';

/** A kernel that is being printed for a GPU, in any language. */
export interface Begun {
  readonly k: KernelIR;
  readonly target: Target;
  readonly options: Required<EmitGpuOptions>;
  readonly plan: Plan;
  /** Features of the target that the text uses. */
  readonly features: Set<string>;
  /** Values that must fit 32 bits, by their keys. */
  readonly below: Map<string, Expr>;
  /** Elements that the start of a tensor must be a multiple of, and the dimensions whose strides must be, by name. */
  readonly alignment: Map<string, { elements: number; readonly dims: Set<number>; whole?: boolean }>;
  readonly sites: GpuSite[];
}

/** Plans a kernel. @throws EmitError where it is not lowered for a GPU */
export function begin(k: KernelIR, target: Target, o: EmitGpuOptions): Begun {
  const bad = specViolation(k, 'lowered-gpu');
  if (bad) throw new EmitError(`kernel ${k.name} is not lowered for a GPU: ${bad}`, k.loc);
  return {
    k, target, options: { indexBits: o.indexBits ?? 32, aligned: o.aligned ?? true, flatGrid: o.flatGrid ?? false, bounds: o.bounds ?? false, split: o.split ?? { bytes: 0, parts: {} } }, plan: planOf(k, `${identifier(k.name)}_kernel`),
    features: new Set(), below: new Map(), alignment: new Map(), sites: [],
  };
}

/** What was printed: the parts of a text from above, and what a launcher is told beside it. */
export interface Printed {
  readonly language: GpuLanguage;
  readonly prologue: readonly string[];
  readonly helpers: readonly string[];
  readonly kernels: readonly (readonly SourcedLine[])[];
  readonly steps: readonly GpuStep[];
  readonly workspace: readonly GpuWorkspace[];
  readonly below: readonly Expr[];
  readonly prints?: readonly GpuPrint[];
}

const blank: SourcedLine = { text: '', locs: [] };
const plain = (text: string): readonly SourcedLine[] => text.split('\n').map((t) => ({ text: t, locs: [] }));

/** The module of a kernel that was printed. */
export function assemble({ k, target, options, plan, features, alignment, sites }: Begun, p: Printed): GpuModule {
  const own = k.loc ? [k.loc] : [], lines: readonly SourcedLine[] = [
    ...p.prologue.flatMap(plain), ...(p.prologue.length ? [blank] : []),
    ...p.helpers.flatMap((h) => [...plain(h), blank]),
    ...headerComment(k).map((text) => ({ text, locs: own })),
    ...p.kernels.flatMap((x, i) => (i ? [blank, ...x] : x)),
  ];
  return {
    name: k.name, language: p.language, source: lines.map((l) => `${l.text}\n`).join(''), lines, flags: target.cflags, meta: kernelMeta(k, { scratchBytes: 0, sharedBytes: 0 }), plan: p.steps, workspace: p.workspace,
    alignment: [...alignment].map(([param, a]) => ({ param, elements: a.elements, dims: [...a.dims].sort((x, y) => x - y), ...(a.whole && { whole: true }) })),
    below: p.below,
    assumptions: plan.assumptions.map((a) => ({ cond: a.cond, text: a.text, ...(a.loc && { loc: a.loc }) })),
    features: [...features].sort(), sites, ...(p.prints && { prints: p.prints }), options,
  };
}
