import type { DeviceFunction } from '../ir/index.ts';

/** Words of a chunk. */
type Words = 1 | 2 | 4;

/** A function, and the one that does the same where addresses are multiples of no more than an element, or rows end within a chunk. */
export interface ChunkFunction { readonly fn: DeviceFunction; readonly unaligned: DeviceFunction }

/** Statements that gather the first `left` elements, of so many bytes, of a chunk of so many words as words of `to`, zeros after them. */
function gather(size: number, words: Words, to: string): readonly string[] {
  const unit = Math.min(size, 4), type = { 1: 'u8', 2: 'u16', 4: 'u32' }[unit]!, each = 4 / unit;
  const element = (i: number, shift: number): string => { const x = `${Math.floor((i * unit) / size)} < left ? ${unit === 4 ? '' : '(u32)'}p[${i}]${shift ? ` << ${shift}` : ''} : 0`; return each > 1 ? `(${x})` : x; };
  return [`const ${type} *const p = (const ${type} *)from;`, ...Array.from({ length: words }, (_, w) => `${to}[${w}] = ${Array.from({ length: each }, (_, e) => element(w * each + e, 8 * unit * e)).join(' | ')};`)];
}
/** Words as one value that is stored at once. */
const joined = (words: Words, w: string): string => (words === 1 ? `*(u32 *)to = ${w}[0];` : `*(uint${words} *)to = uint${words}{${Array.from({ length: words }, (_, i) => `${w}[${i}]`).join(', ')}};`);
const suffix = (words: Words): string => ({ 1: '_word', 2: '_pair', 4: '' }[words]);

/** Copies a chunk of 16, 8 or 4 bytes to shared memory, asynchronously where addresses allow it: its first `left` elements, and zeros. */
export function COPY_CHUNK(size: number, words: Words = 4): ChunkFunction {
  const signature = (name: string): string => `void ${name}(void *to, const void *from, int left)`, name = `copy_chunk${suffix(words)}`, open = `copy_elements_${size}${suffix(words)}`, how = words === 4 ? 'cg.shared.global.L2::128B' : 'ca.shared.global', bytes = 4 * words;
  return {
    fn: { name, signature: signature(name), body: [`asm volatile("cp.async.${how} [%0], [%1], ${bytes}, %2;" : : "r"((u32)__cvta_generic_to_shared(to)), "l"(from), "r"(left > 0 ? ${bytes} : 0) : "memory");`] },
    unaligned: { name: open, signature: signature(open), body: [`u32 w[${words}];`, ...gather(size, words, 'w'), joined(words, 'w')] },
  };
}

/** Fetches a chunk of 16 or 4 bytes into registers: its first `left` elements, and zeros. */
export function FETCH_CHUNK(size: number, words: 1 | 4 = 4): ChunkFunction {
  const signature = (name: string): string => `void ${name}(u32 *w, const void *from, int left)`, name = `fetch_chunk${suffix(words)}`, open = `fetch_elements_${size}${suffix(words)}`;
  return {
    fn: { name, signature: signature(name), body: words === 1 ? ['w[0] = left > 0 ? *(const u32 *)from : 0;'] : ['const uint4 x = left > 0 ? *(const uint4 *)from : uint4{0, 0, 0, 0};', 'w[0] = x.x, w[1] = x.y, w[2] = x.z, w[3] = x.w;'] },
    unaligned: { name: open, signature: signature(open), body: gather(size, words, 'w') },
  };
}

/** Stores a chunk that was fetched. */
export const STORE_CHUNK = (words: Words = 4): DeviceFunction => ({ name: `store_chunk${suffix(words)}`, signature: `void store_chunk${suffix(words)}(void *to, const u32 *w)`, body: [joined(words, 'w')] });

/** Groups of asynchronous copies. */
export const COPIES: {
  /** Closes a group. */
  readonly commit: DeviceFunction;
  /** Waits for all groups but the last `n`. */
  readonly wait: (n: number) => DeviceFunction;
} = {
  commit: { name: 'copies_commit', signature: 'void copies_commit()', body: ['asm volatile("cp.async.commit_group;" ::: "memory");'] },
  wait: (n) => ({ name: `copies_wait_${n}`, signature: `void copies_wait_${n}()`, body: [`asm volatile("cp.async.wait_group ${n};" ::: "memory");`] }),
};
