/** Integer arithmetic that is reasoned about: linear forms over unknowns, facts about them, and proofs by elimination. */
export { above, addConst, atLeast, combineForms, equal, formConst, formTerm, gcd, isFormConst, linearKey, scaleForm } from './form.ts';
export type { Constraint, Form } from './form.ts';
export { atLane, conditionCases, formOf, multiply, newSpace, newTerm, rangeOfForm, secondCopy, varTerm } from './space.ts';
export type { Cases, DataFact, Range, Space, Term } from './space.ts';
export { assuming, isUnreachable, meets, proves, scope, scopeOf } from './prove.ts';
export type { Effort, Scope } from './prove.ts';
