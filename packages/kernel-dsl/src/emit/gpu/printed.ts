import type { DType } from '../../ir/index.ts';
import { DTYPES } from '../../ir/index.ts';
import { printedLine } from '../../run/index.ts';
import type { GpuModule } from './module.ts';

/** Words (u32) at the start of the print buffer: how many words of records were asked for, and how many lines found no room. */
export const PRINT_HEAD = 2;

/** What the launches of a module have printed. */
export interface PrintedLines {
  /** In the order in which the buffer took them: that of the program within each lane. */
  readonly lines: readonly string[];
  /** Lines that found no room. */
  readonly lost: number;
}

const word = new DataView(new ArrayBuffer(4));
/** A value of a record. */
function valueOf(bits: number, t: DType): number {
  word.setUint32(0, bits);
  return t === 'f32' ? word.getFloat32(0) : DTYPES[t].kind === 'int' ? word.getInt32(0) : bits;
}

/**
 * The lines of a print buffer, as the interpreter would print them. Behind two words lie records: 1 + the number of the line in `prints`, then 32 bits for
 * each value. Once one finds no room none behind it does.
 * @example printedLines(module, new Uint32Array(buffer)).lines.forEach((line) => console.log(line))
 */
export function printedLines(m: Pick<GpuModule, 'prints'>, words: Uint32Array): PrintedLines {
  const lines: string[] = [], end = Math.min(words.length, PRINT_HEAD + (words[0] ?? 0));
  for (let at = PRINT_HEAD; at < end;) {
    const line = m.prints?.[words[at]! - 1];
    if (line === undefined) break;
    const { text, dtypes } = line;
    lines.push(printedLine(text, dtypes, dtypes.map((t, i) => valueOf(words[at + 1 + i] ?? 0, t))));
    at += 1 + dtypes.length;
  }
  return { lines, lost: words[1] ?? 0 };
}
