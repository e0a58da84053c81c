/** Matrix and vector operations generated from Quern kernels, for Node and, through cblas, for C. */
export {};
