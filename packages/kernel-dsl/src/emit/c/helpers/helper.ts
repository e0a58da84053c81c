import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import type { Target } from '../../../targets/index.ts';
import { cType } from '../types.ts';

/** A small C function that kernels call. Two helpers with one name are the same. */
export interface Helper {
  readonly name: string;
  /** The definition for a target, and the helpers that it calls. */
  readonly render: (t: Target) => { readonly text: string; readonly uses: readonly Helper[]; readonly includes?: readonly string[] };
}

/** A helper as it stands in a file of one target. */
export interface RenderedHelper {
  readonly name: string;
  readonly text: string;
  /** Names of the helpers that it calls. */
  readonly uses: readonly string[];
  /** System headers that it needs besides those that its text tells of. */
  readonly includes?: readonly string[];
}

/** One way to write a helper: the macros that must be defined (or a condition as text), and the lines of the body. */
export interface Variant {
  readonly when: readonly string[] | string;
  readonly body: string | readonly string[];
  readonly uses?: readonly Helper[];
}

/** What a helper consists of. `only`: the macro without which it does not exist. */
interface Parts {
  readonly variants?: readonly (Variant | undefined)[];
  readonly body: string | readonly string[];
  readonly uses?: readonly Helper[];
  readonly only?: string;
}

/** Macros that compilers define for each feature of an x86 target. */
const FEATURE_MACROS: Readonly<Record<string, readonly string[]>> = {
  sse2: [], ssse3: ['SSE3', 'SSSE3'], sse4_1: ['SSE4_1'], sse4_2: ['SSE4_2'], popcnt: ['POPCNT'], avx2: ['SSE3', 'SSSE3', 'SSE4_1', 'SSE4_2', 'AVX', 'AVX2'], fma: ['FMA'], f16c: ['F16C'], bmi1: ['BMI'], bmi2: ['BMI2'],
  avx512f: ['AVX512F'], avx512bw: ['AVX512BW'], avx512dq: ['AVX512DQ'], avx512vl: ['AVX512VL'], avx512cd: ['AVX512CD'], avx512_vnni: ['AVX512VNNI'],
  avx512_bf16: ['AVX512BF16'], amx_tile: ['AMX_TILE'], amx_bf16: ['AMX_BF16'], amx_int8: ['AMX_INT8'],
};

/** Which macros are defined when a target's file is compiled; undefined for targets that leave it open. */
function macrosOf(t: Target): ReadonlySet<string> | undefined {
  return t.isa.startsWith('x86-64') ? new Set(['x86_64', 'SSE2', ...t.features.flatMap((f) => FEATURE_MACROS[f] ?? [])]) : undefined;
}

const lines = (b: string | readonly string[]): string => (typeof b === 'string' ? [b] : b).map((l) => `  ${l}\n`).join('');
const condition = (when: Variant['when']): string => (typeof when === 'string' ? when : when.map((m) => `defined(__${m}__)`).join(' && '));

/**
 * A helper from its signature, the variants for machines that have an instruction for it, and the body for all others.
 * What the target decides is decided here, so that the text holds no dead branch.
 */
export function helper(name: string, signature: string, parts: Parts): Helper {
  return {
    name,
    render: (t) => {
      const macros = macrosOf(t), open: Variant[] = [];
      let last: Variant = { when: '', body: parts.body, uses: parts.uses ?? [] };
      for (const v of parts.variants ?? []) {
        if (!v) continue;
        if (typeof v.when === 'string' || !macros) { open.push(v); continue; }
        if (!v.when.every((m) => macros.has(m))) continue;
        last = v;
        break;
      }
      const body = open.length === 0 ? lines(last.body)
        : `${open.map((v, i) => `#${i ? 'elif' : 'if'} ${condition(v.when)}\n${lines(v.body)}`).join('')}#else\n${lines(last.body)}#endif\n`;
      const text = `QUERN_INLINE ${signature} {\n${body}}\n`;
      return { text: parts.only && !macros ? `#if ${condition([parts.only])}\n${text}#endif\n` : text, uses: [...open, last].flatMap((v) => v.uses ?? []) };
    },
  };
}

/** 128, 256 or 512 when a vector fills an x86 register exactly. */
export function x86Bits(t: DType, lanes: number): 128 | 256 | 512 | undefined {
  const bits = bytesOf(t) * lanes * 8;
  return bits === 128 || bits === 256 || bits === 512 ? bits : undefined;
}
/** Prefix of Intel's intrinsics for a width: `_mm`, `_mm256`, `_mm512`. */
export const mm = (bits: number): string => (bits === 128 ? '_mm' : `_mm${bits}`);
/** Intel's register type, e.g. `__m256i`. */
export const mmType = (t: DType, bits: number): string => `__m${bits}${t === 'f32' ? '' : t === 'f64' ? 'd' : 'i'}`;
/** Macros that must all be defined, without their underscores. */
export const has = (...macros: readonly string[]): readonly string[] => macros;
/** The macro that tells of float arithmetic in registers of this width. */
export const floatMacro = (bits: number): string => (bits === 512 ? 'AVX512F' : bits === 256 ? 'AVX' : 'SSE2');

/** `(f32x4){f(0), f(1), f(2), f(3)}`. */
export const lanewise = (t: DType, lanes: number, f: (i: number) => string): string =>
  `(${cType(t, lanes)}){${Array.from({ length: lanes }, (_, i) => f(i)).join(', ')}}`;
