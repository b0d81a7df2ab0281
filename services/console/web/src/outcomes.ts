/** How a command went, by its answer. */
import { counted } from './format.js';
import type { Answer } from './types.js';

export interface Outcome {
  readonly text: string;
  /** `bad`: not all of it is done. */
  readonly tone: 'good' | 'bad';
}

/** Edges that are named in one sentence. */
const maxNamed = 5;

/** Of `disconnect`. `subject`: whose sessions were to end. */
export function disconnected(subject: string, { sessions, answered, missing = [] }: Answer): Outcome {
  const ended = sessions?.length ?? 0;
  const done = ended === 0 ? `Nothing of ${subject} was there to end` : `${counted(ended, 'session')} ended`;
  if (missing.length > 0) {
    const named = missing.slice(0, maxNamed).join(', ');
    const others = missing.length > maxNamed ? ` and ${missing.length - maxNamed} more` : '';
    return { text: `${done}; ${named}${others} did not answer. Disconnect again.`, tone: 'bad' };
  }
  if (answered === 0) return { text: `${done}: no node is known that could be asked.`, tone: 'bad' };
  return { text: ended === 0 ? `${done}.` : `${subject} is disconnected: ${done}.`, tone: 'good' };
}

/** Of `uncordon`. */
export function uncordoned(node: string, { unreachable = [], lowOnMemory = [], why }: Answer): Outcome {
  if (![...unreachable, ...lowOnMemory].includes(node))
    return { text: `${node} takes clients again.`, tone: 'good' };
  const reason = why ?? 'clients that dial its public URL do not get there';
  return { text: `${node} takes no clients yet. ${reason}.`, tone: 'bad' };
}
