import type { connect as connectSdk } from '@evenkeel/client';
import { clock } from './clock.js';
import { addOne, type Counts } from './counts.js';
import { FleetClient } from './fleet-client.js';
import type {
  ClientLosses,
  Deliveries,
  FaultyClient,
  FleetCheck,
  Numbering,
  WorkerStart,
} from './messages.js';
import type { SequenceRecord } from './sequence-record.js';
import { Tally } from './tally.js';
import { topicName } from './topic-load.js';

const startTickMs = 20;
const faultyKept = 100;
const missingKept = 20;

/** The clients of one process. */
export class Crowd {
  readonly clients: FleetClient[] = [];
  readonly tally = new Tally();
  readonly #onMoving = new Set<(client: FleetClient) => void>();
  readonly #numbers: number[] = [];

  onMoving(listener: (client: FleetClient) => void): () => void {
    this.#onMoving.add(listener);
    return () => void this.#onMoving.delete(listener);
  }

  /** Clients begin evenly spread over `arriveWithinMs`. */
  start(start: Omit<WorkerStart, 'sdk' | 'mover'>, connect: typeof connectSdk): void {
    const { members, gatewayUrl, beforeMoveMs, ackAfterMs, arriveWithinMs } = start;
    const begunAtMs = clock();
    const { tally } = this;
    const onMoving = (client: FleetClient) => {
      for (const listener of this.#onMoving) listener(client);
    };
    const options = { connect, gatewayUrl, beforeMoveMs, ackAfterMs, tally, onMoving };
    const timer = setInterval(() => {
      const part = arriveWithinMs === 0 ? 1 : (clock() - begunAtMs) / arriveWithinMs;
      const due = Math.min(members.length, Math.ceil(part * members.length));
      for (const member of members.slice(this.clients.length, due)) {
        this.clients.push(new FleetClient(member, options));
        this.#numbers.push(member.n);
      }
      if (this.clients.length >= members.length) clearInterval(timer);
    }, startTickMs);
  }

  /** Connected clients by node. */
  perNode(): Counts {
    const perNode: Counts = {};
    for (const { client } of this.clients) {
      if (client.state === 'connected' && client.node !== undefined) addOne(perNode, client.node);
    }
    return perNode;
  }

  whereabouts(): [number, string][] {
    return this.clients.map(({ client }, index) => [this.#numbers[index] ?? -1, client.node ?? '']);
  }

  changes(): [number, number][] {
    return this.clients.map(({ moves, returns }, index) => [this.#numbers[index] ?? -1, moves + returns]);
  }

  losses(): [number, ClientLosses][] {
    return this.clients.map(({ losses }, index) => [this.#numbers[index] ?? -1, losses]);
  }

  /** From now on the clients of these numbers are those whose delays are told apart. */
  control(numbers: readonly number[]): void {
    const wanted = new Set(numbers);
    for (const [index, client] of this.clients.entries())
      client.isControl = wanted.has(this.#numbers[index] ?? -1);
  }

  reset(): void {
    this.tally.reset();
    for (const client of this.clients) client.resetLosses();
  }

  /** `failures`: events whose publisher was told that they may not come. */
  check(sent: Uint32Array, topicsSent: Uint32Array, failures: readonly Numbering[] = []): FleetCheck {
    const failed = new Map<number, Set<number>>();
    for (const [n, k] of failures) failed.set(n, (failed.get(n) ?? new Set()).add(k));
    const events = noDeliveries();
    const topics = noDeliveries();
    const faulty: FaultyClient[] = [];
    const judge = (
      sums: Sums,
      client: FleetClient,
      topic: string | undefined,
      record: SequenceRecord,
      of: number,
      told?: ReadonlySet<number>,
    ) => {
      const { lost: missed, covered } = record.outcome(of);
      const lost = missed.filter((sequence) => told?.has(sequence) !== true);
      const { received, repeated, reordered } = record;
      sums.delivered += received;
      sums.lost += lost.length;
      sums.covered += covered;
      sums.repeated += repeated;
      sums.reordered += reordered;
      if (lost.length + repeated + reordered === 0 || faulty.length >= faultyKept) return;
      const {
        user,
        client: { node },
      } = client;
      const missing = lost.slice(0, missingKept);
      faulty.push({
        user,
        node,
        topic,
        missing,
        lost: lost.length,
        repeated,
        reordered,
        history: client.history,
      });
    };
    for (const [index, client] of this.clients.entries()) {
      const n = this.#numbers[index] ?? -1;
      judge(events, client, undefined, client.record, sent[n] ?? 0, failed.get(n));
      for (const [topic, record] of client.topics)
        judge(topics, client, topicName(topic), record, topicsSent[topic] ?? 0);
    }
    return { events, topics, misrouted: this.tally.misrouted, clients: this.clients.length, faulty };
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map(({ client }) => client.close()));
  }
}

type Sums = { -readonly [Field in keyof Deliveries]: number };

const noDeliveries = (): Sums => ({ delivered: 0, lost: 0, covered: 0, repeated: 0, reordered: 0 });
