import { isOfMesh } from './authorize.js';
import { PublisherError } from './errors.js';
import { doOverlap } from './pattern.js';
import type { Served } from './queues.js';
import type { Service } from './types.js';

/** What is served, or about to be. */
export interface Registered extends Served {
  readonly queue: string | undefined;
  service?: Service;
}

/** Two handlers for one message would both run, or take turns. @throws PublisherError `already-served`. */
export function checkFree(all: Iterable<Registered>, { kind, pattern, queue }: Registered): void {
  for (const other of all) {
    if (queue !== undefined && other.queue === queue)
      throw new PublisherError(
        'already-served',
        `queue ${queue} has a handler in this publisher already, and what is for one would reach the other: give each a queue of its own`,
      );
    if (other.kind !== kind || isOfMesh(other.pattern) !== isOfMesh(pattern)) continue;
    if (!doOverlap(other.pattern, pattern)) continue;
    const mayBoth = kind === 'publish' && other.queue !== queue;
    if (mayBoth) continue;
    const [what, how] =
      kind === 'request'
        ? ['method', 'one request would be handled twice']
        : ['topic', 'one message would be handled twice; if it shall, give one of them a `queue` of its own'];
    const which = other.pattern === pattern ? pattern : `${pattern} overlaps ${other.pattern}, which`;
    throw new PublisherError(
      'already-served',
      `${what} ${which} is served by this publisher already: ${how}. Call stop() of the first, or handle both there`,
    );
  }
}
