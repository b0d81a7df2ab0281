import type { Client, connect, Status } from '@evenkeel/client';
import { toUid } from '@evenkeel/protocol';
import { clock, timeOfDay } from './clock.js';
import { addOne } from './counts.js';
import type { ClientLosses, FleetMember, NumberedEvent } from './messages.js';
import { SequenceRecord } from './sequence-record.js';
import { newWire, spyOn, type Wire } from './spy-socket.js';
import type { Tally } from './tally.js';
import { topicName, topicNumber } from './topic-load.js';

export interface FleetClientOptions {
  /** Of this checkout's SDK, or of another. */
  readonly connect: typeof connect;
  readonly gatewayUrl: string;
  readonly beforeMoveMs: number;
  readonly ackAfterMs: number | undefined;
  readonly tally: Tally;
  readonly onMoving: (client: FleetClient) => void;
}

/** Statuses kept of each client. */
const historyKept = 32;

/** One SDK client, what its application got, and what was seen on its wire. */
export class FleetClient {
  readonly user: string;
  /** Its delays are told apart. */
  isControl: boolean;
  /** What came of its user's events. */
  readonly record = new SequenceRecord();
  /** What came of its topics, by their numbers. */
  readonly topics: ReadonlyMap<number, SequenceRecord>;
  readonly wire: Wire;
  readonly client: Client;
  moves = 0;
  /** Times that it came back, after a loss, on another node. */
  returns = 0;
  isMoving = false;
  /** A move has been asked for, at this time; ms. */
  askedAtMs = 0;
  /** When set, the handler takes this long. */
  handlerMs = 0;
  readonly #n: number;
  readonly #tally: Tally;
  readonly #onMoving: (client: FleetClient) => void;
  readonly #begunAtMs = clock();
  readonly #history: { atMs: number; status: Status }[] = [];
  #isNew = true;
  /** Since then it is without a connection; undefined: it has one, or had none yet. */
  #lostAtMs: number | undefined;
  #isConnected = false;
  #node = '';
  #moveBeganAtMs = 0;
  #moveEndedAtMs = 0;
  #gapsAtMs: number[] = [];
  #disconnects = 0;

  constructor({ n, user, isControl, topics, address }: FleetMember, options: FleetClientOptions) {
    const { gatewayUrl, beforeMoveMs, ackAfterMs, tally } = options;
    this.user = user;
    this.isControl = isControl;
    this.topics = new Map(topics.map((topic) => [topic, new SequenceRecord()]));
    this.wire = newWire(tally, address);
    this.#n = n;
    this.#tally = tally;
    this.#onMoving = options.onMoving;
    this.client = options.connect({
      gateway: gatewayUrl,
      user,
      WebSocket: spyOn(this.wire),
      storage: false,
      topics: topics.map(topicName),
      ...(ackAfterMs !== undefined && { ackAfterMs }),
      ...(beforeMoveMs > 0 && {
        beforeMove: () => new Promise<void>((resolve) => setTimeout(resolve, beforeMoveMs)),
      }),
    });
    this.client.on('numbered', ({ data }) => this.#event(data as NumberedEvent));
    if (topics.length > 0) this.client.onMessage(({ data }) => this.#message(data as NumberedEvent));
    this.client.onStatus((status) => this.#status(status));
  }

  /** `<uid>.<sid>`, as an edge is told which session to move. */
  get sessionKey(): string {
    return `${toUid(this.user)}.${this.client.session}`;
  }

  get losses(): ClientLosses {
    return { gapsAtMs: this.#gapsAtMs, disconnects: this.#disconnects };
  }

  resetLosses(): void {
    this.#gapsAtMs = [];
    this.#disconnects = 0;
  }

  #incident(what: string): void {
    this.#tally.incident(this.user, this.client.node ?? '', what);
  }

  #event({ n, k, at }: NumberedEvent): Promise<void> | undefined {
    const tally = this.#tally;
    if (n !== this.#n) {
      tally.misrouted++;
      this.#incident(`got event ${k} of client ${n}`);
      return undefined;
    }
    const outcome = this.record.note(k);
    if (outcome !== 'repeated') tally.delivered++;
    if (outcome !== 'in-order') this.#incident(`event ${k} ${outcome}`);
    addOne(tally.eventsPerNode, this.#node);
    const delayMs = clock() - at;
    const { delays } = tally;
    if (this.isControl) {
      delays.control.add(delayMs);
      if (tally.movesUnderWay > 0) delays.controlDuring.add(delayMs);
    } else {
      delays.moved.add(delayMs);
      if (this.#wasMovingAt(at)) delays.duringMove.add(delayMs);
    }
    if (this.handlerMs === 0) return undefined;
    return new Promise((resolve) => setTimeout(resolve, this.handlerMs));
  }

  #message({ n, k, at }: NumberedEvent): void {
    const tally = this.#tally;
    const record = this.topics.get(n);
    if (record === undefined) {
      tally.misrouted++;
      this.#incident(`got message ${k} of ${topicName(n)}, which it has not subscribed`);
      return;
    }
    const outcome = record.note(k);
    if (outcome !== 'repeated') tally.topicsDelivered++;
    if (outcome !== 'in-order') this.#incident(`message ${k} of ${topicName(n)} ${outcome}`);
    const delayMs = clock() - at;
    tally.delays.topics.add(delayMs);
    if (this.#wasMovingAt(at)) tally.delays.topicsDuring.add(delayMs);
  }

  /** By the time of publishing: what waited for the hand-off arrives after it. */
  #wasMovingAt(atMs: number): boolean {
    return atMs >= this.#moveBeganAtMs && (this.isMoving || atMs <= this.#moveEndedAtMs);
  }

  /** What its client said of itself last, with the time of day. */
  get history(): string[] {
    return this.#history.map(({ atMs, status }) => {
      const { type, ...rest } = status;
      return `${timeOfDay(atMs)} ${type} ${JSON.stringify(rest)}`;
    });
  }

  #status(status: Status): void {
    const tally = this.#tally;
    this.#history.push({ atMs: clock(), status });
    if (this.#history.length > historyKept) this.#history.shift();
    switch (status.type) {
      case 'connected':
        if (!this.#isConnected) tally.connected++;
        this.#isConnected = true;
        if (this.#isNew) tally.delays.connectTimes.add(clock() - this.#begunAtMs);
        else if (status.node !== this.#node) this.returns++;
        if (this.#lostAtMs !== undefined) tally.delays.returnTimes.add(clock() - this.#lostAtMs);
        this.#lostAtMs = undefined;
        this.#isNew = false;
        this.#node = status.node;
        break;
      case 'connect-failed':
        addOne(tally.connectFailures, String(status.code));
        break;
      case 'disconnected':
        this.#disconnected();
        this.#lostAtMs ??= clock();
        tally.disconnects++;
        this.#disconnects++;
        this.#incident(`disconnected: ${status.code} ${status.reason}`);
        break;
      case 'moving':
        if (!this.isMoving) tally.movesUnderWay++;
        this.isMoving = true;
        this.#moveBeganAtMs = clock();
        this.#onMoving(this);
        break;
      case 'moved':
        if (this.#endMove()) tally.delays.moveTimes.add(this.#moveEndedAtMs - this.#moveBeganAtMs);
        this.moves++;
        tally.moves++;
        this.#node = status.node;
        break;
      case 'move-failed':
        this.#endMove();
        addOne(tally.movesFailed, status.reason);
        break;
      case 'gap':
        this.#gap(status.topic, status.reason);
        break;
      case 'closed':
        this.#disconnected();
        if (status.error === undefined) break;
        tally.closed++;
        this.#incident(`closed: ${status.error.message}`);
        break;
    }
  }

  #gap(topic: string | undefined, reason: string): void {
    const tally = this.#tally;
    const isOfEvents = topic === undefined || topic === '';
    addOne(isOfEvents ? tally.gaps : tally.topicGaps, reason);
    this.#incident(isOfEvents ? `gap: ${reason}` : `gap in ${topic}: ${reason}`);
    if (!isOfEvents) return this.topics.get(topicNumber(topic))?.gap();
    this.record.gap();
    this.#gapsAtMs.push(clock());
  }

  #disconnected(): void {
    if (this.#isConnected) this.#tally.connected--;
    this.#isConnected = false;
    this.#endMove();
  }

  /** Whether it was in one. */
  #endMove(): boolean {
    if (!this.isMoving) return false;
    this.isMoving = false;
    this.askedAtMs = 0;
    this.#moveEndedAtMs = clock();
    this.#tally.movesUnderWay--;
    return true;
  }
}
