/** What texts in C and in the languages of GPUs share: precedence, comments, literals, addresses, scopes. */
export { headerComment, oneLine, place } from './comment.ts';
export { literal } from './constants.ts';
export { flatIndex, rampOf, splitIndex, strideOf } from './flat.ts';
export { escaped } from './format.ts';
export { heldAs } from './held.ts';
export { liveIn } from './live.ts';
export type { Live } from './live.ts';
export { elements, flatten, isDead, writtenFirst } from './scope.ts';
export { nonNegative } from './sign.ts';
export { PREC, call, castTo, infix, prefix, primary, ternary, wrap } from './text.ts';
export type { Text } from './text.ts';
export { Writer } from './writer.ts';
