/** Roots of unity in high precision, and the tables of them that passes read. */
export { roots } from './roots.ts';
export type { RootWriter } from './roots.ts';
export { fillTable, tableSize } from './tables.ts';
export type { TwiddlePass } from './tables.ts';
