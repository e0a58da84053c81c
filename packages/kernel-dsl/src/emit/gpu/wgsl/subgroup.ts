import type { DType, Let, Stmt, Subgroup } from '../../../ir/index.ts';
import { DTYPES, bytesOf, printExpr } from '../../../ir/index.ts';
import { infix, PREC, primary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { indexText } from './address.ts';
import { exprText } from './expr.ts';
import { call, lacks, need } from './frame.ts';
import type { Frame, Helper } from './frame.ts';
import { helper, minMaxHelper } from './helpers.ts';
import { typeOf } from './types.ts';

type Fold = 'add' | 'min' | 'max' | 'any' | 'all' | 'ballot';

/** The values of a subgroup combined by halving, from the first of them on. */
function foldHelper(fn: Fold, t: DType, width: number, array: string): Helper {
  const T = typeOf(t), name = `subgroup_${fn}_in_${array}_${t}`, mm = (fn === 'min' || fn === 'max') && t === 'f32' ? [minMaxHelper(fn)] : [];
  if (fn === 'any' || fn === 'all') return helper(name, '(base: i32) -> bool', [`var r = ${fn === 'all'};`, `for (var i = 0; i < ${width}; i++) { r = r ${fn === 'all' ? '&&' : '||'} ${array}[base + i]; }`, 'return r;']);
  if (fn === 'ballot') return helper(name, '(base: i32) -> u32', ['var r = 0u;', `for (var i = 0; i < ${width}; i++) { r = r | select(0u, 1u << u32(i), ${array}[base + i]); }`, 'return r;']);
  const sum = `y[i] + y[i + h]`, bits = 8 * bytesOf(t);
  const both = fn === 'add' ? (bytesOf(t) >= 4 ? sum : DTYPES[t].kind === 'int' ? `extractBits(${sum}, 0u, ${bits}u)` : `(${sum}) & ${bits === 8 ? '0xffu' : '0xffffu'}`) : `${mm[0]?.name ?? fn}(y[i], y[i + h])`;
  return helper(name, `(base: i32) -> ${T}`, [
    `var y: array<${T}, ${width}>;`, `for (var i = 0; i < ${width}; i++) { y[i] = ${array}[base + i]; }`, `for (var h = ${width / 2}; h >= 1; h = h / 2) {`, `  for (var i = 0; i < h; i++) { y[i] = ${both}; }`, '}', 'return y[0];',
  ], mm);
}

/** The number of a lane in its workgroup, x counting fastest. */
function laneNumber(f: Frame): Text {
  const [nx, ny, nz] = f.launch.block, at = (d: 'x' | 'y' | 'z'): Text => { f.builtins.add('local_invocation_id'); return primary(`i32(${f.builtin.local_invocation_id}.${d})`); };
  let n: Text | undefined = nz > 1 ? at('z') : undefined;
  if (ny > 1 || n) n = n ? infix('+', infix('*', n, primary(String(ny))), at('y')) : at('y');
  return n ? infix('+', infix('*', n, primary(String(nx))), at('x')) : at('x');
}

/**
 * What a lane gets from its subgroup: the lines to print first, the value, and the lines after it. Values go through workgroup memory: WGSL does not promise
 * which lanes of a workgroup are a subgroup, nor how many.
 * @param diverged is some branch or loop around it not taken alike by all lanes of the workgroup?
 */
export function subgroupText(f: Frame, s: Let & { readonly value: Subgroup }, diverged: boolean): { readonly before: readonly string[]; readonly value: Text; readonly after: readonly string[] } {
  const e = s.value, width = f.m.k.subgroup ?? 32, t = e.x.dtype, lanes = f.launch.block.reduce((a, b) => a * b, 1);
  requireAlike(f, diverged, lanes, printExpr(e), s);
  const given = exchangeArray(f, typeOf(t), lanes), id = laneNumber(f), barrier = 'workgroupBarrier();', at = e.lane && indexText(f, e.lane, exprText);
  const before = [`${given}[${id.t}] = ${exprText(f, e.x).t};`, barrier], base = lanes === width ? undefined : infix('&', id, primary(`~${width - 1}`));
  switch (e.fn) {
    case 'shuffle': case 'broadcast': return { before, value: primary(`${given}[${(base ? infix('+', { t: `(${base.t})`, p: PREC.primary }, at!) : at!).t}]`), after: [barrier] };
    case 'shuffleXor': return { before, value: primary(`${given}[${infix('^', id, at!).t}]`), after: [barrier] };
    default: return { before, value: call(need(f.m, foldHelper(e.fn, t, width, given)), base ?? primary('0')), after: [barrier] };
  }
}

/** All lanes of a workgroup must come by a barrier, and WGSL wants that to be plain from the text. */
export function requireAlike(f: Frame, diverged: boolean, lanes: number, what: string, at: Pick<Stmt, 'loc' | 'step'>): void {
  if (diverged && lanes > 1) lacks(f, 'subgroups of its own', `${what} is reached by some subgroups of a workgroup and not by others`, 'move it out of the branch or loop, or run the kernel on a target with subgroups', at);
}

/** Workgroup memory of a value a lane, one for each type in a launch. */
function exchangeArray(f: Frame, T: string, n: number): string {
  const known = f.exchanges.get(T);
  if (known) return known.name;
  const name = f.m.names.take(`exchange_${f.launch.entry}_${T}`);
  f.exchanges.set(T, { name, n });
  return name;
}
