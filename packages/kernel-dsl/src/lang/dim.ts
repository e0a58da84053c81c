/** A named size (bound when the kernel is launched) or a constant. */
export type DimSpec = string | number;
