import { type Client, connect } from '@evenkeel/client';
import { clock } from '../fleet/clock.js';
import { Delays } from '../fleet/delays.js';
import type { NumberedEvent } from '../fleet/messages.js';
import { SequenceRecord } from '../fleet/sequence-record.js';
import type { WorkerReport, WorkerStart } from './messages.js';
import { newWire, spyOn, type Wire } from './spy.js';

/** Dialling all at once would only fill the gateway's queue. */
const dialledAtOnce = 64;

/** User ids by number; none of them needs encoding. */
export const userOf = (number: number): string => `bench-${number}`;

/** One client of the bench: an SDK client, what its callback got, and what was seen on its wire. */
export interface Subject {
  readonly number: number;
  readonly isControl: boolean;
  readonly client: Client;
  readonly wire: Wire;
  readonly sequence: SequenceRecord;
  moves: number;
  isMoving: boolean;
  /** A move has been asked for, at this time; ms. */
  askedAtMs: number;
  moveBeganAtMs: number;
  moveEndedAtMs: number;
  /** When set, the handler takes this long. */
  handlerMs: number;
}

const newDelays = () => ({
  control: new Delays(),
  controlDuring: new Delays(),
  moved: new Delays(),
  duringMove: new Delays(),
});

/** The clients of one process. */
export class Roster {
  readonly subjects: Subject[] = [];
  connected = 0;
  delivered = 0;
  moves = 0;
  movesFailed = 0;
  movesUnderWay = 0;
  replaysAccepted = 0;
  replaysRefused = 0;
  #gaps = 0;
  #disconnected = 0;
  readonly #start: WorkerStart;
  #delays = newDelays();
  readonly #onMoving = new Set<(subject: Subject) => void>();

  constructor(start: WorkerStart) {
    this.#start = start;
  }

  onMoving(listener: (subject: Subject) => void): () => void {
    this.#onMoving.add(listener);
    return () => void this.#onMoving.delete(listener);
  }

  forgetDelays(): void {
    this.#delays = newDelays();
  }

  async connectAll(): Promise<void> {
    const { first, last } = this.#start;
    let next = first;
    const dial = async () => {
      while (next <= last) {
        const subject = this.#add(next++);
        await subject.client.ready();
      }
    };
    await Promise.all(Array.from({ length: dialledAtOnce }, dial));
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.subjects.map((subject) => subject.client.close()));
  }

  report(published: readonly number[]): WorkerReport {
    const moved = this.subjects.filter((subject) => !subject.isControl);
    const sum = (of: (subject: Subject) => number) =>
      this.subjects.reduce((total, subject) => total + of(subject), 0);
    return {
      say: 'report',
      received: sum((subject) => subject.sequence.received),
      lost: sum((subject) => subject.sequence.missing(published[subject.number] ?? 0).length),
      repeated: sum((subject) => subject.sequence.repeated),
      reordered: sum((subject) => subject.sequence.reordered),
      repeatedOnWire: sum((subject) => subject.wire.repeated),
      gaps: this.#gaps,
      moves: this.moves,
      movesFailed: this.movesFailed,
      minMovesPerSession: Math.min(...moved.map((subject) => subject.moves)),
      disconnected: this.#disconnected,
      socketlessMaxMs: Math.max(...this.subjects.map((subject) => subject.wire.socketlessMaxMs)),
      replaysAccepted: this.replaysAccepted,
      replaysRefused: this.replaysRefused,
      delays: {
        control: this.#delays.control.dump(),
        controlDuring: this.#delays.controlDuring.dump(),
        moved: this.#delays.moved.dump(),
        duringMove: this.#delays.duringMove.dump(),
      },
    };
  }

  #add(number: number): Subject {
    const wire = newWire();
    const client = connect({
      gateway: this.#start.gatewayUrl,
      user: userOf(number),
      WebSocket: spyOn(wire, clock),
      storage: false,
      // An acknowledgement a second at most: with few events each, a client's acks would else be as many as its events.
      ackAfterMs: 1_000,
    });
    const subject: Subject = {
      number,
      isControl: number >= this.#start.moved,
      client,
      wire,
      sequence: new SequenceRecord(),
      moves: 0,
      isMoving: false,
      askedAtMs: 0,
      moveBeganAtMs: 0,
      moveEndedAtMs: 0,
      handlerMs: 0,
    };
    this.subjects.push(subject);
    client.on('numbered', ({ data }) => this.#take(subject, data as NumberedEvent));
    client.onStatus((status) => {
      switch (status.type) {
        case 'connected':
          this.connected += 1;
          return;
        case 'disconnected':
          this.connected -= 1;
          this.#disconnected += 1;
          return;
        case 'gap':
          this.#gaps += 1;
          return;
        case 'moving':
          subject.isMoving = true;
          subject.moveBeganAtMs = clock();
          this.movesUnderWay += 1;
          for (const listener of this.#onMoving) listener(subject);
          return;
        case 'moved':
        case 'move-failed':
          if (!subject.isMoving) return;
          subject.isMoving = false;
          subject.askedAtMs = 0;
          subject.moveEndedAtMs = clock();
          this.movesUnderWay -= 1;
          if (status.type === 'moved') {
            subject.moves += 1;
            this.moves += 1;
          } else this.movesFailed += 1;
          return;
      }
    });
    return subject;
  }

  #take(subject: Subject, event: NumberedEvent): Promise<void> | undefined {
    const now = clock();
    this.delivered += 1;
    subject.sequence.note(event.k);
    const delayMs = now - event.at;
    if (subject.isControl) {
      this.#delays.control.add(delayMs);
      if (this.movesUnderWay > 0) this.#delays.controlDuring.add(delayMs);
    } else {
      this.#delays.moved.add(delayMs);
      // By the time of publishing: an event that waited for the hand-off arrives after it.
      const isDuring =
        event.at >= subject.moveBeganAtMs && (subject.isMoving || event.at <= subject.moveEndedAtMs);
      if (isDuring) this.#delays.duringMove.add(delayMs);
    }
    if (subject.handlerMs === 0) return undefined;
    return new Promise((resolve) => setTimeout(resolve, subject.handlerMs));
  }
}
