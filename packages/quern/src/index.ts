/** Quern in one package, with the quern command. */
export {};
