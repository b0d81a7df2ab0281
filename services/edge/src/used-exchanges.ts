import { exchanges } from '@evenkeel/protocol';

/**
 * The exchanges that an edge publishes to or binds queues to: without one of them it is not ready. `mesh.presence` and `mesh.cancel` are
 * not among them: where the balancer is of an earlier version they come with the next one, and all else is served until then.
 */
export const usedExchanges = [
  exchanges.events,
  exchanges.inbound,
  exchanges.replies,
  exchanges.stats,
  exchanges.control,
  exchanges.dropped,
  exchanges.undelivered,
  exchanges.sessions,
];
