import { DslError } from '../../../errors/index.ts';
import type { DType, Let, Subgroup } from '../../../ir/index.ts';
import { bytesOf, isFloat, printExpr } from '../../../ir/index.ts';
import { call, castTo, heldAs, infix, PREC, primary, wrap } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import type { Helper, SubgroupDialect } from './dialect.ts';
import { exprText } from './expr.ts';
import { need } from './frame.ts';
import type { Frame } from './frame.ts';
import { helper } from './helper.ts';
import { indexText } from './index-text.ts';
import { minMaxHelper, wrapHelper } from './helpers.ts';
import { typeOf } from './types.ts';

type Shuffles = Extract<SubgroupDialect, { kind: 'shuffle' }>;
type Fold = 'add' | 'min' | 'max';

/** a op b as text. */
function combine(fn: Fold, t: DType): { readonly text: (a: string, b: string) => string; readonly uses: readonly Helper[] } {
  if (fn !== 'add') { const h = minMaxHelper(fn, t); return { text: (a, b) => `${h.name}(${a}, ${b})`, uses: [h] }; }
  if (t === 'i32') { const h = wrapHelper('add', t); return { text: (a, b) => `${h.name}(${a}, ${b})`, uses: [h] }; }
  return { text: (a, b) => (bytesOf(t) < 4 ? `(${typeOf(t)})(${a} + ${b})` : `${a} + ${b}`), uses: [] };
}

/** All values of a subgroup combined by halving, in every lane. Sums are the same from either side; minima of floats are not, where one is NaN or they are zeros. */
function foldByShuffles(fn: Fold, t: DType, width: number, d: Shuffles): Helper {
  const T = typeOf(t), name = `subgroup_${fn}_${t}_${width}`, { text, uses } = combine(fn, t), oneSided = isFloat(t) && fn !== 'add', move = d.helper(t, width, oneSided ? 'down' : 'xor'), first = d.helper(t, width, 'index');
  const body: string[] = [];
  for (let h = width / 2; h >= 1; h /= 2) body.push(`x = ${text('x', `${move.name}(x, ${h})`)};`);
  return helper(name, `${T} ${name}(${T} x)`, [...body, oneSided ? `return ${first.name}(x, 0);` : 'return x;'], [...uses, move, ...(oneSided ? [first] : [])]);
}

/** The same over values that lie in memory. */
function foldInMemory(fn: Fold | 'any' | 'all' | 'ballot', t: DType, width: number): Helper {
  const T = typeOf(t), name = `subgroup_${fn}_${t}_${width}`;
  const result = fn === 'ballot' ? 'u32' : fn === 'any' || fn === 'all' ? 'int' : T;
  return {
    name,
    render: (d) => {
      const signature = `${result} ${name}(${d.pointer('shared', T, { readonly: true })}x)`, u = fn === 'ballot' || fn === 'any' || fn === 'all' ? undefined : combine(fn, t);
      if (!u) {
        const start = fn === 'all' ? '1' : '0', step = fn === 'ballot' ? 'r |= (u32)(x[i] != 0) << i;' : fn === 'any' ? 'r |= x[i] != 0;' : 'r &= x[i] != 0;';
        return { signature, body: [`${result} r = ${start};`, `for (int i = 0; i < ${width}; i++) ${step}`, 'return r;'] };
      }
      return {
        signature, uses: u.uses,
        body: [`${T} y[${width}];`, `for (int i = 0; i < ${width}; i++) y[i] = x[i];`, `for (int h = ${width / 2}; h >= 1; h /= 2) for (int i = 0; i < h; i++) y[i] = ${u.text('y[i]', 'y[i + h]')};`, 'return y[0];'],
      };
    },
  };
}

/** The number of a lane in its workgroup, x counting fastest. */
export function laneNumber(f: Frame): Text {
  const [nx, ny, nz] = f.launch.block, { laneIndex } = f.m.dialect, as = (d: 0 | 1 | 2): Text => castTo('int', primary(laneIndex(d)));
  let n: Text | undefined;
  if (nz > 1) n = as(2);
  if (ny > 1 || n) n = n ? infix('+', infix('*', n, primary(String(ny))), as(1)) : as(1);
  return n ? infix('+', infix('*', n, primary(String(nx))), as(0)) : as(0);
}

/**
 * What a lane gets from its subgroup: the lines to print first, the value, and the lines after it.
 * @param diverged is some branch or loop around it not taken alike by all lanes of the workgroup?
 */
export function subgroupText(f: Frame, s: Let & { readonly value: Subgroup }, diverged: boolean): { readonly before: readonly string[]; readonly value: Text; readonly after: readonly string[] } {
  const e = s.value, width = f.m.k.subgroup ?? 32, { dialect } = f.m, sub = dialect.subgroup(f.m.target), t = e.x.dtype;
  const x = exprText(f, e.x), lane = e.lane && indexText(f, e.lane, exprText), at = lane && (lane.bits === 32 ? lane.text : castTo('int', lane.text));
  f.m.features.add('subgroups');
  if (sub.kind === 'shuffle') {
    const one = (how: 'index' | 'xor'): Text => call(need(f, sub.helper(t, width, how)), x, at!);
    switch (e.fn) {
      case 'shuffle': case 'broadcast': return { before: [], value: one('index'), after: [] };
      case 'shuffleXor': return { before: [], value: one('xor'), after: [] };
      case 'ballot': return { before: [], value: call(need(f, sub.ballot(width)), x), after: [] };
      case 'any': return { before: [], value: infix('!=', call(need(f, sub.ballot(width)), x), primary('0')), after: [] };
      case 'all': return { before: [], value: infix('==', call(need(f, sub.ballot(width)), x), primary(`0x${(2 ** width - 1).toString(16)}u`)), after: [] };
      default: return { before: [], value: call(need(f, foldByShuffles(e.fn, t, width, sub)), x), after: [] };
    }
  }
  const lanes = f.launch.block[0] * f.launch.block[1] * f.launch.block[2];
  requireAlike(f, diverged, lanes, width, printExpr(e), s);
  f.m.features.delete('subgroups');
  const held = heldAs(t), given = exchangeArray(f, held, lanes), id = laneNumber(f), { barrier } = dialect;
  const before = [`${given}[${id.t}] = ${x.t};`, barrier], base = lanes === width ? undefined : infix('&', id, primary(`~${width - 1}`));
  const place = (n: Text): string => `${given}[${(base ? infix('+', { t: `(${base.t})`, p: PREC.primary }, n) : n).t}]`;
  switch (e.fn) {
    case 'shuffle': case 'broadcast': return { before, value: primary(place(at!)), after: [barrier] };
    case 'shuffleXor': return { before, value: primary(`${given}[${wrap(infix('^', id, at!), 0)}]`), after: [barrier] };
    default: return { before, value: call(need(f, foldInMemory(e.fn, t, width)), primary(base ? `&${given}[${base.t}]` : given)), after: [barrier] };
  }
}

/** By way of a workgroup's barrier, all its lanes must come by: those of one subgroup do. */
export function requireAlike(f: Frame, diverged: boolean, lanes: number, width: number, what: string, at: Let | { readonly loc?: Let['loc']; readonly step?: string | undefined }): void {
  if (diverged && lanes > width) throw new DslError('KD-L-LACKS', { isa: f.m.target.isa, what: 'subgroups of its own', where: `${what} is reached by some subgroups of a workgroup and not by others`, fix: 'move it out of the branch or loop, or run the kernel on a target with subgroups' }, { loc: at.loc, step: at.step });
}

/** Shared memory of a value a lane, one for each type in a launch. */
function exchangeArray(f: Frame, t: DType, n: number): string {
  const known = f.exchanges.get(typeOf(t));
  if (known) return known.name;
  const name = `exchange_${t}`; // kept free: see kernel.ts
  f.exchanges.set(typeOf(t), { name, n, bytes: n * bytesOf(t) });
  return name;
}
