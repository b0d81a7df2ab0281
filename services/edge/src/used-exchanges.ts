import { exchanges } from '@evenkeel/protocol';

/** The exchanges that an edge publishes to or binds queues to: without one of them it is not ready. */
export const usedExchanges = [
  exchanges.events,
  exchanges.inbound,
  exchanges.replies,
  exchanges.cancel,
  exchanges.stats,
  exchanges.control,
  exchanges.dropped,
  exchanges.undelivered,
  exchanges.sessions,
  exchanges.presence,
];
