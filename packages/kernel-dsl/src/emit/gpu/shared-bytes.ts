import { DslError } from '../../errors/index.ts';
import type { Loc } from '../../ir/index.ts';
import type { Target } from '../../targets/index.ts';

/** Bytes that a variable of shared memory takes: the next one begins at a multiple of 16. */
export const sharedRoom = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** Bytes of shared memory for all variables of a launch. @throws DslError KD-L-SHARED where a workgroup has less */
export function sharedBytesOf(all: readonly { readonly name: string; readonly bytes: number; readonly loc: Loc | undefined }[], target: Target, loc: Loc | undefined): number {
  const bytes = all.reduce((n, x) => n + sharedRoom(x.bytes), 0), most = target.gpu?.sharedBytes ?? 0;
  if (bytes > most) throw new DslError('KD-L-SHARED', { bytes, what: all.map((x) => `${x.name} ${x.bytes}`).join(', '), isa: target.isa, most }, { loc: all.at(-1)?.loc ?? loc });
  return bytes;
}
