import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major' }) => void;
let collect: Collect | undefined;

/** Has V8 collect garbage now, of what is young alone or all of it; everything stands still meanwhile. */
export function collectGarbage(type: 'minor' | 'major'): void {
  collect ??= exposed();
  collect({ type });
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  const gc: Collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return gc;
}
