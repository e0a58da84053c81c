import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Models and vectors that lie beside the repository, or where QUERN_SHARED says. Tests that need them are skipped, visibly, without. */
export const shared = (path: string): string => resolve(process.env['QUERN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared'), path);
export const hasShared = (path: string): boolean => existsSync(shared(path));
