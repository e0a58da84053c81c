import type { GpuArg } from '../module.ts';
import { need } from './frame.ts';
import type { ModuleState, Parts } from './frame.ts';
import { helper } from './helpers.ts';

/** Names for the parts of what an argument binds. */
export function partsOf(m: ModuleState, name: string, type: string, a: GpuArg): Parts {
  const n = m.options.split.parts[a.kind === 'buffer' ? a.param : a.kind === 'workspace' ? `workspace ${a.name}` : ''] ?? 1;
  return { names: Array.from({ length: n }, (_, i) => (i ? m.names.take(`${name}_part`) : name)), type, get: n > 1 ? m.names.take(`${name}_cell`) : '', put: n > 1 ? m.names.take(`set_${name}_cell`) : '' };
}

/** Does with the right part what `use` does with a variable and the number of a cell in it. */
function choice(m: ModuleState, { names, type }: Parts, use: (variable: string, at: string) => string): readonly string[] {
  const each = m.options.split.bytes / (type.startsWith('vec4') ? 16 : 4);
  return names.map((v, i) => { const text = use(v, i ? `at - ${i * each}` : 'at'); return i < names.length - 1 ? `if (at < ${(i + 1) * each}) { ${text} }` : text; });
}

/** The cell of that number. */
export const cellText = (m: ModuleState, x: Parts, at: string): string =>
  (x.get ? `${need(m, helper(x.get, `(at: i32) -> ${x.type}`, choice(m, x, (v, i) => `return ${v}[${i}];`)))}(${at})` : `${x.names[0]}[${at}]`);

/** The statement that changes the cell of that number. */
export const putText = (m: ModuleState, x: Parts, at: string, value: string): string =>
  (x.put ? `${need(m, helper(x.put, `(at: i32, value: ${x.type})`, choice(m, x, (v, i) => `${v}[${i}] = value; return;`)))}(${at}, ${value});` : `${x.names[0]}[${at}] = ${value};`);
