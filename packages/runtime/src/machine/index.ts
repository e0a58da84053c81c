/** The machine underneath: CPU, threads, memory in use, and its measured limits. */
export { cpuInfo, type CpuInfo, poolInfo, type PoolInfo, residentMemory, type ResidentMemory } from './cpu.ts';
export { measureFmaPeak, type MeasureOptions, measureReadBandwidth } from './measure.ts';
export { checkThreads, setThreads, threads } from './threads.ts';
