/** The engine: a loaded model that turns prompts into streams of text. */
export { generate } from './generate.ts';
export type { Cached, GenerateEvent, GenerateOptions, GenerateStats, Sample } from './generate.ts';
export { bandwidthLimit, loadModel } from './model.ts';
export type { LoadOptions, Model, TextOptions } from './model.ts';
export { demoModelPath } from './demo.ts';
