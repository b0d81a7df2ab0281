import { Broken } from './target.js';

/** What is wrong, and with which input. */
export interface Fault {
  /** The same for the same fault. */
  readonly key: string;
  readonly message: string;
  readonly input: Buffer;
}

/** An error that a target has thrown, as a fault. */
export function faultOf(error: unknown, input: Buffer): Fault {
  if (error instanceof Broken) return { key: error.rule, message: error.message, input };
  if (!(error instanceof Error)) return { key: 'threw no error', message: String(error), input };
  const where = placeIn(error.stack ?? '');
  return {
    key: `${error.name} ${where}`,
    message: `${error.name}: ${error.message}\n${error.stack ?? ''}`,
    input,
  };
}

/** The innermost function of ours: line numbers differ with where a mutated input gets. */
function placeIn(stack: string): string {
  const own = stack
    .split('\n')
    .find((line) => /\/(?:libs|services|packages|test)\//.test(line) && !line.includes('node_modules/'));
  const [, name = '', file = ''] =
    /at (?:async )?(?:(\S+) )?\(?(?:file:\/\/)?\S*?\/([^/\s]+):\d+:\d+\)?$/.exec(own ?? '') ?? [];
  return `in ${name || 'a function'} of ${file || 'nobody'}`;
}

const prototypes = [Object, Array, Function, String, Number, Boolean, Map, Set, Promise, Error, RegExp].map(
  ({ prototype }) => ({ prototype: prototype as object, names: new Set(Reflect.ownKeys(prototype)) }),
);

/** What has been put into the prototypes that everything has; it is taken out again. */
export function pollution(): string | undefined {
  for (const { prototype, names } of prototypes) {
    const all = Reflect.ownKeys(prototype);
    if (all.length === names.size) continue;
    const added = all.filter((name) => !names.has(name));
    for (const name of added) Reflect.deleteProperty(prototype, name);
    return added.map(String).join();
  }
  return undefined;
}
