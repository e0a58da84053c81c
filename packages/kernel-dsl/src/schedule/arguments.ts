import { DslError } from '../errors/index.ts';
import type { For } from '../ir/index.ts';
import { Axis, here } from '../lang/index.ts';

/** What an argument of a verb is: the handle of a loop, several of them (`axis*`: all that follow), … A `?` may be left away. */
type Kind = 'axis' | 'axis*' | 'axes' | 'name' | 'name*' | 'name?' | 'number' | 'two numbers' | 'options' | 'options?' | 'places' | 'instruction';
/** A verb that is missing here fails at its first call. */
const ARGUMENTS: Readonly<Record<string, readonly Kind[]>> = {
  split: ['axis', 'number', 'options?'], tile: ['axis', 'axis', 'two numbers', 'options?'], fuse: ['axis', 'axis', 'name?'], reorder: ['axis*'], unroll: ['axis'], jam: ['axis'], interleave: ['axis', 'number'],
  vectorize: ['axis'], parallel: ['axis'], bind: ['places'], deal: ['axis', 'axes', 'options?'], inline: ['name'], computeAt: ['name', 'axis'], hoist: ['name', 'axis'], pipeline: ['axis', 'number'],
  stage: ['name', 'axis', 'name', 'options?'], tensorize: ['instruction', 'axis*'], expand: ['name', 'axis*'], distribute: ['axes', 'axes'], reverse: ['axis'], approximate: ['name*'], prefetch: ['axis'],
  bulk: ['name', 'axis'], ring: ['axis', 'number'], overlap: ['axis'], cluster: ['axis'], stream: ['axis', 'axis', 'axis', 'options'], resident: ['number'], persistent: ['axis', 'axis', 'options'], rfactor: ['name', 'axis'], partials: ['name', 'axis'],
};
const object = (x: unknown): boolean => typeof x === 'object' && x !== null;
const IS: Readonly<Record<Kind, readonly [text: string, is: (x: unknown) => boolean]>> = {
  axis: ['', (x) => x instanceof Axis], 'axis*': ['', (x) => x instanceof Axis],
  axes: ['a list of loops', (x) => Array.isArray(x)], name: ['a name', (x) => typeof x === 'string'], 'name*': ['a name', (x) => typeof x === 'string'], 'name?': ['a name', (x) => x === undefined || typeof x === 'string'],
  number: ['a number', (x) => typeof x === 'number'], 'two numbers': ['two numbers', (x) => Array.isArray(x) && x.length === 2], options: ['an object', object], 'options?': ['an object, or nothing', (x) => x === undefined || object(x)],
  places: ['loops by the names of places', object], instruction: ['an instruction', (x) => object(x) && 'needs' in (x as object) && 'meaning' in (x as object)],
};

const shown = (x: unknown): string => (typeof x === 'string' ? `'${x}'` : x === null || typeof x !== 'object' ? String(x) : 'an object');

/** The verbs, each of which looks at its arguments first: types say what they are, but JavaScript and `undefined` handles come by too. */
export function guarded<T extends object>(verbs: T, running: () => boolean): T {
  const guard = (verb: string, f: (...args: unknown[]) => unknown) => (...args: unknown[]): unknown => {
    const loc = here(), at = { loc, step: verb };
    if (!running()) throw new DslError('KD-S-ENDED', { verb }, at);
    const axis = (x: unknown): void => { if (!(x instanceof Axis)) throw new DslError('KD-S-AXIS', { verb, given: shown(x) }, at); };
    for (const [i, kind] of ARGUMENTS[verb]!.entries()) {
      const [what, is] = IS[kind];
      for (const [n, x] of (kind.endsWith('*') ? args.slice(i) : [args[i]]).entries()) {
        if (kind.startsWith('axis')) axis(x);
        else if (!is(x)) throw new DslError('KD-S-ARGUMENT', { verb, given: shown(x), n: i + n + 1, what }, at);
        if (kind === 'axes') for (const each of x as readonly unknown[]) axis(each);
        if (kind === 'places') for (const each of Object.values(x as object)) axis(each);
      }
    }
    const order = verb === 'reorder' ? args as Axis[] : verb === 'deal' ? args[1] as Axis[] : [], twice = order.find((a, i) => order.indexOf(a) !== i);
    if (twice) throw new DslError('KD-S-TWICE', { verb, axis: twice.name }, at);
    if (verb === 'split') {
      const tail = (args[2] as { tail?: unknown } | undefined)?.tail;
      if (tail !== undefined && !['clamp', 'peel', 'mask', 'pad'].includes(String(tail))) throw new DslError('KD-S-TAIL', { axis: (args[0] as Axis).name, tail: shown(tail) }, at);
    }
    return f(...args);
  };
  return Object.fromEntries(Object.entries(verbs).map(([n, x]) => [n, typeof x === 'function' && n !== 'vec' ? guard(n, x as (...args: unknown[]) => unknown) : x as unknown])) as T;
}

/** Refuses to mark a loop that runs in a way of its own already. */
export function needPlain(loop: For, verb: string, at: { readonly loc: For['loc']; readonly step: string }): void {
  if (loop.loop !== 'seq') throw new DslError('KD-S-MARKED', { verb, axis: loop.v.name, kind: loop.loop }, at);
}
