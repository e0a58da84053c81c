/** The names of CPU targets, best first: the order in which a loader tries them. Without the targets themselves, for what only puts names in order. */
export const ISAS: readonly string[] = [
  'x86-64-amx', 'x86-64-v4-bf16', 'x86-64-v4-vnni', 'x86-64-v4', 'x86-64-v3', 'x86-64-v2', 'x86-64', 'aarch64-i8mm', 'aarch64-dotprod', 'aarch64', 'generic',
];
