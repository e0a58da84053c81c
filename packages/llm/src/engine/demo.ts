import { fileURLToPath } from 'node:url';

/** The model that ships with this package: about 5 million parameters, trained by us on stories and small exact tasks. */
export const demoModelPath = (): string => fileURLToPath(new URL('../../models/quern-demo-q4_0.gguf', import.meta.url));
