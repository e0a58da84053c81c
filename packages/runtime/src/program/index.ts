/** Programs: many launches in one native call, with parameters that change between runs. */
export { type LaunchTime, param, type ParamRef, Program, program, type ProgramRunOptions, type Step } from './program.ts';
