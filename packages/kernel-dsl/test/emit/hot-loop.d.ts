/** Finds the hot loop of a disassembled kernel and what it does to the stack. */
/**
 * Instructions of the hot loop that read or write the stack: spilled registers. `objdump -d --no-show-raw-insn` text goes in.
 * `name` picks the functions to look at.
 * @throws Error when no loop with a fused multiply-add is found: then the gate would prove nothing.
 */
export declare function hotLoopStackRefs(objdump: string, name?: RegExp): {
    refs: readonly string[];
    fmas: number;
    length: number;
};
