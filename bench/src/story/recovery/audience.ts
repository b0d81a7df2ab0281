import { type Client, connect } from '@evenkeel/client';
import { ThinSocket } from '../../fleet/thin-socket.js';
import { judge, type LogEntry, sumOf } from './log.js';
import type { RecoveryGroup } from './result.js';

/** Topics of which the same is kept, and who subscribes them. */
export interface GroupPlan {
  readonly name: string;
  readonly topics: readonly string[];
  readonly subscribers: number;
  /** Messages kept of each topic, where that is too little. */
  readonly size?: number;
}

interface Subscriber {
  readonly group: GroupPlan;
  readonly topic: string;
  readonly client: Client;
  readonly log: LogEntry[];
  highest: number;
}

/** Since the beginning, over all. */
export interface AudienceCounts {
  disconnects: number;
  moves: number;
  past: number;
  gaps: number;
}

/** Subscribers with the SDK, one topic each, in this process. */
export class Audience {
  readonly counts: AudienceCounts = { disconnects: 0, moves: 0, past: 0, gaps: 0 };
  readonly #subscribers: Subscriber[] = [];
  readonly #refused = new Map<GroupPlan, number>();
  readonly #ready: Promise<void>[] = [];

  constructor(gateway: string, groups: readonly GroupPlan[]) {
    for (const group of groups) for (let n = 0; n < group.subscribers; n++) this.#enter(gateway, group, n);
  }

  /** Resolves when every later message is sure to come to everybody. */
  async ready(): Promise<void> {
    await Promise.all(this.#ready);
  }

  get connected(): number {
    return this.#subscribers.filter(({ client }) => client.state === 'connected').length;
  }

  /** On which node how many are. */
  on(node: string): number {
    return this.#subscribers.filter(({ client }) => client.state === 'connected' && client.node === node)
      .length;
  }

  /** Whether everybody has the newest message of its topic. */
  hasAll(lastOf: (topic: string) => number): boolean {
    return this.#subscribers.every(({ topic, highest }) => highest >= lastOf(topic));
  }

  outcome(lastOf: (topic: string) => number): RecoveryGroup[] {
    return [...new Set(this.#subscribers.map(({ group }) => group))].map((group) => {
      const own = this.#subscribers.filter((each) => each.group === group);
      return {
        name: group.name,
        subscribers: own.length,
        due: own.reduce((total, { topic }) => total + lastOf(topic), 0),
        refused: this.#refused.get(group) ?? 0,
        ...sumOf(own.map(({ log, topic }) => judge(log, lastOf(topic), group.size))),
      };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#subscribers.map(({ client }) => client.close()));
  }

  #enter(gateway: string, group: GroupPlan, n: number): void {
    const topic = group.topics[n % group.topics.length] as string;
    const client = connect({
      gateway,
      user: `${group.name.replaceAll(' ', '-')}-${n}`,
      WebSocket: ThinSocket,
      storage: false,
    });
    const log: LogEntry[] = [];
    const subscriber: Subscriber = { group, topic, client, log, highest: 0 };
    this.#subscribers.push(subscriber);
    client.onStatus(({ type }) => {
      if (type === 'disconnected') this.counts.disconnects += 1;
      if (type === 'moved') this.counts.moves += 1;
    });
    const handle = client.topic(topic);
    handle.on('gap', ({ reason }) => {
      this.counts.gaps += 1;
      log.push({ gap: reason });
    });
    handle.on('left', ({ reason }) => {
      if (reason !== 'closed') this.#refused.set(group, (this.#refused.get(group) ?? 0) + 1);
    });
    handle.on('message', ({ data, past: isPast = false }) => {
      const { k } = data as { k: number };
      if (isPast) this.counts.past += 1;
      log.push({ k, isPast });
      subscriber.highest = Math.max(subscriber.highest, k);
    });
    this.#ready.push(handle.ready());
  }
}
