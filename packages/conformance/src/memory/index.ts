/** Tensor arguments element by element: where each lies, what it stands for, copies of all. */
export { eachElement } from './element.ts';
export { copyArgs, decoded, sameBits } from './data.ts';
