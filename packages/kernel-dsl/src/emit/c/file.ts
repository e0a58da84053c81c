import type { KernelIR } from '../../ir/index.ts';
import type { Target } from '../../targets/index.ts';
import { ABI } from './abi.ts';
import type { RenderedHelper } from './helpers/index.ts';
import type { EmittedKernel } from './kernel.ts';
import { emitKernelC } from './kernel.ts';
import { vectorTypedef, vectorTypesIn } from './types.ts';
import { x86Text } from './x86.ts';

/** How a C file is put together. */
export interface FileOptions {
  /** Carry a copy of the ABI instead of including quern.h, so that the file compiles alone. */
  readonly standalone?: boolean;
}

/** Helpers of several kernels, each once, after those it calls; the order does not depend on the order of the kernels. */
function sortedHelpers(all: readonly RenderedHelper[]): RenderedHelper[] {
  const byName = new Map(all.map((h) => [h.name, h])), out = new Set<RenderedHelper>();
  const visit = (name: string): void => {
    const h = byName.get(name);
    if (!h || out.has(h)) return;
    h.uses.forEach(visit);
    out.add(h);
  };
  [...byName.keys()].sort().forEach(visit);
  return [...out];
}

const byWidth = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** One C file from kernels that are already printed. */
export function assembleFileC(kernels: readonly EmittedKernel[], target: Target, o: FileOptions = {}): string {
  const helpers = sortedHelpers(kernels.flatMap((k) => k.helpers));
  const code = [...helpers.map((h) => h.text), ...kernels.map((k) => k.source)].join('\n');
  const types = vectorTypesIn(code).sort(byWidth);
  const includes = ['#include <stdint.h>'];
  if (/\b(INFINITY|NAN)\b|\b(exp2?|log2?|sin|cos|tanh|erf)\(/.test(code)) includes.push('#include <math.h>');
  if (/\bfprintf\(/.test(code)) includes.push('#include <stdio.h>');
  const asked = [...new Set(helpers.flatMap((h) => h.includes ?? []))].sort();
  const conditional = [
    ...asked.map((h) => `#include <${h}>`),
    ...(asked.includes('immintrin.h') ? [] : x86Text(code, target.isa.startsWith('x86-64'))),
    ...(!asked.includes('arm_neon.h') && /\bdefined\(__aarch64__\)\n.*\bv\w+\(/.test(code) ? ['#if defined(__aarch64__)\n#include <arm_neon.h>\n#endif'] : []),
  ];
  const parts = [
    `// Made by Quern for ${target.isa}; do not edit. Compile with:\n//   ${target.cflags.join(' ')}`,
    [...includes, ...conditional, ...(o.standalone ? [] : ['#include "quern.h"'])].join('\n'),
    ...(o.standalone ? [ABI.trimEnd()] : []),
    ...(helpers.length ? ['#define QUERN_INLINE static inline __attribute__((always_inline, unused))'] : []),
    ...(types.length ? [types.map(vectorTypedef).join('\n')] : []),
    ...helpers.map((h) => h.text.trimEnd()),
    ...kernels.map((k) => k.source.trimEnd()),
  ];
  return `${parts.join('\n\n')}\n`;
}

/**
 * A whole C file: what it includes, the vector types and helpers that are really used, then the kernels, all for one target.
 * @param kernels lowered kernels
 * @example emitFileC([lower(gemm.ir, t)], t, { standalone: true })
 */
export function emitFileC(kernels: readonly KernelIR[], target: Target, o: FileOptions = {}): string {
  return assembleFileC(kernels.map((k) => emitKernelC(k, target)), target, o);
}
