/** The `quern` command: picks the subcommand and returns the exit status. */
import { UsageError } from './cli/index.ts';
import { COMMANDS } from './commands/index.ts';

const HELP = `quern COMMAND [arguments]

  run MODEL.gguf -p TEXT   continue a text with a model
  devices                  the devices of this machine, and which one is picked
  doctor                   what is right and wrong with this machine
  kernel FILE              what becomes of a kernel, stage by stage
  tune FILE                measure a kernel's schedules and remember the fastest
  start                    a short tour

quern COMMAND --help tells more.
`;

/** An error of ours carries a code and its fix in the message: no stack is needed to act on it. */
const expected = (error: unknown): error is Error => error instanceof Error && ('fix' in error || 'code' in error);

/**
 * Runs one `quern` command line.
 *
 * @param argv the arguments after the program's name
 * @returns the exit status: 0 when all went well, 1 when it did not, 2 when the command line is wrong, 130 when interrupted
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(HELP);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    process.stderr.write(`quern: unknown command '${name}'. Try: quern help\n`);
    return 2;
  }
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`quern ${name}: ${error.message}\nTry: quern ${name} --help\n`);
      return 2;
    }
    if (!expected(error)) throw error;
    process.stderr.write(`quern ${name}: ${error.message}\n`);
    return 1;
  }
}
