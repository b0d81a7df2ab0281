import { isUtf8 } from 'node:buffer';
import type { Delivery } from '@evenkeel/broker';
import { wallNow } from '@evenkeel/pace';
import { type Addressee, eventFrame, isReply, replyFrame } from '../frame/frames.js';
import type { Connection } from '../transport/connection.js';

interface Written {
  readonly seq: number;
  readonly delivery: Delivery;
  readonly atMs: number;
}

export interface OutboxOptions {
  window: number;
  highWatermarkBytes: number;
  /** Longest frame. */
  maxEventBytes: number;
  now: () => number;
  /** An event has been written, with so many bytes (of text: characters). */
  onWritten(bytes: number): void;
  /** A service's reply has been written; `id`: of its request. */
  onReplied(id: string): void;
  /** An event is longer than frames may be; in its place belongs a gap. */
  onTooLarge(): void;
  /** Something is about to be settled, which may make the broker go on. */
  onSettling(): void;
}

/**
 * The events of one session on one connection: written in order with a `seq`, held until acknowledged, kept back
 * while the socket is over its high watermark. Holds at most a window: the broker sends no more.
 */
export class Outbox {
  /** `seq` of the last event written. */
  seq = 0;
  /** Deliveries are acknowledged to the broker when the client acknowledges them, or when written. */
  ackMode: 'client' | 'write' = 'client';
  /** How many deliveries from here on may have been written to an earlier connection; `undefined`: as the broker flags them. */
  suspect: number | undefined;
  /** Deliveries that were offered. */
  offered = 0;
  readonly #connection: Connection;
  readonly #options: OutboxOptions;
  readonly #addressee: Addressee;
  /** Written, unacknowledged, oldest first; `#head` is the first that counts. */
  #written: Written[] = [];
  #head = 0;
  /** In order: deliveries, and frames that belong between them. */
  #kept: (Delivery | string)[] = [];
  #keptFrames = 0;
  /** What is kept is being written: whatever is told now belongs here. */
  #isFlushing = false;
  #onChange: (() => void) | undefined;
  /** Something written here is the broker's to deliver again, and not counted here any more. */
  #hasForgotten = false;

  constructor(connection: Connection, options: OutboxOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#addressee = { uid: connection.claims.uid, maxBytes: options.maxEventBytes };
  }

  /** Written and not acknowledged, and kept back. */
  get unacked(): number {
    return this.#unacknowledged + this.#kept.length - this.#keptFrames;
  }

  /** The broker sends nothing more until something is acknowledged. */
  get isFull(): boolean {
    return this.unacked >= this.#options.window;
  }

  /** When the oldest unacknowledged event was written, ms. */
  get oldestAtMs(): number | undefined {
    return this.#written[this.#head]?.atMs;
  }

  offer(delivery: Delivery): void {
    this.offered += 1;
    if (this.#kept.length > 0 || !this.#hasRoom) this.#kept.push(delivery);
    else this.#write(delivery);
  }

  /** A frame that belongs between what was offered before it and what will be. */
  insert(frame: string): void {
    if (this.#kept.length === 0 || this.#isFlushing) {
      this.#connection.send(frame);
    } else {
      this.#kept.push(frame);
      this.#keptFrames += 1;
    }
  }

  /** Writes what was kept back, as far as the socket takes it. */
  flush(): void {
    this.#options.onSettling();
    let written = 0;
    this.#isFlushing = true;
    for (const each of this.#kept) {
      if (!this.#connection.isOpen) break;
      if (typeof each === 'string') {
        this.#connection.send(each);
        this.#keptFrames -= 1;
      } else {
        if (!this.#hasRoom) break;
        this.#write(each);
      }
      written += 1;
    }
    this.#isFlushing = false;
    if (written > 0) this.#kept.splice(0, written);
    this.#changed();
  }

  /** Acknowledges up to `seq`. False when `seq` was never sent. */
  ack(seq: number): boolean {
    if (seq > this.seq) return false;
    this.#options.onSettling();
    let next = this.#written[this.#head];
    while (next !== undefined && next.seq <= seq) {
      next.delivery.ack();
      this.#head += 1;
      next = this.#written[this.#head];
    }
    if (this.#head > 64 && this.#head * 2 > this.#written.length) {
      this.#written = this.#written.slice(this.#head);
      this.#head = 0;
    }
    if (this.#kept.length > 0) this.flush();
    else this.#changed();
    return true;
  }

  /** The broker's channel is gone: it will deliver again what is unacknowledged here. */
  forget(): void {
    this.#written = [];
    this.#head = 0;
    this.#kept = this.#kept.filter((each) => typeof each === 'string');
    this.suspect = undefined;
    this.#hasForgotten = true;
    this.#changed();
  }

  /**
   * Gives everything unacknowledged back to the queue, in order.
   * @returns how many were given back, and how many of those (the first) had been written; undefined: go by the
   * broker's flag. `isGapOwed`: frames among them, which the client has not got.
   */
  requeueAll(): { requeued: number; written: number | undefined; isGapOwed: boolean } {
    const written = this.#written.slice(this.#head);
    for (const { delivery } of written) delivery.requeue();
    for (const each of this.#kept) if (typeof each !== 'string') each.requeue();
    const requeued = written.length + this.#kept.length - this.#keptFrames;
    const isGapOwed = this.#keptFrames > 0;
    this.#written = [];
    this.#head = 0;
    this.#kept = [];
    this.#keptFrames = 0;
    return { requeued, written: this.#hasForgotten ? undefined : written.length, isGapOwed };
  }

  /** Resolves when all is written and acknowledged, the socket has closed, or after `timeoutMs`. */
  async acknowledged(timeoutMs: number): Promise<void> {
    if (this.unacked === 0 || !this.#connection.isOpen) return;
    await this.#until(() => this.unacked === 0, timeoutMs);
  }

  /** Resolves when nothing is kept back but for want of acks, the socket has closed, or after `timeoutMs`. */
  async flushed(timeoutMs: number): Promise<void> {
    const isDone = () => this.#kept.length === 0 || this.#unacknowledged >= this.#options.window;
    if (isDone() || !this.#connection.isOpen) return;
    await this.#until(isDone, timeoutMs);
  }

  /** The connection has closed: nobody waits for its acknowledgement any more. */
  connectionClosed(): void {
    this.#changed();
  }

  async #until(isDone: () => boolean, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#onChange = undefined;
        resolve();
      }, timeoutMs);
      this.#onChange = () => {
        if (!isDone() && this.#connection.isOpen) return;
        this.#onChange = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #changed(): void {
    this.#onChange?.();
  }

  get #unacknowledged(): number {
    return this.#written.length - this.#head;
  }

  /** The broker may send one more than a window: without a seal to hold, that one is kept here. */
  get #hasRoom(): boolean {
    const { highWatermarkBytes, window } = this.#options;
    return this.#connection.bufferedBytes <= highWatermarkBytes && this.#unacknowledged < window;
  }

  #write(delivery: Delivery): void {
    const isSuspect = this.#takeSuspicion(delivery);
    if (this.#connection.isBare) return this.#writeBare(delivery);
    if (isReply(delivery)) return this.#writeReply(delivery);
    const now = this.#options.now();
    const seq = this.seq + 1;
    const frame = eventFrame(seq, delivery, wallNow(), isSuspect, this.#addressee);
    if (frame === undefined) return this.#refuse(delivery);
    this.seq = seq;
    if (this.ackMode === 'client') {
      this.#hold(seq, delivery, now);
      this.#connection.send(frame);
    } else if (this.#connection.send(frame)) {
      delivery.ack();
    } else {
      this.#hold(seq, delivery, now);
    }
    this.#options.onWritten(frame.length);
  }

  /** It is never sent: its queue has it dead-lettered, without its body going through here once more. */
  #refuse(delivery: Delivery): void {
    delivery.drop();
    this.#options.onTooLarge();
  }

  /** Until it is acknowledged; its body, and the read that brought it, are needed no more. */
  #hold(seq: number, delivery: Delivery, atMs: number): void {
    delivery.forgetContent();
    this.#written.push({ seq, delivery, atMs });
  }

  /** A reply of a service to this session's request: acknowledged when written, since no `seq` counts it. */
  #writeReply(delivery: Delivery): void {
    const frame = replyFrame(delivery, this.#addressee.maxBytes);
    if (this.#connection.send(frame)) delivery.ack();
    else delivery.requeue();
    this.#options.onWritten(frame.length);
    this.#options.onReplied(delivery.properties.correlationId ?? '');
  }

  #writeBare(delivery: Delivery): void {
    const { body } = delivery;
    if (body.length > this.#addressee.maxBytes) return this.#refuse(delivery);
    const isSent = isUtf8(body)
      ? this.#connection.send(body.toString('utf8'))
      : this.#connection.sendBinary(body);
    if (isSent) delivery.ack();
    else delivery.requeue();
    this.#options.onWritten(body.length);
  }

  #takeSuspicion(delivery: Delivery): boolean {
    if (this.suspect === undefined) return delivery.redelivered;
    if (this.suspect === 0) return false;
    this.suspect -= 1;
    return delivery.redelivered;
  }
}
