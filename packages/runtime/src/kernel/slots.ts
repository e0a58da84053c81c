import { ArgumentError } from '../errors/index.ts';
import type { DType } from '../tensor/index.ts';

/** 8-byte slots that native code reads as int64 or as a scalar's union. */
export interface Slots {
  readonly i64: BigInt64Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly f32: Float32Array;
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Views of `count` slots; new ones, or those at a byte offset of a buffer. */
export function slots(count: number, buffer: ArrayBuffer = new ArrayBuffer(count * 8), byteOffset = 0): Slots {
  return {
    i64: new BigInt64Array(buffer, byteOffset, count),
    i32: new Int32Array(buffer, byteOffset, count * 2),
    u32: new Uint32Array(buffer, byteOffset, count * 2),
    f64: new Float64Array(buffer, byteOffset, count),
    f32: new Float32Array(buffer, byteOffset, count * 2),
  };
}

/** Sets a slot to an integer, without making a bigint where that can be avoided. */
export function setInteger(s: Slots, slot: number, value: number): void {
  if (littleEndian) {
    s.i32[2 * slot] = value | 0;
    s.i32[2 * slot + 1] = Math.floor(value / 4294967296);
  } else {
    s.i64[slot] = BigInt(value);
  }
}

const ranges: Partial<Record<DType, readonly [number, number]>> = {
  i32: [-2147483648, 2147483647], u32: [0, 4294967295], i16: [-32768, 32767], u16: [0, 65535], i8: [-128, 127], u8: [0, 255],
};

/**
 * Sets a slot to a scalar argument. Floats take any number, NaN and infinities too; integers must be whole and in range.
 *
 * @throws ArgumentError naming `what`.
 */
export function setScalar(s: Slots, slot: number, dtype: DType, value: unknown, what: string): void {
  if (dtype === 'bool') {
    if (typeof value !== 'boolean' && value !== 0 && value !== 1) throw new ArgumentError(`${what} must be true or false, got ${String(value)}`);
    setInteger(s, slot, Number(value));
    return;
  }
  if (dtype === 'i64') {
    const ok = typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
    if (!ok) throw new ArgumentError(`${what} must be an integer of 64 bits, got ${String(value)}`);
    s.i64[slot] = BigInt(value as number | bigint);
    return;
  }
  if (typeof value !== 'number') throw new ArgumentError(`${what} must be a number, got ${value === null ? 'null' : typeof value}`);
  if (dtype === 'f64') {
    s.f64[slot] = value;
    return;
  }
  if (dtype === 'f32' || dtype === 'f16' || dtype === 'bf16') {
    s.f32[2 * slot] = value;
    return;
  }
  const [low, high] = ranges[dtype] ?? [0, 0];
  if (!Number.isInteger(value) || value < low || value > high) throw new ArgumentError(`${what} must be an integer from ${low} to ${high}, got ${value}`);
  if (dtype === 'u32') s.u32[2 * slot] = value;
  else s.i32[2 * slot] = value;
}
