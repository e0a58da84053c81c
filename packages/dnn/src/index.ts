/** Neural network operations generated from Quern kernels. */
export {};
