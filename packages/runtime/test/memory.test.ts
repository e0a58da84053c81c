/** Native memory: allocation, mapped files, views and copies, and every wrong use of them. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allocate, ArgumentError, DisposedError, FileError, fromMemory, mapFile, OutOfMemoryError, residentMemory, tensor } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';
import { thrown } from './support/thrown.ts';

const dir = temporaryDir();
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};

describe('allocations', () => {
  test.each([0, 1, 100, 4 << 20, (4 << 20) + 5])('%i bytes are zero, aligned and writable to the end', (bytes) => {
    using memory = allocate(bytes);
    expect(memory.bytes).toBe(bytes);
    const view = new Uint8Array(memory.view());
    expect(view.length).toBe(bytes);
    expect(view.every((x) => x === 0)).toBe(true);
    view.fill(255);
    expect(new Uint8Array(memory.read(0, bytes)).every((x) => x === 255)).toBe(true);
  });

  test('too much is an OutOfMemoryError that tells how much', () => {
    const error = thrown(() => allocate(2 ** 52));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect((error as OutOfMemoryError).bytes).toBe(2 ** 52);
    for (const bytes of [-1, 0.5, NaN, Infinity]) expect(thrown(() => allocate(bytes))).toBeInstanceOf(ArgumentError);
  });

  test('views share, copies do not; views outlive the memory', () => {
    const memory = allocate(16);
    const view = new Uint8Array(memory.view(4, 8));
    const again = new Uint8Array(memory.view(4, 8));
    const whole = new Uint8Array(memory.view());
    const copy = new Uint8Array(memory.read(4, 8));
    view[0] = 9;
    expect([again[0], whole[4], copy[0]]).toEqual([9, 9, 0]);
    memory.write(0, Uint16Array.of(0x0201));
    expect([...whole.subarray(0, 3)]).toEqual([1, 2, 0]);
    memory.dispose();
    memory.dispose();
    expect(whole.length).toBe(0);
    expect(view[0]).toBe(9);
    for (const use of [() => memory.view(), () => memory.read(0, 1), () => memory.write(0, Uint8Array.of(1)), () => memory.handle, () => memory.advise('random')]) {
      expect(thrown(use)).toBeInstanceOf(DisposedError);
    }
  });

  test('parts outside are refused', () => {
    using memory = allocate(16);
    for (const use of [() => memory.view(0, 17), () => memory.view(17, 0), () => memory.view(-1, 1), () => memory.read(8, 9), () => memory.read(2 ** 52, 2 ** 52), () => memory.write(15, Uint16Array.of(1)), () => memory.read(NaN, 1), () => memory.view(0, 0.5)]) {
      expect(thrown(use)).toBeInstanceOf(ArgumentError);
    }
    expect(thrown(() => memory.advise('soon' as never))).toBeInstanceOf(ArgumentError);
  });

  test('a detached source is refused', () => {
    using memory = allocate(16);
    const source = new Uint8Array(4);
    structuredClone(source.buffer, { transfer: [source.buffer] });
    expect(thrown(() => memory.write(0, source)).code).toBe('QUERN_DETACHED');
  });
});

describe('mapped files', () => {
  test('the bytes are the file\'s, and writing to a view changes neither the file nor another mapping', () => {
    const path = file('data', Uint8Array.from({ length: 10_000 }, (_, i) => i % 251));
    using memory = mapFile(path);
    using other = mapFile(path);
    expect(memory.bytes).toBe(10_000);
    expect(memory.readonly).toBe(true);
    expect(Buffer.from(memory.read(0, 10_000))).toEqual(readFileSync(path));
    memory.advise('willneed');
    memory.advise('random', 5000, 100);
    const view = new Uint8Array(memory.view(5000, 100));
    view[0] = 255;
    expect(readFileSync(path)[5000]).toBe(5000 % 251);
    expect(new Uint8Array(other.read(5000, 1))[0]).toBe(5000 % 251);
    expect(thrown(() => memory.write(0, Uint8Array.of(1))).code).toBe('QUERN_READONLY');
  });

  test('tensors read them and refuse to write them', () => {
    const path = file('tensor', new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    using memory = mapFile(path);
    const t = fromMemory(memory, 'f32', [2], { byteOffset: 8 });
    expect([...t.read()]).toEqual([3, 4]);
    expect(thrown(() => t.write([0, 0])).code).toBe('QUERN_READONLY');
    expect(thrown(() => fromMemory(memory, 'f32', [1], { byteOffset: 2 }))).toBeInstanceOf(ArgumentError);
    // A typed array over a view is an ordinary buffer, apart from the mapping.
    tensor(new Float32Array(memory.view(0, 8))).write([9, 9]);
    expect(readFileSync(path).readFloatLE(0)).toBe(1);
  });

  test('nothing is resident until it is touched', () => {
    const path = file('large', new Uint8Array(64 << 20).fill(1));
    using memory = mapFile(path);
    const before = residentMemory().file;
    expect(before).toBeGreaterThan(0);
    memory.read(0, 4096);
    expect(residentMemory().file - before).toBeLessThan(16 << 20);
    memory.read(0, memory.bytes);
    expect(residentMemory().file - before).toBeGreaterThan(48 << 20);
    rmSync(path);
  });

  test('an empty file is empty memory', () => {
    using memory = mapFile(file('empty', new Uint8Array(0)));
    expect(memory.bytes).toBe(0);
    expect(memory.view().byteLength).toBe(0);
    truncateSync(join(dir, 'empty'), 0);
  });

  test('what is no readable file is a FileError that says why', () => {
    expect(thrown(() => mapFile(join(dir, 'nothing'))).message).toMatch(/nothing: No such file/);
    expect(thrown(() => mapFile(dir))).toBeInstanceOf(FileError);
    expect(thrown(() => mapFile('/dev/null'))).toBeInstanceOf(FileError);
    expect(thrown(() => mapFile('a\0b'))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => mapFile('x'.repeat(5000)))).toBeInstanceOf(ArgumentError);
  });
});
