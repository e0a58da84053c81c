import type { DeviceFunction } from '../ir/index.ts';

const copy = (size: 4 | 8 | 16, to: string, from: string): string =>
  `asm volatile("cp.async.${size === 16 ? 'cg' : 'ca'}.shared.global [%0], [%1], ${size}, %2;" : : "r"((u32)__cvta_generic_to_shared(${to})), "l"(${from}), "r"(bytes) : "memory");`;
const signature = (name: string): string => `void ${name}(void *to, const void *from, int bytes)`;

/** Copies so many bytes, or zeros where `bytes` is 0, to shared memory while the lane goes on. `parts`: of 16, the same in parts of 4, for addresses that are multiples of no more. */
export const COPY_ASYNC = (size: 4 | 8 | 16): DeviceFunction => ({ name: `copy_async_${size}`, signature: signature(`copy_async_${size}`), body: [copy(size, 'to', 'from')] });
export const COPY_ASYNC_PARTS: DeviceFunction = {
  name: 'copy_async_4x4', signature: signature('copy_async_4x4'),
  body: ['bytes = bytes ? 4 : 0;', '#pragma unroll', `for (int i = 0; i < 4; i++) ${copy(4, '(u32 *)to + i', '(const u32 *)from + i')}`],
};
