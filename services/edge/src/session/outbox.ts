import { isUtf8 } from 'node:buffer';
import type { Delivery } from '@evenkeel/broker';
import { isSurelyTooLong, messageIdentity } from '@evenkeel/mesh';
import { wallNow } from '@evenkeel/pace';
import { type Addressee, eventFrame, isReply, replyFrame } from '../frame/frames.js';
import { discarded } from '../memory/discarded.js';
import type { Connection } from '../transport/connection.js';
import { AckTimes } from './ack-times.js';
import type { Answer, Answers } from './answers.js';
import { isAsk } from './asks.js';
import { Changes } from './changes.js';
import { Kept, maxKeptBytes } from './kept.js';
import { LargeOnes } from './large.js';
import { marksOf } from './marks.js';
import type { OutboxOptions, Requeued, Written } from './outbox-options.js';
import { WrittenBefore } from './written-before.js';

/**
 * The events of one session on one connection: written in order with a `seq`, held until acknowledged, kept back
 * while the socket is over its high watermark. Holds at most a window: the broker sends no more.
 */
export class Outbox {
  /** `seq` of the last event written. */
  seq = 0;
  /** Deliveries are acknowledged to the broker when the client acknowledges them, or when written. */
  ackMode: 'client' | 'write' = 'client';
  /** Which of the next deliveries were written to an earlier connection. */
  readonly before = new WrittenBefore();
  /** Deliveries that were offered. */
  offered = 0;
  /** Of services, in parts. */
  readonly answers: Answers;
  readonly #connection: Connection;
  readonly #options: OutboxOptions;
  readonly #addressee: Addressee;
  /** `id` of an event that is not to be sent, because the client has closed a connection for it. */
  readonly #givenUp: string | undefined;
  /** Written, unacknowledged, oldest first; `#head` is the first that counts. */
  #written: Written[] = [];
  #head = 0;
  readonly #ackTimes: AckTimes;
  /** The last event written that has a time to live. */
  #mortalSeq = 0;
  /** When an acknowledgement got on last, or the client said that it was busy, ms. */
  #progressAtMs = 0;
  readonly #kept: Kept;
  /** Of those kept, the ones that are longer than frames may be, and have no body any more. */
  readonly #oversized = new WeakSet<Delivery>();
  readonly #large: LargeOnes;
  /** What is kept is being written: whatever is told now belongs here. */
  #isFlushing = false;
  readonly #changes = new Changes();
  /** Something written here is the broker's to deliver again, and not counted here any more. */
  #hasForgotten = false;

  constructor(connection: Connection, options: OutboxOptions) {
    this.#connection = connection;
    this.#options = options;
    this.answers = options.answers;
    this.#ackTimes = new AckTimes(options.onMeasured);
    this.#large = new LargeOnes(options.window);
    this.#kept = new Kept(options.keptBytes ?? maxKeptBytes);
    this.#givenUp = options.givenUp.of(connection.claims);
    this.#addressee = { uid: connection.claims.uid, maxBytes: options.maxEventBytes };
  }

  /** Written and not acknowledged, and kept back. */
  get unacked(): number {
    return this.#unacknowledged + this.#kept.size;
  }

  get unsettled(): readonly Delivery[] {
    return [...this.#written.slice(this.#head).map(({ delivery }) => delivery), ...this.#kept.deliveries];
  }

  /** `seq` that the last of what is written or kept back will have at most. */
  get lastSeq(): number {
    return this.seq + this.#kept.size;
  }

  /** The broker sends nothing more until something is acknowledged. */
  get isFull(): boolean {
    return this.unacked >= this.#options.window;
  }

  /** When the oldest unacknowledged event was written, ms. */
  get oldestAtMs(): number | undefined {
    return this.#written[this.#head]?.atMs;
  }

  /** Bytes that wait for the client: in its socket, and of bodies kept back. */
  get bytes(): number {
    return this.#connection.bufferedBytes + this.#kept.bytes;
  }

  /** Since when the client, which has events to acknowledge, has not got on with them, ms. */
  get stuckSinceMs(): number | undefined {
    const { oldestAtMs } = this;
    return oldestAtMs && Math.max(oldestAtMs, this.#progressAtMs);
  }

  /** The client says that it is handling what it has not acknowledged. */
  busy(): void {
    this.#progressAtMs = this.#options.now();
  }

  offer(offered: Delivery): void {
    const delivery = this.#options.following?.follow(offered, this.#connection.claims) ?? offered;
    this.offered += 1;
    if (this.#kept.isEmpty && this.#hasRoom) this.#write(delivery);
    else this.#keep(delivery);
    for (const frame of this.#kept.due()) this.insert(frame);
  }

  /** A frame that belongs between what was offered before it and what will be. */
  insert(frame: string): void {
    if (this.#kept.isEmpty || this.#isFlushing) this.#connection.send(frame);
    else this.#kept.insert(frame);
  }

  /** Writes what was kept back, as far as the socket takes it. */
  flush(): void {
    this.#options.onSettling();
    this.#isFlushing = true;
    while (this.#connection.isOpen) {
      const { next } = this.#kept;
      const isOver = this.#kept.isOver(this.#options.now());
      if (next === undefined || (typeof next !== 'string' && !this.#hasRoom && !isOver)) break;
      if (this.#kept.isAway) {
        this.#options.onAway();
        break;
      }
      this.#kept.take();
      if (typeof next === 'string') this.#connection.send(next);
      else if (isOver) this.#expire(next);
      else this.#write(next);
    }
    this.#isFlushing = false;
    this.#changes.made();
  }

  /** Lets go of what is kept back and whose time is over, once it is its turn, also while the socket takes nothing. */
  sweep(): void {
    if (this.#kept.isOver(this.#options.now())) this.flush();
  }

  /** An event of use only to who was connected when it was published, which its client was not. */
  turnAway(delivery: Delivery): void {
    this.offered += 1;
    this.#options.onSettling();
    this.#options.unsent.take(delivery, this.#connection.claims, 'expired');
  }

  /** Acknowledges up to `seq`. False when `seq` was never sent. */
  ack(seq: number): boolean {
    if (seq > this.seq) return false;
    this.#options.onSettling();
    let next = this.#written[this.#head];
    if (next !== undefined && next.seq <= seq) this.busy();
    while (next !== undefined && next.seq <= seq) {
      next.onAcked?.();
      next.delivery.ack();
      this.#head += 1;
      next = this.#written[this.#head];
    }
    if (this.#head > 64 && this.#head * 2 > this.#written.length) {
      this.#written = this.#written.slice(this.#head);
      this.#head = 0;
    }
    this.#ackTimes.acked(seq);
    if (!this.#kept.isEmpty) this.flush();
    else this.#changes.made();
    return true;
  }

  /** The broker's channel is gone: it will deliver again what is unacknowledged here. */
  forget(): void {
    this.before.lostPlace();
    this.before.expect(idsOf(this.#written.slice(this.#head)));
    this.#written = [];
    this.#head = 0;
    this.#ackTimes.forget();
    this.#kept.forget();
    this.#hasForgotten = true;
    this.#changes.made();
  }

  /**
   * Gives everything unacknowledged back to the queue, in order.
   */
  requeueAll(): Requeued {
    const written = this.#written.slice(this.#head);
    for (const { delivery } of written) delivery.requeue();
    const isGapOwed = this.#kept.hasFrames;
    const kept = this.#kept.takeAll();
    for (const delivery of kept) delivery.requeue();
    const requeued = written.length + kept.length;
    this.#written = [];
    this.#head = 0;
    this.before.expect(idsOf(written));
    const { ids } = this.before;
    if (this.#hasForgotten)
      return { requeued, suspect: undefined, written: undefined, ids, isLasting: false, isGapOwed };
    const [first] = written;
    // Those that an earlier connection may have seen follow.
    const suspect = written.length + (this.before.suspect ?? 0);
    const isLasting = this.#mortalSeq < (first?.seq ?? 0);
    const place = first && { seq: first.seq, count: written.length };
    return { requeued, suspect, written: place, ids, isLasting, isGapOwed };
  }

  /** Some of what follows was dropped: which of it was written before is as the broker flags it. */
  lostPlace(): void {
    this.before.lostPlace();
  }

  /** What is kept back without a body, to be given back in order: it will be offered once more, and is not counted till then. */
  takeAway(): Delivery[] {
    const away = this.#kept.takeAway();
    this.offered -= away.length;
    this.before.none();
    return away;
  }

  /** Resolves when all is written and acknowledged, the socket has closed, or after `timeoutMs`. */
  async acknowledged(timeoutMs: number): Promise<void> {
    if (this.unacked === 0 || !this.#connection.isOpen) return;
    await this.#changes.until(() => this.unacked === 0 || !this.#connection.isOpen, timeoutMs);
  }

  /** Resolves when nothing is kept back but for want of acks, the socket has closed, or after `timeoutMs`. */
  async flushed(timeoutMs: number): Promise<void> {
    const isDone = () =>
      this.#kept.isEmpty || this.#kept.isAway || this.#unacknowledged >= this.#options.window;
    if (isDone() || !this.#connection.isOpen) return;
    await this.#changes.until(() => isDone() || !this.#connection.isOpen, timeoutMs);
  }

  /** The connection has closed, by the client with `code`: nobody waits for its acknowledgement any more. */
  connectionClosed(code: number | undefined): void {
    this.#options.givenUp.closed(this.#connection.claims, code, this.#large.largestFrom(this.firstUnacked));
    this.#changes.made();
  }

  /** `seq` of the first that is written and not acknowledged. */
  get firstUnacked(): number {
    return this.#written[this.#head]?.seq ?? Number.POSITIVE_INFINITY;
  }

  get #unacknowledged(): number {
    return this.#written.length - this.#head;
  }

  /** The broker may send one more than a window: without a seal to hold, that one is kept here. */
  get #hasRoom(): boolean {
    const { highWatermarkBytes, window } = this.#options;
    return this.#connection.bufferedBytes <= highWatermarkBytes && this.#unacknowledged < window;
  }

  #keep(delivery: Delivery): void {
    const { body, properties } = delivery;
    const isEvent = !isOfService(delivery);
    const marks = isEvent ? marksOf(delivery, this.#options.now()) : undefined;
    if (marks?.key !== undefined) this.#collapse(marks.key);
    if (isEvent && isSurelyTooLong(body, properties, this.#addressee.maxBytes)) {
      discarded(body);
      delivery.forgetContent();
      this.#oversized.add(delivery);
    }
    this.#kept.add(delivery, marks);
  }

  /** What may have been written to an earlier connection stays: it is counted from the front. */
  #collapse(key: string): void {
    const isCounted = this.before.suspect !== 0 || (this.before.again?.count ?? 0) > 0;
    const older = this.#kept.takeOlder(key, ({ redelivered }) => !(isCounted && redelivered));
    if (older.length > 0) this.#options.onSettling();
    for (const delivery of older) delivery.ack();
  }

  /** Its time was over before it was its turn: a gap is in its place. */
  #expire(delivery: Delivery): void {
    this.before.isRedelivered(delivery, false);
    this.before.position();
    this.#options.onExpired();
    this.#options.unsent.take(delivery, this.#connection.claims, 'expired');
  }

  #write(delivery: Delivery): void {
    const isCounted = isOfService(delivery);
    const isRedelivered = this.before.isRedelivered(delivery, isCounted);
    const isTooLarge = this.#oversized.has(delivery) || this.#isGivenUp(delivery);
    if (isTooLarge && !isCounted) return this.#refuse(delivery);
    const again = this.before.position();
    if (this.#connection.isBare && !isAsk(delivery)) return this.#writeBare(delivery);
    const seq = this.seq + 1;
    if (isCounted) {
      const place = { seq, isRedelivered, again };
      return this.#writeAnswer(delivery, this.answers.of(delivery, place, isTooLarge));
    }
    const wallMs = wallNow();
    const id = messageIdentity(delivery);
    const frame = eventFrame(seq, id, delivery, wallMs, isRedelivered, this.#addressee, again);
    if (frame === undefined) return this.#refuse(delivery);
    const atMs = this.#options.onEvent?.(delivery, wallMs);
    if (atMs !== undefined && this.ackMode === 'client') this.#ackTimes.wrote(seq, atMs);
    this.#send(frame, delivery, this.answers.receipt(delivery), id);
  }

  #writeAnswer(delivery: Delivery, answer: Answer | 'drop' | undefined): void {
    if (answer === 'drop') return delivery.ack();
    if (answer === undefined) return this.#writeReply(delivery);
    const { frame, ends, onAcked } = answer;
    this.#send(frame, delivery, onAcked);
    if (ends !== undefined) this.#options.onReplied(ends);
  }

  /** With the next `seq`, held until that is acknowledged. */
  #send(frame: string, delivery: Delivery, onAcked?: () => void, id?: string): void {
    this.seq += 1;
    const { seq } = this;
    if (LargeOnes.is(frame.length))
      this.#large.note(seq, id ?? messageIdentity(delivery), frame.length, this.firstUnacked);
    this.#options.following?.written(delivery, seq);
    const nowMs = this.#options.now();
    if (this.ackMode === 'client') {
      this.#hold(seq, delivery, nowMs, onAcked, id);
      this.#connection.send(frame);
    } else if (this.#connection.send(frame)) {
      onAcked?.();
      delivery.ack();
    } else {
      this.#hold(seq, delivery, nowMs, onAcked, id);
    }
    this.#options.onWritten(frame.length, nowMs);
  }

  /** It is never sent. */
  #refuse(delivery: Delivery): void {
    discarded(delivery.body);
    // First the gap: who does not get it gets the event once more, and then the gap.
    this.#options.onTooLarge();
    this.#options.unsent.take(delivery, this.#connection.claims, 'too-large');
  }

  #isGivenUp(delivery: Delivery): boolean {
    return this.#givenUp !== undefined && messageIdentity(delivery) === this.#givenUp;
  }

  /** Until it is acknowledged; its body, and the read that brought it, are needed no more. */
  #hold(seq: number, delivery: Delivery, atMs: number, onAcked: Written['onAcked'], id: Written['id']): void {
    if (delivery.properties.expiration !== undefined) this.#mortalSeq = seq;
    delivery.forgetContent();
    this.#written.push({ seq, delivery, atMs, onAcked, id });
  }

  /** An answer without parts: acknowledged when written, since no `seq` counts it. */
  #writeReply(delivery: Delivery): void {
    const frame = replyFrame(delivery, this.#addressee.maxBytes);
    this.#options.following?.written(delivery);
    if (this.#connection.send(frame)) delivery.ack();
    else delivery.requeue();
    this.#options.onWritten(frame.length, this.#options.now());
    this.#options.onReplied(delivery.properties.correlationId ?? '');
  }

  #writeBare(delivery: Delivery): void {
    const { body } = delivery;
    if (body.length > this.#addressee.maxBytes) return this.#refuse(delivery);
    this.#options.following?.written(delivery);
    const isSent = isUtf8(body)
      ? this.#connection.send(body.toString('utf8'))
      : this.#connection.sendBinary(body);
    if (isSent) delivery.ack();
    else delivery.requeue();
    this.#options.onWritten(body.length, this.#options.now());
  }
}

/** No event, but a reply or a question. */
const isOfService = (delivery: Delivery): boolean => isReply(delivery) || isAsk(delivery);

const idsOf = (written: readonly Written[]): string[] => written.flatMap(({ id }) => id ?? []);
