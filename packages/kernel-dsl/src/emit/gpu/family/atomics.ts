import type { AtomicFn, DType } from '../../../ir/index.ts';
import { bytesOf, isFloat } from '../../../ir/index.ts';
import { heldAs } from '../../text/index.ts';
import type { Helper, Memory } from './dialect.ts';
import { bitsHelper, minMaxHelper, wrapHelper } from './helpers.ts';
import { typeOf, unsignedOf } from './types.ts';

/** What a cell becomes. */
function combined(fn: AtomicFn, t: DType): { readonly text: string; readonly uses: readonly Helper[] } {
  if (fn === 'exchange') return { text: 'x', uses: [] };
  if (fn === 'min' || fn === 'max') { const h = minMaxHelper(fn, t); return { text: `${h.name}(old, x)`, uses: [h] }; }
  if (fn === 'add' && t === 'i32') { const h = wrapHelper('add', t); return { text: `${h.name}(old, x)`, uses: [h] }; }
  return { text: `(${typeOf(t)})(old ${{ add: '+', and: '&', or: '|', xor: '^' }[fn]} x)`, uses: [] };
}

/**
 * Updates a cell in one step and returns what it held: by an instruction, or by trying until nobody came between. Cells of less than 32 bits are part of
 * the word around them. No order with other memory is asked for.
 */
export function atomicHelper(fn: AtomicFn, t: DType, memory: Memory): Helper {
  const T = typeOf(t), name = `atomic_${fn}_${t}_${memory}`, bytes = bytesOf(t), word = bytes === 8 ? 64 : 32, W = `u${word}`;
  return {
    name,
    render: (d) => {
      const signature = `${T} ${name}(${d.pointer(memory, T, { readonly: false })}p, ${T} x)`, direct = d.atomic(fn, t), features = bytes === 8 ? ['atomic64'] : [];
      if (direct !== undefined) return { signature, body: [`return ${direct};`], features };
      const { text, uses } = combined(fn, t), pointer = d.pointer(memory, W, { readonly: false });
      if (bytes >= 4) {
        const held = heldAs(t), bits = word === 64 ? 'i64' : 'u32', toBits = bitsHelper(t, bits), toValue = bitsHelper(bits, t);
        const to = (v: string): string => (isFloat(held) ? `(${W})${toBits.name}(${v})` : `(${W})${v}`), from = (v: string): string => (isFloat(held) ? `${toValue.name}(${word === 64 ? `(i64)${v}` : v})` : `(${T})${v}`);
        return {
          signature, features, uses: [...uses, ...(isFloat(held) ? [toBits, toValue] : [])],
          body: [
            `${pointer}w = (${pointer.trimEnd()})p;`, `${W} seen = ${to('*p')}, before;`,
            'do {', '  before = seen;', `  const ${T} old = ${from('before')}, next = ${text};`, `  seen = ${d.compareExchange(word, 'w', 'before', to('next'))};`, '} while (seen != before);', `return ${from('seen')};`,
          ],
        };
      }
      const U = unsignedOf(t), mask = bytes === 1 ? '0xffu' : '0xffffu';
      return {
        signature, uses,
        body: [
          `${pointer}w = (${pointer.trimEnd()})((${'u64'})p & ~(u64)3);   // the word around it`, 'const u32 shift = (u32)((u64)p & 3) * 8;', 'u32 seen = *w, before;',
          'do {', '  before = seen;', `  const ${T} old = (${T})(before >> shift), next = ${text};`, `  seen = ${d.compareExchange(32, 'w', 'before', `(before & ~(${mask} << shift)) | (u32)(${U})next << shift`)};`, '} while (seen != before);',
          `return (${T})(seen >> shift);`,
        ],
      };
    },
  };
}
