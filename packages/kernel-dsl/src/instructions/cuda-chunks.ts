import type { DeviceFunction } from '../ir/index.ts';

/** A function, and the one that does the same where addresses are multiples of no more than an element, or rows end within a chunk. */
export interface ChunkFunction { readonly fn: DeviceFunction; readonly unaligned: DeviceFunction }

/** Statements that gather the first `left` elements, of so many bytes, of a chunk of 16 bytes as words of `to`, zeros after them. */
function gather(size: number, to: string): readonly string[] {
  const unit = Math.min(size, 4), type = { 1: 'u8', 2: 'u16', 4: 'u32' }[unit]!, each = 4 / unit, words = [0, 1, 2, 3];
  const element = (i: number, shift: number): string => { const x = `${Math.floor((i * unit) / size)} < left ? ${unit === 4 ? '' : '(u32)'}p[${i}]${shift ? ` << ${shift}` : ''} : 0`; return each > 1 ? `(${x})` : x; };
  return [`const ${type} *const p = (const ${type} *)from;`, ...words.map((w) => `${to}[${w}] = ${Array.from({ length: each }, (_, e) => element(w * each + e, 8 * unit * e)).join(' | ')};`)];
}

/** Copies a chunk of 16 bytes to shared memory, asynchronously where addresses allow it: its first `left` elements, and zeros. */
export function COPY_CHUNK(size: number): ChunkFunction {
  const signature = (name: string): string => `void ${name}(void *to, const void *from, int left)`;
  return {
    fn: { name: 'copy_chunk', signature: signature('copy_chunk'), body: ['asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" : : "r"((u32)__cvta_generic_to_shared(to)), "l"(from), "r"(left > 0 ? 16 : 0) : "memory");'] },
    unaligned: { name: `copy_elements_${size}`, signature: signature(`copy_elements_${size}`), body: ['u32 w[4];', ...gather(size, 'w'), '*(uint4 *)to = uint4{w[0], w[1], w[2], w[3]};'] },
  };
}

/** Fetches a chunk of 16 bytes into four registers: its first `left` elements, and zeros. */
export function FETCH_CHUNK(size: number): ChunkFunction {
  const signature = (name: string): string => `void ${name}(u32 *w, const void *from, int left)`;
  return {
    fn: { name: 'fetch_chunk', signature: signature('fetch_chunk'), body: ['const uint4 x = left > 0 ? *(const uint4 *)from : uint4{0, 0, 0, 0};', 'w[0] = x.x, w[1] = x.y, w[2] = x.z, w[3] = x.w;'] },
    unaligned: { name: `fetch_elements_${size}`, signature: signature(`fetch_elements_${size}`), body: gather(size, 'w') },
  };
}

/** Stores a chunk that was fetched. */
export const STORE_CHUNK: DeviceFunction = { name: 'store_chunk', signature: 'void store_chunk(void *to, const u32 *w)', body: ['*(uint4 *)to = uint4{w[0], w[1], w[2], w[3]};'] };

/** Closes a group of asynchronous copies, and waits for all groups but the last `n`. */
export const COPIES: { readonly commit: DeviceFunction; readonly wait: (n: number) => DeviceFunction } = {
  commit: { name: 'copies_commit', signature: 'void copies_commit()', body: ['asm volatile("cp.async.commit_group;" ::: "memory");'] },
  wait: (n) => ({ name: `copies_wait_${n}`, signature: `void copies_wait_${n}()`, body: [`asm volatile("cp.async.wait_group ${n};" ::: "memory");`] }),
};
