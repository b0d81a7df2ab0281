import type { MeshEvent } from '@evenkeel/protocol';
import type { Operator } from '../operator.js';
import { isUnanswered } from './meanwhile.js';
import { eventLine } from './past.js';
import type { Terminal } from './terminal.js';

export interface EventsOptions {
  readonly json: boolean;
  readonly limit: number;
  readonly everyMs: number;
}

/**
 * Each event as it comes, a line each, after the last ones. While no balancer answers it says so once and goes on; what has
 * happened meanwhile follows, as far as the leader keeps it.
 */
export async function followEvents(
  operator: Operator,
  { json, limit, everyMs }: EventsOptions,
  terminal: Terminal,
): Promise<void> {
  let after: string | undefined;
  let isSilent = false;
  const print = (event: MeshEvent) => terminal.out(`${json ? JSON.stringify(event) : eventLine(event)}\n`);
  for (;;) {
    try {
      const { events, last } = await operator.events(after === undefined ? {} : { after });
      const fresh = events.filter(({ id }) => after === undefined || isLater(id, after));
      for (const event of after === undefined ? fresh.slice(-limit) : fresh) print(event);
      after = last ?? after;
      if (isSilent) terminal.err('evenkeel: a balancer answers again\n');
      isSilent = false;
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      if (!isSilent) terminal.err(`evenkeel: ${error.message} (${error.code})\n`);
      isSilent = true;
    }
    if (terminal.isInterrupted) return;
    await terminal.sleep(everyMs);
    if (terminal.isInterrupted) return;
  }
}

/**
 * Whether the event comes after the other: a leader that does not know that one gives all that it has. Ids are `<term>-<n>`, the
 * term to the base of 36.
 */
export function isLater(id: string, other: string): boolean {
  const [term, n] = placeOf(id);
  const [otherTerm, otherN] = placeOf(other);
  return term > otherTerm || (term === otherTerm && n > otherN);
}

function placeOf(id: string): [term: number, n: number] {
  const [term = '', n = ''] = id.split('-');
  return [Number.parseInt(term, 36), Number(n)];
}
