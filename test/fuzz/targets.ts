import type { Target } from './target.js';
import { addresses } from './targets/addresses.js';
import { api } from './targets/api.js';
import { control } from './targets/control.js';
import { frames } from './targets/frames.js';
import { manage } from './targets/manage.js';
import { messages } from './targets/messages.js';
import { passesTarget as passes } from './targets/passes.js';
import { statistics } from './targets/statistics.js';
import { tickets } from './targets/tickets.js';

/** Everything that is fuzzed. docs/fuzzing.md says of each what has to hold. */
export const targets: readonly Target[] = [
  frames,
  tickets,
  passes,
  control,
  manage,
  statistics,
  messages,
  api,
  addresses,
];

/** @throws RangeError where there is none of that name */
export function targetNamed(name: string): Target {
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new RangeError(`there is no target ${name}`);
  return target;
}
