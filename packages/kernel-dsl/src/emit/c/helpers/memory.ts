import type { DType } from '../../../ir/index.ts';
import { cType, heldAs } from '../types.ts';
import { helper, lanewise } from './helper.ts';
import type { Helper } from './helper.ts';

/** Reads a vector (or one value out of bytes) from memory of any alignment; one instruction. */
export function loadHelper(t: DType, lanes: number): Helper {
  const name = `load_${lanes === 1 ? heldAs(t) : cType(t, lanes)}`, T = cType(t, lanes);
  return helper(name, `${T} ${name}(const void *p)`, { body: [`${T} v;`, '__builtin_memcpy(&v, p, sizeof v);', 'return v;'] });
}

/** Writes a vector to memory of any alignment; one instruction. */
export function storeHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `store_${T}`;
  return helper(name, `void ${name}(void *p, ${T} v)`, { body: '__builtin_memcpy(p, &v, sizeof v);' });
}

/** One value in every lane. */
export function splatHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `splat_${T}`;
  return helper(name, `${T} ${name}(${cType(t)} x)`, { body: `return ${lanewise(t, lanes, () => 'x')};` });
}

const at = (i: number, stride: string): string => (i === 0 ? '0' : i === 1 ? stride : `${i} * ${stride}`);

/** Reads lanes that lie `stride` elements apart. */
export function gatherHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `gather_${T}`;
  return helper(name, `${T} ${name}(const ${cType(t)} *p, int64_t stride)`, { body: `return ${lanewise(t, lanes, (i) => `p[${at(i, 'stride')}]`)};` });
}

/** Reads lanes out of bytes, `step` bytes apart. */
export function gatherBytesHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `gather_bytes_${T}`, one = loadHelper(t, 1);
  return helper(name, `${T} ${name}(const uint8_t *p, int64_t step)`, { body: `return ${lanewise(t, lanes, (i) => `${one.name}(p${i ? ` + ${at(i, 'step')}` : ''})`)};`, uses: [one] });
}

/** Writes lanes `stride` elements apart. */
export function scatterHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `scatter_${T}`;
  return helper(name, `void ${name}(${cType(t)} *p, int64_t stride, ${T} v)`, { body: Array.from({ length: lanes }, (_, i) => `p[${at(i, 'stride')}] = v[${i}];`) });
}

/** The bits of a value of one type as another type of the same size. */
export function bitsHelper(from: DType, to: DType): Helper {
  const name = `${heldAs(to)}_bits_of_${heldAs(from)}`;
  return helper(name, `${cType(to)} ${name}(${cType(from)} x)`, { body: [`${cType(to)} y;`, '__builtin_memcpy(&y, &x, sizeof y);', 'return y;'] });
}
