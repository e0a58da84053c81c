/** The `quern` command: picks the subcommand and returns the exit status. */

/**
 * Runs one `quern` command line.
 *
 * @param argv the arguments after the program's name
 * @returns the exit status: 0 when all went well, 2 when the command is not known
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [command = 'help'] = argv;
  if (command === 'start' || command === 'help') {
    process.stdout.write('quern: the kernels and the model are being built; see README.md for the state of each part.\n');
    return 0;
  }
  process.stderr.write(`quern: unknown command '${command}'. Try: quern help\n`);
  return 2;
}
