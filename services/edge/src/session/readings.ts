import { errorCodes } from '@evenkeel/protocol';
import { errorFrame, forbiddenFrame, okFrame } from '../frame/frames.js';
import type { Connection } from '../transport/connection.js';
import type { FeedWanted, Found, HistoryTopics } from './ports.js';

export interface ReadingsOptions {
  readonly connection: Pick<Connection, 'isOpen' | 'bufferedBytes'>;
  readonly topics: Pick<HistoryTopics, 'read'> | undefined;
  readonly highWatermarkBytes: number;
  /** False once the right to a topic was taken away. */
  mayRead(topic: string): boolean;
  send(frame: string): void;
}

/** Asked for in `history`. */
export interface Asked extends FeedWanted {
  readonly id: string;
  readonly topic: string;
}

interface Reading {
  readonly asked: Asked;
  readonly done: () => void;
  found: Found | undefined;
  next: number;
}

/** More that wait at a time are refused. */
const maxOpen = 16;
/** Without a broker nobody knows what there is: who asks is told so after this, ms. */
const findWithinMs = 10_000;

/** What the client of one connection wants to read of histories, one after the other, as fast as it takes it. */
export class Readings {
  readonly #options: ReadingsOptions;
  /** The first one is being answered. */
  readonly #open: Reading[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Those that nothing was found for in time and that are still looked for. */
  #lapsed = 0;

  constructor(options: ReadingsOptions) {
    this.#options = options;
  }

  /** Resolves when it is answered, or never will be. False at once: too many are asked for already, and it is to be refused. */
  async read(asked: Asked): Promise<boolean> {
    if (this.#open.length >= maxOpen) return false;
    await new Promise<void>((done) => {
      this.#open.push({ asked, done, found: undefined, next: 0 });
      if (this.#open.length === 1) this.#begin();
    });
    return true;
  }

  /** The network has taken what was buffered. */
  drained(): void {
    this.#send();
  }

  /** The rules have changed: what may not be read any more is not, and not to its end. */
  review(): void {
    const { mayRead, send } = this.#options;
    const [first] = this.#open;
    for (const reading of this.#open.filter(({ asked }) => !mayRead(asked.topic))) {
      this.#open.splice(this.#open.indexOf(reading), 1);
      send(forbiddenFrame(reading.asked.id, 'subscribe to', reading.asked.topic));
      reading.done();
    }
    if (this.#open[0] !== first) this.#begin();
  }

  /** Nothing more is answered. */
  end(): void {
    clearTimeout(this.#timer);
    for (const { done } of this.#open.splice(0)) done();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    const [reading] = this.#open;
    if (reading === undefined) return;
    const { topics, send } = this.#options;
    const { id, topic } = reading.asked;
    if (this.#lapsed >= maxOpen) return this.#lapse();
    let isInTime = true;
    this.#timer = setTimeout(() => {
      isInTime = false;
      this.#lapsed += 1;
      this.#lapse();
    }, findWithinMs);
    const isThere = topics?.read(topic, reading.asked, id, (found) => {
      if (!isInTime) this.#lapsed -= 1;
      if (this.#open[0] !== reading) return;
      clearTimeout(this.#timer);
      reading.found = found;
      this.#send();
    });
    if (isThere === true) return;
    send(errorFrame(id, errorCodes.noHistory, `the namespace of '${topic}' keeps no history`));
    this.#over(reading);
  }

  /** The first one, and what waits behind it for the same. */
  #lapse(): void {
    const message = 'what the topic keeps was not found in time: the broker is away, or busy; send it again';
    for (const { asked, done } of this.#open.splice(0)) {
      this.#options.send(errorFrame(asked.id, errorCodes.brokerUnavailable, message));
      done();
    }
  }

  #send(): void {
    const [reading] = this.#open;
    if (reading?.found === undefined) return;
    const { connection, highWatermarkBytes, send } = this.#options;
    const { found, asked } = reading;
    while (reading.next < found.count) {
      if (!connection.isOpen || connection.bufferedBytes > highWatermarkBytes) return;
      send(found.frame(reading.next));
      reading.next += 1;
    }
    const { position, recovered } = found;
    const message = 'some of what came behind this position is gone; ask for the last ones';
    if (recovered) send(okFrame(asked.id, { position }));
    else send(errorFrame(asked.id, errorCodes.historyLost, message));
    this.#over(reading);
  }

  #over(reading: Reading): void {
    this.#open.shift();
    reading.done();
    this.#begin();
  }
}
