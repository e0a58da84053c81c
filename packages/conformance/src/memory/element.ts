import type { TensorArg } from '@quern/kernel-dsl';
import { rowMajor } from '@quern/runtime';

/** Calls f with each element's row-major number and its position in the argument's array. */
export function eachElement(a: TensorArg, f: (i: number, position: number) => void): void {
  const { shape } = a, strides = a.strides ?? rowMajor(shape);
  if (shape.includes(0)) return;
  const index = shape.map(() => 0);
  let position = a.offset ?? 0;
  for (let i = 0; ; i++) {
    f(i, position);
    let d = shape.length - 1;
    for (; d >= 0; d--) {
      index[d]!++;
      position += strides[d]!;
      if (index[d]! < shape[d]!) break;
      position -= index[d]! * strides[d]!;
      index[d] = 0;
    }
    if (d < 0) return;
  }
}
