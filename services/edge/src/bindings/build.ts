import { BrokerError } from '@evenkeel/broker';
import { exchanges } from '@evenkeel/protocol';
import type { Life } from '../life/life.js';
import type { EventsBound } from '../queue/events-bound.js';
import type { SessionQueues } from '../queue/session-queue.js';
import type { Directory, Listed } from '../session/directory.js';
import { EventsWatch, type EventsWatchOptions } from './events-watch.js';
import { Rebinding, type RebindingOptions } from './rebinding.js';

export interface EventBindingsOptions
  extends Omit<EventsWatchOptions, 'onLost'>,
    Pick<RebindingOptions, 'now'> {
  readonly topics: { bindAgain(): void };
  readonly histories: { readonly history: Pick<RebindingOptions, 'streams'> };
  readonly life: Life;
  readonly queues: Pick<SessionQueues, 'of'>;
  readonly directory: Pick<Directory<Attached>, 'get'>;
}

interface Attached extends Listed {
  readonly claims: Listed['claims'] & { readonly isNew?: boolean | undefined };
  readonly connection: { readonly openedAtMs: number };
}

/** What of this edge is bound to `mesh.events`: noticed when that has gone, and bound again. */
export interface EventBindings extends EventsBound {
  /** Sessions whose queues were bound again. */
  readonly rebound: number;
  /** Whether none of what leads to topics had gone, at a moment after the call; false: not shown in this time. */
  areThere(timeoutMs: number): Promise<boolean>;
  /** Whether messages may have gone past a history, and nobody has marked it. */
  hasLost(): Promise<boolean>;
  start(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export function eventBindingsOf(options: EventBindingsOptions): EventBindings {
  const { topics, histories, life, queues, directory, now, log } = options;
  const rebinding = new Rebinding({
    life,
    bindSession: ({ uid, sid }) => queues.of(uid, sid).bindAgain(),
    streams: histories.history.streams,
    isYounger: (key, sinceMs) => {
      const session = directory.get(key);
      return session?.claims.isNew === true && session.connection.openedAtMs > sinceMs;
    },
    now,
    log,
  });
  const watch = new EventsWatch({
    ...options,
    onLost: () => {
      topics.bindAgain();
      rebinding.begin();
    },
  });
  return {
    get rebound() {
      return rebinding.rebound;
    },
    areThere: (timeoutMs) => watch.areThere(timeoutMs),
    hasLost: async () => (await watch.hasLost()) || rebinding.owesHistory,
    whenBindable: async () => {
      await watch.hasLost();
      if (!watch.isBound)
        throw new BrokerError('no-exchange', `${exchanges.events} is not there, and is waited for`);
    },
    bindOwed: async ({ uid, sid }, bind) => {
      const key = `${uid}.${sid}`;
      if (rebinding.owes(key)) await rebinding.once(key, bind);
    },
    start: (signal) => watch.start(signal),
    stop: async () => {
      rebinding.stop();
      await watch.stop();
    },
  };
}
