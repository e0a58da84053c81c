/** Property tests and oracles that any Quern kernel, library or backend can be held to. */
export {};
