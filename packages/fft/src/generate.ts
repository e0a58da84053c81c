/** Writes the C of this package's kernels: called by the build, never by users. */

/**
 * Writes every generated source of this package.
 *
 * @param _outDir an existing, empty folder
 */
export async function generate(_outDir: string): Promise<void> {
  // No kernel is written yet.
}
