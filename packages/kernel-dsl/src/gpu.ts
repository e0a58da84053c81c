/** GPUs: text in CUDA C++, OpenCL C or WGSL with its plan of launches, and the schedules that libraries share. The entry `@quern/kernel-dsl/gpu`. */
export * from './emit/gpu/index.ts';
export * from './library/gpu/index.ts';
