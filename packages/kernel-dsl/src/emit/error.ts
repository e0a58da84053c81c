import type { Loc } from '../ir/index.ts';
import { showLoc } from '../ir/index.ts';

/** A kernel reached the printer in a form that it cannot print: a pass left something undone, which is no mistake of the kernel's author, unless `fix` says what is. */
export class EmitError extends Error {
  readonly loc: Loc | undefined;
  constructor(message: string, loc?: Loc, fix = 'this is a fault of kernel-dsl; report it with the kernel and its schedule') {
    super(`${message}\n  --> ${showLoc(loc)}\n  fix: ${fix}`);
    this.name = 'EmitError';
    this.loc = loc;
  }
}
