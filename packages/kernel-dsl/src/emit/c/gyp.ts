/** A C file of a library and the flags that belong to its instruction set. */
export interface LibrarySource {
  readonly path: string;
  readonly isa?: string;
  readonly cflags: readonly string[];
}

/**
 * `library.gypi` for a package's binding.gyp: one static library for each instruction set with its own flags, and the
 * shared library `quern_<name>` that holds them all. The variable `quern_parts` names the static ones, for other targets that
 * want to hold them. Paths are relative to the file itself.
 */
export function libraryGypi(name: string, sources: readonly LibrarySource[]): string {
  const parts = sources.filter((s) => s.isa !== undefined);
  const index = sources.find((s) => s.isa === undefined);
  const target = (s: LibrarySource): string => `quern_${name}_${s.isa!.replaceAll('-', '_')}`;
  // No flag of another build may change what the code computes or which instructions it holds.
  const own = { 'cflags!': ['-O3'], 'xcode_settings': { 'GCC_OPTIMIZATION_LEVEL': '2' } };
  const targets = [
    ...parts.map((s) => ({ target_name: target(s), type: 'static_library', sources: [s.path], include_dirs: ['../../../runtime/native/include'], cflags: s.cflags, ...own })),
    {
      target_name: `quern_${name}`, type: 'loadable_module', product_extension: 'so', sources: [index?.path ?? 'index.c'],
      include_dirs: ['../../../runtime/native/include'], cflags: index?.cflags ?? [], dependencies: parts.map(target), libraries: ['-lm'], ldflags: ['-s'], ...own,
    },
  ];
  return `${JSON.stringify({ variables: { quern_parts: parts.map(target) }, targets }, null, 2)}\n`;
}
