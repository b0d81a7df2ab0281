import type { ConsumerChannels, Delivery, TopologyChannels } from '@evenkeel/broker';
import { exchanges, isOwnEvent, lossMarks, sealHeader, sessionQueue, userBinding } from '@evenkeel/protocol';
import { isReply } from '../frame/frames.js';
import type { Generations } from '../queue/generations.js';
import type { Owner, Why } from '../undelivered/message.js';
import type { Undelivered } from '../undelivered/undelivered.js';

/**
 * What came of it. `ended`: the queue is deleted and what was in it handed on. `gone`: there was none. `taken`: somebody consumes
 * it. `raced`: somebody came at the same moment.
 */
export type Outcome = 'ended' | 'gone' | 'taken' | 'raced';

/** Events in hand while a queue is emptied. */
const endingPrefetch = 64;
/** Rounds of emptying; each takes what came during the last. */
const maxRounds = 20;
/** A queue that has something and delivers nothing: another consumer was first. */
const patienceMs = 5_000;

export interface EndingsOptions {
  topology: Pick<TopologyChannels, 'bind' | 'checkQueue' | 'deleteEmptyQueue'>;
  /** Publishes to this one of the session's queues the mark from which on events go past it. */
  markLoss(owner: Owner, generation: number): Promise<void>;
  generations: Pick<Generations, 'find' | 'leave'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  undelivered: Pick<Undelivered, 'publish'>;
}

/** Ends sessions on the broker: what is left in the queue goes to `mesh.undelivered`, and the queue goes. */
export class Endings {
  readonly #options: EndingsOptions;

  constructor(options: EndingsOptions) {
    this.#options = options;
  }

  /** Rejects when the broker is away: then it may have come half-way, and is to be called again. */
  async end(owner: Owner, why: Why): Promise<Outcome> {
    const { topology, generations, markLoss } = this.#options;
    const { uid, sid } = owner;
    const { generation, counts: found, isLost, older } = await generations.find(uid, sid);
    // What is in it is handed on once its node is back.
    if (isLost) throw new Error('the node of its queue is down');
    for (const each of older) generations.leave(sessionQueue(uid, sid, each));
    if (found === undefined) return 'gone';
    const name = sessionQueue(uid, sid, generation);
    const binding = [name, exchanges.events, userBinding(owner.uid)] as const;
    if (found.consumers > 0) {
      // Who has come may have bound it before an earlier attempt, that did not succeed, unbound it.
      await topology.bind(...binding);
      return 'taken';
    }
    for (let round = 1; round <= maxRounds; round += 1) {
      const emptying = new Emptying(name, owner, why, this.#options);
      // More has come, or may: nothing new gets in from now on, and who comes for the session all the same finds a mark of that.
      const isClosed = round > 1;
      const close = round === 2 ? () => markLoss(owner, generation) : undefined;
      try {
        const outcome = await emptying.run(close);
        if (outcome === 'raced' && isClosed) await topology.bind(...binding);
        if (outcome !== 'empty') return outcome;
        // Where events come just now, one may be on its way to the queue, and would go with it.
        const isBusy = !isClosed && emptying.hasHandedOn;
        if (!isBusy && (await topology.deleteEmptyQueue(name))) return 'ended';
      } finally {
        emptying.giveBackMarks();
      }
    }
    throw new Error(`${name} does not become empty`);
  }
}

/** One round: consumes what is there, hands it on, and stops. */
class Emptying {
  readonly #name: string;
  readonly #owner: Owner;
  readonly #why: Why;
  readonly #options: EndingsOptions;
  /** There were events in it. */
  hasHandedOn = false;
  #isOurs = false;
  #received = 0;
  #held: Delivery[] = [];
  /** Of where events begin to go past the queue: they stay until it is deleted. */
  #marks: Delivery[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #failure: unknown;
  #onChange = () => {};

  constructor(name: string, owner: Owner, why: Why, options: EndingsOptions) {
    this.#name = name;
    this.#owner = owner;
    this.#why = why;
    this.#options = options;
  }

  /** `close`: events are to be kept out from here on, once this has said so in the queue. */
  async run(close?: () => Promise<void>): Promise<'empty' | 'gone' | 'raced'> {
    const { consumers, topology } = this.#options;
    let isLost = false;
    const consumer = await consumers.consume(this.#name, {
      onDelivery: (delivery) => this.#take(delivery),
      onLost: () => {
        isLost = true;
        this.#onChange();
      },
      recovers: false,
      prefetch: endingPrefetch,
    });
    try {
      // Only now: with a consumer of one's own, whoever else has one shows.
      let counts = await topology.checkQueue(this.#name);
      if (close !== undefined && counts?.consumers === 1) {
        await close();
        // Who comes next binds it behind this, since it sees that this consumer is gone.
        await consumer.unbind(exchanges.events, userBinding(this.#owner.uid));
        // Behind the mark something may still have got in: what is missing comes after that.
        await close();
        counts = await topology.checkQueue(this.#name);
      }
      if (counts === undefined) return 'gone';
      if (counts.consumers > 1) return 'raced';
      const total = counts.messages + this.#received;
      this.#begin();
      await this.#until(() => this.#received >= total || isLost || this.#failure !== undefined);
      // What is on its way still arrives.
      await consumer.cancel();
      await Promise.all(this.#underWay);
      if (isLost) throw new Error('consumer lost');
      if (this.#failure !== undefined) throw this.#failure;
      return 'empty';
    } finally {
      await consumer.cancel();
      for (const delivery of this.#held) delivery.requeue();
    }
  }

  /** To be called at the end: where the queue is still there they are back in their places. */
  giveBackMarks(): void {
    for (const mark of this.#marks.splice(0)) mark.requeue();
  }

  #take(delivery: Delivery): void {
    this.#received += 1;
    if (!this.#isOurs) this.#held.push(delivery);
    else this.#handOn(delivery);
    this.#onChange();
  }

  #begin(): void {
    this.#isOurs = true;
    const held = this.#held;
    this.#held = [];
    for (const delivery of held) this.#handOn(delivery);
  }

  #handOn(delivery: Delivery): void {
    const { headers } = delivery.properties;
    if (headers[sealHeader] === lossMarks.begin) return void this.#marks.push(delivery);
    if (sealHeader in headers || isReply(delivery) || isOwnEvent(delivery.key)) return delivery.ack();
    this.hasHandedOn = true;
    const work = this.#options.undelivered.publish(delivery, this.#why, this.#owner).then(
      () => delivery.ack(),
      (error: unknown) => {
        delivery.requeue();
        this.#failure ??= error;
        this.#onChange();
      },
    );
    this.#underWay.add(work);
    void work.then(() => this.#underWay.delete(work));
  }

  async #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(settle, patienceMs);
      this.#onChange = () => {
        if (isDone()) settle();
      };
    });
  }
}
