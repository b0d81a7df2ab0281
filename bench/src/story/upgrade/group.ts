import type { Counts } from '../../fleet/counts.js';
import type { Fleet } from '../../fleet/fleet.js';
import type { Deliveries } from '../../fleet/messages.js';
import type { NumberedPublisher } from '../../fleet/numbered-publisher.js';
import type { SequenceRecord } from '../../fleet/sequence-record.js';

/** What became of all that was sent to the clients of one kind. */
export interface GroupOutcome extends Deliveries {
  readonly published: number;
  /** Not confirmed by the broker, or no queue took it. */
  readonly unconfirmed: number;
  readonly misrouted: number;
  readonly topics: Deliveries;
  /** Gaps in events, then gaps in topics, by reason. */
  readonly gaps: Readonly<Counts>;
  readonly topicGaps: Readonly<Counts>;
  /** Times that a client was without a connection, but for kinds that move that way. */
  readonly disconnects: number;
  /** What happened that should not, the first few. */
  readonly incidents: readonly string[];
}

/** Clients of one kind: what implements them, and who publishes to them. */
export interface Group {
  readonly name: string;
  readonly size: number;
  readonly publisher: NumberedPublisher | undefined;
  connected(): Promise<number>;
  /** How often each client has changed its node. */
  changes(): Promise<readonly number[]>;
  /** Events that have come, repeats not counted. */
  delivered(): number;
  outcome(topicsSent: Uint32Array): Promise<GroupOutcome>;
  stop(): Promise<void>;
}

export const noDeliveries: Deliveries = { delivered: 0, lost: 0, covered: 0, repeated: 0, reordered: 0 };

const incidentsKept = 20;

/** Clients of an SDK, in a process of their own. */
export function sdkGroup(name: string, fleet: Fleet, publisher: NumberedPublisher): Group {
  return {
    name,
    size: fleet.users.length,
    publisher,
    connected: async () => (await fleet.stats()).connected,
    changes: () => fleet.changes(),
    delivered: () => fleet.progress.delivered,
    async outcome(topicsSent) {
      const [check, stats] = [await fleet.check(sentBy(publisher), topicsSent), await fleet.stats()];
      return {
        ...check.events,
        ...published(publisher),
        misrouted: check.misrouted,
        topics: check.topics,
        gaps: stats.gaps,
        topicGaps: stats.topicGaps,
        disconnects: stats.disconnects,
        incidents: stats.incidents
          .slice(0, incidentsKept)
          .map(({ atMs, user, node, what }) => `${new Date(atMs).toISOString()} ${user} on ${node}: ${what}`),
      };
    },
    stop: () => fleet.stop(),
  };
}

/** One client of the story's own process, or a program that it reads from. */
export interface RecordedClient {
  readonly record: SequenceRecord;
  /** What came of the topic with the number that stands beside it. */
  readonly topic?: { readonly number: number; readonly record: SequenceRecord };
  readonly isConnected: boolean;
  readonly changes: number;
  readonly misrouted: number;
  readonly disconnects: number;
  readonly gaps: Readonly<Counts>;
  readonly topicGaps: Readonly<Counts>;
  readonly incidents: readonly string[];
  stop(): Promise<void>;
}

export function recordedGroup(
  name: string,
  clients: readonly RecordedClient[],
  publisher: NumberedPublisher | undefined,
): Group {
  const sum = (pick: (client: RecordedClient) => number) =>
    clients.reduce((total, client) => total + pick(client), 0);
  const counts = (pick: (client: RecordedClient) => Readonly<Counts>) => {
    const all: Counts = {};
    for (const client of clients)
      for (const [key, count] of Object.entries(pick(client))) all[key] = (all[key] ?? 0) + count;
    return all;
  };
  return {
    name,
    size: clients.length,
    publisher,
    connected: async () => sum(({ isConnected }) => Number(isConnected)),
    changes: async () => clients.map(({ changes }) => changes),
    delivered: () => sum(({ record }) => record.received),
    outcome: async (topicsSent) => {
      const sent = sentBy(publisher);
      return {
        ...judged(clients.map(({ record }, n) => ({ record, sent: sent[n] ?? 0 }))),
        ...published(publisher),
        misrouted: sum(({ misrouted }) => misrouted),
        topics: judged(
          clients.flatMap(({ topic }) =>
            topic === undefined ? [] : [{ record: topic.record, sent: topicsSent[topic.number] ?? 0 }],
          ),
        ),
        gaps: counts(({ gaps }) => gaps),
        topicGaps: counts(({ topicGaps }) => topicGaps),
        disconnects: sum(({ disconnects }) => disconnects),
        incidents: clients.flatMap(({ incidents }) => incidents).slice(0, incidentsKept),
      };
    },
    stop: async () => void (await Promise.all(clients.map((client) => client.stop()))),
  };
}

/** What became of sequences of which this much was sent. */
export function judged(
  sequences: readonly { readonly record: SequenceRecord; readonly sent: number }[],
): Deliveries {
  const sums = { ...noDeliveries } as { -readonly [Field in keyof Deliveries]: number };
  for (const { record, sent } of sequences) {
    const { lost, covered } = record.outcome(sent);
    sums.delivered += record.received;
    sums.lost += lost.length;
    sums.covered += covered;
    sums.repeated += record.repeated;
    sums.reordered += record.reordered;
  }
  return sums;
}

const sentBy = (publisher: NumberedPublisher | undefined): Uint32Array =>
  publisher?.counts().perNumber ?? new Uint32Array();

function published(publisher: NumberedPublisher | undefined): { published: number; unconfirmed: number } {
  const { sent = 0, confirmed = 0, unrouted = 0 } = publisher?.counts() ?? {};
  return { published: sent, unconfirmed: sent - confirmed + unrouted };
}
