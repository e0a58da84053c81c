/** Every error that the language and the schedules raise. `{name}` marks are filled in by the thrower. Each has a test. */
export const CATALOGUE = {
  // language
  'KD-NO-KERNEL': { message: '{what} is used outside of a kernel body', fix: 'move it into the function given to kernel(...)' },
  'KD-DTYPE': { message: '{what}: {a} and {b} do not mix', fix: "cast one side, e.g. x.to('{a}')" },
  'KD-STORAGE': { message: '{dtype} is a storage type, {what} cannot be computed in it', fix: "cast first: x.to('f32') for f16 and bf16, x.to('i32') for small integers" },
  'KD-RANK': { message: '{name} has {rank} dimension(s), {given} index(es) were given', fix: 'give one index for each dimension' },
  'KD-INDEX': { message: 'an index into {name} is {dtype}', fix: "index with loop variables, sizes or integers: cast with .to('i64')" },
  'KD-READONLY': { message: '{name} is an input and cannot be written', fix: 'declare it with .out() or .inout()' },
  'KD-BREAK': { message: 'the loop over {axis} was left before its end', fix: 'break and return cannot be traced: use when(...) inside the loop' },
  'KD-AXIS-TWICE': { message: 'axis {axis} is looped over twice', fix: 'declare a second axis in axes({ … }): a handle names one loop' },
  'KD-NESTED': { message: 'kernel {name} is traced inside of another kernel', fix: 'define it outside' },
  'KD-EXTENT': { message: 'the extent of axis {axis} is {given}', fix: 'an extent is a size, an integer >= 0 or an i64 value' },
  'KD-NAME': { message: "'{name}' is not a usable name", fix: 'names are letters, digits and _, start with a letter, and are not used twice' },
  'KD-OPERAND': { message: '{what} got {given}', fix: 'operands are values of the kernel or numbers' },
  'KD-CONST': { message: '{value} does not fit {dtype}', fix: 'use a constant in the range of the dtype' },
  'KD-CONDITION': { message: 'a condition of dtype {dtype}', fix: 'conditions are comparisons: x.lt(y), x.eq(0), …' },
  'KD-JS-IF': { message: 'a traced value was used as a JavaScript value', fix: 'the body runs once, on symbols: use when(...) or select(...) instead of if, ?: and arithmetic operators' },
  'KD-LOOP-READ': { message: '{name} was read before a loop that changes it, and used inside', fix: 'read it inside of the loop' },
  'KD-BYTES': { message: '{name} is {dtype}: bytes can be reinterpreted in u8 tensors only', fix: "declare the tensor as u8" },
  // schedules
  'KD-S-CONSUMED': { message: 'axis {axis} no longer exists: {how}', fix: 'use the handles that the earlier call returned' },
  'KD-S-UNKNOWN': { message: '{what} is not part of this kernel', fix: 'use a handle that the kernel returned, or a tensor it declares' },
  'KD-S-FACTOR': { message: 'split({axis}, {factor}): the factor must be an integer > 0', fix: 'give the number of iterations of the inner loop' },
  'KD-S-ORDER': { message: 'reorder: {axes} do not form one nest: {why}', fix: 'reorder loops that are directly nested in each other' },
  'KD-S-DEPENDS': { message: '{axis} cannot move: the extent of {other} depends on it', fix: 'keep {axis} outside of {other}' },
  'KD-S-CARRIED': { message: '{verb}({axis}): iterations are not independent: {why}', fix: 'choose a loop whose iterations write different elements, or rfactor the reduction first' },
  'KD-S-EXTENT': { message: '{verb}({axis}): its extent {extent} is not a constant', fix: "split it by a constant first, e.g. s.split({axis}, 8, {{ tail: 'peel' }})" },
  'KD-S-BOUND': { message: '{verb}: no constant upper bound is known for the extent of {axis}', fix: 'split the loop by a constant, so that the memory it needs is known' },
  'KD-S-STAGE-WHERE': { message: 'stage({name}): {name} is not used inside of {axis}', fix: 'stage it at a loop around its uses' },
  'KD-S-STAGE-SHAPE': { message: 'stage({name}): it is accessed in different ways: {a} and {b}', fix: 'stage each access in a region of its own, or stage at an inner loop' },
  'KD-S-STAGE-ALIAS': { message: 'stage({name}): two iterations of {axis} share elements', fix: 'stage at a loop inside of {axis}' },
  'KD-S-PAD': { message: "the padded tail of {axis} reaches {name} itself", fix: "stage {name} (register or pack) inside of the loops that {axis} was split from, or use tail: 'mask' or 'peel'" },
  'KD-S-RFACTOR': { message: 'rfactor({name}, {axis}): {why}', fix: 'rfactor a register that is only accumulated into inside of that loop' },
  'KD-S-NESTED-PARALLEL': { message: 'parallel({axis}): it lies inside of the parallel loop {outer}', fix: 'make one loop parallel' },
  'KD-S-PANEL': { message: 'stage({name}): panel axis {axis} does not index it', fix: 'a panel axis is one of the loops whose variable appears in the index' },
} as const;

export type ErrorId = keyof typeof CATALOGUE;
