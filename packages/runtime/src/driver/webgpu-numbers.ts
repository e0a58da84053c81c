/// <reference types="@webgpu/types" />

const UNIFORM = 64, COPY_DST = 8, ALIGN = 256, BYTES = 65536;

/** The numbers of launches that are not handed over yet: they lie in one uniform buffer, which is written once for all of them. */
export interface Numbers {
  /** Is there no room for the numbers of another launch? */
  full(bytes: number): boolean;
  /** Where they will lie. */
  take(block: Uint8Array): GPUBufferBinding;
  /** Writes what was taken: before the launches that read it are handed over. */
  write(): void;
  /** Numbers in a buffer of their own, for bindings that are used again. */
  own(block: Uint8Array): GPUBufferBinding;
}

export function numbersOf(device: GPUDevice): Numbers {
  const held = new Uint8Array(BYTES);
  let buffer: GPUBuffer | undefined, used = 0;
  return {
    full: (bytes) => used + bytes > BYTES,
    take(block) {
      if (used + block.length > BYTES) return this.own(block);
      buffer ??= device.createBuffer({ size: BYTES, usage: UNIFORM | COPY_DST });
      const offset = used;
      held.set(block, offset);
      used = Math.ceil((offset + block.length) / ALIGN) * ALIGN;
      return { buffer, offset, size: block.length };
    },
    write() {
      if (used > 0) device.queue.writeBuffer(buffer!, 0, held, 0, Math.min(used, BYTES));
      used = 0;
    },
    own(block) {
      const b = device.createBuffer({ size: block.length, usage: UNIFORM, mappedAtCreation: true });
      new Uint8Array(b.getMappedRange()).set(block);
      b.unmap();
      return { buffer: b };
    },
  };
}
