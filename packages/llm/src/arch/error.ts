/** What is wrong with a model: its architecture, its numbers or its tensors. */
export type ModelErrorCode = 'unsupported-architecture' | 'bad-hyperparameter' | 'bad-tensor-shape' | 'unsupported-tensor-type' | 'context-full' | 'bad-request' | 'disposed';

/** A model that cannot be run, or a request to it that cannot be met. `fix` says what to do. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  readonly fix: string;

  constructor(code: ModelErrorCode, message: string, fix: string) {
    super(`${message}. Fix: ${fix}.`);
    this.name = 'ModelError';
    this.code = code;
    this.fix = fix;
  }
}
