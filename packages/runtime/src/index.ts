/** Devices, tensors, programs and the native addon that Quern's kernels run on. */
export {};
