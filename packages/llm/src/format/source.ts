import { GgufError } from './error.ts';

/**
 * Random access to the bytes of a model: an array, an open file, a memory map, a download.
 * `size` is in bytes and may exceed 4 GiB. `read` returns exactly `length` bytes, a view or a copy, for any range inside
 * `size`; its caller checks the range.
 */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes from the byte `offset` on: a view or a copy. */
  read(offset: number, length: number): Uint8Array;
}

/** A source that holds something open. Reading after `close` fails. */
export interface ClosableByteSource extends ByteSource {
  /** Closes what the source opened itself. */
  close(): void;
}

/** A source over bytes in memory. Reads are views, not copies. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  // A Buffer would hand out Buffers, whose slice() does not copy.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return { size: plain.length, read: (offset, length) => plain.subarray(offset, offset + length) };
}

/**
 * A source over a file, read with synchronous positioned reads. Node only.
 * @param file a path, or an open file descriptor, which `close` then leaves open
 * @throws GgufError `read-failed`, naming the system's reason
 */
export function fileSource(file: string | number): ClosableByteSource {
  // Asked for at the call, so that this module loads where there are no files.
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  if (!fs) throw new GgufError('read-failed', 'there is no file system here', 'read the bytes and pass them to bytesSource');
  const attempt = <T>(what: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new GgufError('read-failed', `cannot ${what} ${typeof file === 'string' ? `'${file}'` : 'the file'}: ${reason}`, 'check the path and its permissions');
    }
  };
  const fd = typeof file === 'number' ? file : attempt('open', () => fs.openSync(file, 'r'));
  const { size } = attempt('inspect', () => fs.fstatSync(fd));
  return {
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const got = attempt('read', () => fs.readSync(fd, bytes, done, length - done, offset + done));
        if (got === 0) throw new GgufError('truncated', 'the file became shorter while it was read', 'wait until the file is complete, then open it again', offset + done);
        done += got;
      }
      return bytes;
    },
    close() {
      if (typeof file === 'string') attempt('close', () => fs.closeSync(fd));
    },
  };
}
