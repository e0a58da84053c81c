import { DslError } from '../errors/index.ts';
import type { For, Stmt } from '../ir/index.ts';

/** Refuses a program of teams. @throws DslError KD-L-TEAM */
export const noTeam = (why: string, s: Stmt): never => { throw new DslError('KD-L-TEAM', { why }, { loc: s.loc, step: s.step }); };
/** Is it a loop over teams, of whatever kind? */
export const isTeam = (s: Stmt): s is For => s.kind === 'for' && s.loop.startsWith('team.');
/** Is it a loop over warpgroups? */
export const isWarpgroup = (s: Stmt): s is For & { readonly loop: 'team.warpgroup' } => s.kind === 'for' && s.loop === 'team.warpgroup';
/** A loop over warps. */
export type WarpLoop = For & { readonly loop: 'team.warp.x' | 'team.warp.y' };
/** Is it one? */
export const isWarp = (s: Stmt): s is WarpLoop => s.kind === 'for' && s.loop.startsWith('team.warp.');
