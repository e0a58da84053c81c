import { ArgumentError } from '../errors/index.ts';

const avx2 = ['-mavx2', '-mfma', '-mf16c', '-mbmi', '-mbmi2', '-mlzcnt', '-mmovbe'];
const avx512 = [...avx2, '-mavx512f', '-mavx512bw', '-mavx512cd', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'];
const bf16 = [...avx512, '-mavx512vnni', '-mavx512bf16'];

const flags: Readonly<Record<string, readonly string[]>> = {
  'x86-64-amx': [...bf16, '-mamx-tile', '-mamx-bf16', '-mamx-int8'], 'x86-64-v4-bf16': bf16,
  'x86-64-v4-vnni': [...avx512, '-mavx512vnni'], 'x86-64-v4': avx512, 'x86-64-v3': avx2, 'x86-64-v2': ['-mssse3', '-msse4.1', '-msse4.2', '-mpopcnt'], 'x86-64': [],
  'aarch64-i8mm': ['-march=armv8.2-a+dotprod+i8mm'], 'aarch64-dotprod': ['-march=armv8.2-a+dotprod'], aarch64: [], generic: [],
};

/** What tells gcc and clang to use an instruction set. @throws ArgumentError for a name that is none. */
export function isaFlags(isa: string): readonly string[] {
  const found = flags[isa];
  if (found === undefined) throw new ArgumentError(`'${isa}' is no instruction set`, { fix: `use one of ${Object.keys(flags).join(', ')}` });
  return found;
}

/** Every instruction set that has a name, best first for each kind of processor. */
export const ISAS: readonly string[] = Object.keys(flags);
