/** The subcommands of `quern`, one a file: each takes its arguments and returns the exit status. */

/** What a subcommand does, and the text of its `--help`. */
export interface Command {
  /** Runs it with the arguments after its name; returns the exit status. */
  readonly run: (argv: readonly string[]) => Promise<number>;
  readonly help: string;
}

/** The subcommands by name. Each is loaded when it is called: `quern devices` needs neither the kernel language nor the models. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => { const { RUN_HELP, run } = await import('./run.ts'); return { run, help: RUN_HELP }; },
  kernel: async () => { const { KERNEL_HELP, kernel } = await import('./kernel.ts'); return { run: kernel, help: KERNEL_HELP }; },
  devices: async () => { const { DEVICES_HELP, devices } = await import('./devices.ts'); return { run: devices, help: DEVICES_HELP }; },
  doctor: async () => { const { DOCTOR_HELP, doctor } = await import('./devices.ts'); return { run: doctor, help: DOCTOR_HELP }; },
  tune: async () => { const { TUNE_HELP, tune } = await import('./tune.ts'); return { run: tune, help: TUNE_HELP }; },
  start: async () => { const { START_HELP, start } = await import('./start.ts'); return { run: start, help: START_HELP }; },
};
