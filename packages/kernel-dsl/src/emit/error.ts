import type { Loc } from '../ir/index.ts';
import { showLoc } from '../ir/index.ts';

/** A kernel reached the printer in a form that it cannot print: a pass left something undone. Not a mistake of the kernel's author. */
export class EmitError extends Error {
  readonly loc: Loc | undefined;
  constructor(message: string, loc?: Loc) {
    super(`${message}\n  --> ${showLoc(loc)}\n  fix: this is a fault of kernel-dsl; report it with the kernel and its schedule`);
    this.name = 'EmitError';
    this.loc = loc;
  }
}
