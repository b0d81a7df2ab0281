import type { Life } from '../life/life.js';
import type { Load } from '../session/load.js';
import type { ConnectionCounts } from '../transport/counts.js';
import type { PendingConnections } from '../transport/pending.js';
import type { Users } from '../user/users.js';

export interface LimitSources {
  readonly counts: Pick<ConnectionCounts, 'refusedFull' | 'refusedRates' | 'tooLarge'>;
  readonly pending: Pick<PendingConnections, 'refusedFor'>;
  readonly users: Pick<Users, 'refused'>;
  readonly load: Pick<Load, 'refused' | 'neverCarried' | 'topicLimits' | 'streams'>;
  readonly life: Pick<Life, 'crowdedOut' | 'forgotten'>;
  readonly happenings: { readonly dropped: number };
}

/** How often each limit of this edge was met: those that are settings by their names, the others by what they bound. */
export function limitHits(sources: LimitSources): [string, number][] {
  const { counts, pending, users, load, life, happenings } = sources;
  return [
    ['capacity', counts.refusedFull.get('full') ?? 0],
    ['memory', counts.refusedFull.get('memory') ?? 0],
    ['usedTickets', counts.refusedFull.get('tickets') ?? 0],
    ['maxPending', pending.refusedFor.maxPending],
    ['maxPendingPerAddress', pending.refusedFor.maxPendingPerAddress],
    ['handshakesPerSecond', counts.refusedRates.get('address') ?? 0],
    ['userHandshakesPerSecond', counts.refusedRates.get('user') ?? 0],
    ['maxSocketsPerUser', users.refused],
    ['maxSessionsPerUser', life.crowdedOut],
    ['maxTopics', load.topicLimits],
    ['maxPayloadBytes', counts.tooLarge],
    ['framesPerSecond', load.refused.frames],
    ['bytesPerSecond', load.refused.bytes],
    ['maxWaitingBytes', load.refused.waiting],
    ['userTopicsPerSecond', load.refused.topics],
    ['maxStreams', load.streams.ends.get('refused') ?? 0],
    ['refreshes', load.refused.refreshes],
    ['historiesAsked', load.refused.histories],
    ['dataDepth', load.neverCarried.depth],
    ['idBytes', load.neverCarried.idBytes],
    ['sessionsAway', life.forgotten],
    ['happeningsWaiting', happenings.dropped],
  ];
}
