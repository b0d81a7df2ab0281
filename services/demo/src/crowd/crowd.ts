import type { WebSocketClass } from '@evenkeel/client';
import type { Publisher } from '@evenkeel/publisher';
import { CrowdMember, type Numbered, numberedEvent, pulseTopic } from './member.js';
import { Rate } from './rate.js';

export interface CrowdOptions {
  readonly clients: number;
  readonly everyMs: number;
  readonly gateway: string;
  readonly run: string;
  readonly WebSocket: WebSocketClass;
  readonly now: () => number;
  /** Told of what could not be published. */
  readonly onPublishFailed: (error: unknown) => void;
}

/** What is counted over the whole crowd. */
export interface CrowdStatus {
  /** Clients that have a connection now. */
  readonly clients: number;
  /** Clients that there are. */
  readonly size: number;
  /** Events and topic messages that reached the clients. */
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  /** Times that a client was told that something may be missing. */
  readonly gaps: number;
  readonly moves: number;
  /** Events that the broker has confirmed and that are on their way. */
  readonly waiting: number;
  /** Events whose user had no session any more: the publisher was told so. */
  readonly unrouted: number;
  readonly nodes: readonly string[];
  /** Where each client is, as an index of `nodes`; -1: it has no connection. */
  readonly places: readonly number[];
}

/** Clients begin at this pace, and while so few have no session yet: a slow machine gets no more than it can attach. */
const startsPerSecond = 100;
const maxStarting = 50;
const tickMs = 50;
const sampleEveryTicks = 10;
/** Longer than a move, a reconnect with its back-off, or a restart of the broker takes to deliver. */
const graceMs = 30_000;

/** Many SDK clients, the numbered events that are published to them, and what came of those. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #members: CrowdMember[] = [];
  readonly #rate = new Rate();
  #publisher: Publisher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #due = 0;
  #pulse = { run: '', number: 0 };
  #pulseRuns = 0;
  #isPulseUnsettled = false;
  #unrouted = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#renumberPulse();
  }

  start(publisher: Publisher): void {
    this.#publisher = publisher;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Ends the clients. Their sessions outlive them for as long as the mesh keeps sessions. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#members.map((member) => member.close()));
  }

  status(): CrowdStatus {
    const nowMs = this.#options.now();
    const sums = { events: 0, lost: 0, repeated: 0, reordered: 0, gaps: 0, moves: 0, waiting: 0 };
    const nodes: string[] = [];
    const places: number[] = [];
    for (const member of this.#members) {
      const { numbers, pulse, node } = member;
      sums.events += member.events;
      sums.lost += member.lost(nowMs, graceMs);
      sums.repeated += numbers.repeated + pulse.repeated;
      sums.reordered += numbers.reordered + pulse.reordered;
      sums.gaps += member.gaps;
      sums.moves += member.moves;
      sums.waiting += numbers.waiting();
      places.push(node === undefined ? -1 : indexIn(nodes, node));
    }
    return {
      clients: places.filter((place) => place >= 0).length,
      size: this.#options.clients,
      eventsPerSecond: Math.round(this.#rate.perSecond()),
      ...sums,
      unrouted: this.#unrouted,
      nodes,
      places,
    };
  }

  #tick(): void {
    this.#ticks++;
    this.#grow();
    // Evenly over the interval, not all of them at once.
    this.#due += (this.#members.length * tickMs) / this.#options.everyMs;
    for (; this.#due >= 1; this.#due--) this.#publishNext();
    if ((this.#ticks * tickMs) % this.#options.everyMs < tickMs) this.#publishPulse();
    if (this.#ticks % sampleEveryTicks === 0) {
      const events = this.#members.reduce((sum, member) => sum + member.events, 0);
      this.#rate.sample(events, this.#options.now());
    }
  }

  /** The first client finds out whether there is a mesh; the others follow it. */
  #grow(): void {
    const { clients, gateway, run, WebSocket, now } = this.#options;
    if (this.#members.length > 0 && this.#members[0]?.hasSession !== true) return;
    const starting = this.#members.filter(({ hasSession }) => !hasSession).length;
    const pace = Math.max(1, Math.round((startsPerSecond * tickMs) / 1_000));
    const upTo = Math.min(clients, this.#members.length + Math.min(pace, maxStarting - starting));
    while (this.#members.length < upTo) {
      const user = `crowd-${this.#members.length + 1}`;
      this.#members.push(new CrowdMember({ user, gateway, run, WebSocket, now }));
    }
  }

  #next = 0;

  #publishNext(): void {
    const member = this.#members[this.#next++ % this.#members.length];
    // One at a time a user: what is not confirmed may have to be numbered as never published.
    if (member === undefined || !member.hasSession || member.numbers.isUnsettled) return;
    const { numbers, user } = member;
    const number = numbers.take();
    const event: Numbered = { run: this.#options.run, number };
    this.#publisher?.toUser(user, numberedEvent, event).then(
      ({ routed }) => {
        if (routed) numbers.confirm(number, this.#options.now());
        else {
          numbers.giveUp(number);
          this.#unrouted++;
        }
      },
      (error: unknown) => {
        numbers.giveUp(number);
        this.#options.onPublishFailed(error);
      },
    );
  }

  #publishPulse(): void {
    if (this.#isPulseUnsettled) return;
    this.#isPulseUnsettled = true;
    this.#pulse.number++;
    this.#publisher
      ?.toTopic(pulseTopic, { ...this.#pulse })
      .catch((error: unknown) => {
        // Nobody knows whether it went out: numbers after it belong to another run.
        this.#renumberPulse();
        this.#options.onPublishFailed(error);
      })
      .finally(() => {
        this.#isPulseUnsettled = false;
      });
  }

  #renumberPulse(): void {
    this.#pulse = { run: `${this.#options.run}.${this.#pulseRuns++}`, number: 0 };
  }
}

function indexIn(nodes: string[], node: string): number {
  const index = nodes.indexOf(node);
  return index >= 0 ? index : nodes.push(node) - 1;
}
