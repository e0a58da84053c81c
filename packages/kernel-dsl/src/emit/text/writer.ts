import type { Loc, SourcedLine } from '../../ir/index.ts';

const WIDTH = 118;

/** Lines of C, indented, each with where it comes from; neighbouring declarations of one type share a line. */
export class Writer {
  readonly lines: SourcedLine[] = [];
  /** Where the lines that follow come from. */
  locs: readonly Loc[] = [];
  private depth: number;
  private declaring: string | undefined;

  constructor(depth = 0) {
    this.depth = depth;
  }

  line(text: string): void {
    this.lines.push({ text: text === '' ? '' : '  '.repeat(this.depth) + text, locs: this.locs });
    this.declaring = undefined;
  }

  /** `type name = value;`, joined to the line before if that declares the same type and has room. */
  declare(type: string, name: string, value: string | undefined): void {
    const text = value === undefined ? name : `${name} = ${value}`, last = this.lines.at(-1);
    if (last && this.declaring === type && last.text.length + text.length + 2 <= WIDTH && last.text.endsWith(';')) {
      this.lines[this.lines.length - 1] = { text: `${last.text.slice(0, -1)}, ${text};`, locs: [...new Set([...last.locs, ...this.locs])] };
      return;
    }
    this.line(`${type} ${text};`);
    this.declaring = type;
  }

  /** A comment on a line of its own, set off by an empty line unless it opens a block. */
  heading(text: string): void {
    const last = this.lines.at(-1)?.text;
    if (last !== undefined && last !== '' && !/\{(\s*\/\/.*)?$/.test(last)) this.line('');
    this.line(`// ${text}`);
  }

  open(text: string): void {
    this.line(text);
    this.depth++;
  }

  close(text = '}'): void {
    this.depth--;
    this.line(text);
  }

  /** Ends one block and opens the next on the same line: `} else {`. */
  turn(text: string): void {
    this.close(text);
    this.depth++;
  }
}
