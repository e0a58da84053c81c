/** Fast Fourier transforms generated from Quern kernels. */
export {};
