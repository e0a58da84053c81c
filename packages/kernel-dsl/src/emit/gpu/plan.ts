import type { Assume, Buffer, Expr, KernelIR, Let, Stmt, Var } from '../../ir/index.ts';
import { block, boundBy, constant, exprsOf, isConst, mapStmt, mul, printExpr, visitExpr, visitStmt } from '../../ir/index.ts';
import { holds, isGrid, onHost } from '../../passes/index.ts';
import type { Dim3 } from '../../targets/index.ts';
import { EmitError } from '../error.ts';
import type { GpuStep } from './module.ts';

/** A launch before it is text: the program of one grid. */
export interface PlannedLaunch {
  /** Distinct within the kernel. */
  readonly entry: string;
  readonly grid: readonly [Expr, Expr, Expr];
  readonly block: Dim3;
  /** Workgroups of a cluster, in each direction, where there are clusters. */
  readonly cluster?: Dim3;
  /** The nest of block and lane loops; plain statements for one lane. */
  readonly body: Stmt;
  /** Memory of the workgroup. */
  readonly shared: readonly Buffer[];
}

/** How a kernel runs: steps for a host, and device memory that the launches share. */
export interface Plan {
  readonly steps: readonly GpuStep<PlannedLaunch>[];
  readonly workspace: readonly { readonly buf: Buffer; readonly elements: Expr }[];
  /** Assumptions about sizes, strides and scalars. */
  readonly assumptions: readonly Assume[];
  /** What stands for variables that a host binds before it launches, for bounds: their values, and the extents of loops. */
  readonly hostLets: ReadonlyMap<number, Let>;
  readonly hostLoops: ReadonlyMap<number, Expr>;
}

/** Cuts a lowered kernel into launches; see `launches` for what it relies on. @param name the stem of the entries */
export function planOf(k: KernelIR, name: string): Plan {
  const workspace: { buf: Buffer; elements: Expr }[] = [], assumptions: Assume[] = [], known = new Set<number>(), hostLets = new Map<number, Let>(), hostLoops = new Map<number, Expr>();
  const counted: { entry: string }[] = [];
  const host = (id: number): boolean => known.has(id);

  const launch = (body: Stmt): GpuStep<PlannedLaunch> => {
    const l = { entry: '', ...shapeOf(body), body, shared: sharedIn(body) };
    counted.push(l);
    return { kind: 'launch', launch: l };
  };
  const memory = (buf: Buffer): void => {
    const elements = buf.shape.reduce<Expr>((n, e) => mul(n, e), constant(1));
    if (!isConst(elements)) throw new EmitError(`${buf.name} has a dimension that is not a constant (${printExpr(elements)})`, buf.loc);
    workspace.push({ buf, elements });
  };

  /** The steps of statements in order; what lies between grids is gathered in `run`. */
  function steps(s: Stmt): GpuStep<PlannedLaunch>[] {
    const out: GpuStep<PlannedLaunch>[] = [];
    let run: Stmt[] = [];
    const flush = (): void => {
      if (run.some((x) => x.kind !== 'alloc' && x.kind !== 'let')) out.push(launch(mapStmt(block(run), (x) => { if (x.kind !== 'alloc' || x.buf.space !== 'pack') return x; memory(x.buf); return null; }) ?? block([])));
      run = [];
    };
    const add = (x: Stmt): void => {
      if (x.kind === 'block') { x.body.forEach(add); return; }
      if (isGrid(x)) { flush(); out.push(launch(x)); return; }
      if (x.kind === 'assume') {
        if (onHost(x.cond, () => false)) assumptions.push(x); else out.push({ kind: 'check', body: [launch(x)] });
        return;
      }
      if (x.kind === 'for' && holds(x, (y) => y.kind === 'assume')) { flush(); out.push({ kind: 'check', body: [launch(x)] }); return; }
      if (x.kind === 'alloc' && x.buf.space === 'pack') { memory(x.buf); return; }
      if (x.kind === 'let' && onHost(x.value, host)) { known.add(x.v.id); hostLets.set(x.v.id, x); out.push({ kind: 'let', v: x.v, value: x.value }); return; }
      if (x.kind === 'barrier') return; // launches follow each other
      if (!holds(x, isGrid)) { run.push(x); return; }
      flush();
      switch (x.kind) {
        case 'region': out.push(...steps(x.body)); return;
        case 'if': out.push({ kind: 'if', cond: x.cond, then: steps(x.then), else: x.else ? steps(x.else) : [] }); return;
        case 'for': known.add(x.v.id); hostLoops.set(x.v.id, x.extent); out.push({ kind: 'for', v: x.v, extent: x.extent, body: steps(x.body) }); return;
        default: throw new EmitError(`workgroups inside of a ${x.kind}`, x.loc);
      }
    };
    add(s);
    flush();
    return out;
  }
  const all = steps(k.body);
  counted.forEach((l, i) => { l.entry = counted.length === 1 ? name : `${name}_${i + 1}`; });
  return { steps: all, workspace, assumptions, hostLets, hostLoops };
}

/** The name of a workspace buffer in the module: distinct, whatever the buffers are called. */
export function workspaceName({ workspace }: Plan, b: Buffer): string {
  const same = workspace.filter((w) => w.buf.name === b.name), i = same.findIndex((w) => w.buf === b);
  return i > 0 ? `${b.name}_${i + 1}` : b.name;
}

/** The entries of all launches, in order. */
export function entriesOf(steps: readonly GpuStep<PlannedLaunch>[]): readonly string[] {
  return steps.flatMap((s): readonly string[] => (s.kind === 'launch' ? [s.launch.entry] : s.kind === 'if' ? [...entriesOf(s.then), ...entriesOf(s.else)] : s.kind === 'let' ? [] : entriesOf(s.body)));
}

/** The extents of a grid and the lanes of its workgroups. */
function shapeOf(body: Stmt): Pick<PlannedLaunch, 'grid' | 'block' | 'cluster'> {
  const grid: Expr[] = [constant(1), constant(1), constant(1)], lanes = [1, 1, 1], cluster: [number, number, number] = [1, 1, 1];
  visitStmt(body, (s) => {
    if (s.kind !== 'for' || !s.loop.includes('.')) return;
    const d = 'xyz'.indexOf(s.loop.slice(-1));
    if (s.loop.startsWith('block.')) { grid[d] = s.extent; if (s.cluster && isConst(s.extent)) cluster[d] = s.extent.value; return; }
    if (!isConst(s.extent)) throw new EmitError(`the lanes of ${s.v.name} are not of constant number`, s.loc);
    lanes[d] = Math.max(lanes[d]!, s.extent.value);
  });
  return { grid: [grid[0]!, grid[1]!, grid[2]!], block: [lanes[0]!, lanes[1]!, lanes[2]!], ...(cluster.some((n) => n > 1) && { cluster }) };
}

function sharedIn(body: Stmt): readonly Buffer[] {
  const out: Buffer[] = [];
  visitStmt(body, (s) => { if (s.kind === 'alloc' && s.buf.space === 'shared') out.push(s.buf); });
  return out;
}

/** Variables that a program uses and does not bind: a host binds them. */
export function freeVars(body: Stmt): readonly Var[] {
  const bound = new Set<number>(), used = new Map<number, Var>();
  visitStmt(body, (s) => {
    const v = boundBy(s);
    if (v) bound.add(v.id);
    for (const e of exprsOf(s)) visitExpr(e, (x) => { if (x.kind === 'var') used.set(x.id, x); });
  });
  return [...used.values()].filter((v) => !bound.has(v.id));
}
