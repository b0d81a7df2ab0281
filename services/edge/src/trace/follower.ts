import type { Delivery, PublishOutcome } from '@evenkeel/broker';
import { fromUid, type TraceContext, traceContextOf, traceIdOf } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/** Whose session it is. */
interface Owner {
  readonly uid: string;
  readonly sid: string;
}

/** What a span is told; spans.ts has them from OpenTelemetry. */
export interface Span {
  addEvent(name: string): unknown;
  end(): void;
}

export type BeginSpan = (
  name: string,
  context: TraceContext,
  attributes: Readonly<Record<string, string>>,
) => Span | undefined;

type Message = Pick<Delivery, 'key' | 'properties'>;

/**
 * Follows messages that belong to a trace, step by step: in the log at `debug`, and as spans where they are wanted. There is none of it
 * otherwise, so that an event costs nothing more.
 */
export class Follower {
  readonly #log: Pick<Log, 'debug'> | undefined;
  readonly #beginSpan: BeginSpan;

  /** `log`: undefined where it does not write what is at `debug`. */
  constructor(log: Pick<Log, 'debug'> | undefined, beginSpan: BeginSpan = () => undefined) {
    this.#log = log;
    this.#beginSpan = beginSpan;
  }

  /** An event, or a service's reply, has come from a session's queue: what is to be used in its place; undefined: it is of no trace. */
  follow(delivery: Delivery, { uid, sid }: Owner): Delivery | undefined {
    const context = traceContextOf(delivery.properties.headers);
    if (!context) return undefined;
    const { messageId, correlationId } = delivery.properties;
    const about = { ...(messageId && { id: messageId }), ...(correlationId && { request: correlationId }) };
    const span = this.#beginSpan('evenkeel deliver', context, { 'evenkeel.session': sid, ...about });
    if (!span && !this.#log) return undefined;
    const fields = { trace: traceIdOf(context), session: sid, user: fromUid(uid) };
    this.#log?.debug({ ...fields, ...about, key: delivery.key }, 'event received');
    return new FollowedDelivery(delivery, (step, more) => {
      span?.addEvent(step);
      if (step !== 'written') span?.end();
      this.#log?.debug({ ...fields, ...more }, `event ${step}`);
    });
  }

  /** It is handed to the socket; `seq`: of an event, not of a reply. */
  written(delivery: Delivery, seq?: number): void {
    if (delivery instanceof FollowedDelivery) delivery.written(seq);
  }

  /** It reaches this session no more, and has gone to `mesh.undelivered`. */
  undelivered(message: Message, why: string, { uid, sid }: Owner): void {
    const context = traceContextOf(message.properties.headers);
    if (!context) return;
    const fields = { trace: traceIdOf(context), session: sid, user: fromUid(uid), why };
    this.#log?.debug({ ...fields, id: message.properties.messageId }, 'event undelivered');
  }

  /** A topic's message has been sent to all who have subscribed it here. */
  fannedOut(topic: string, { properties }: Message): void {
    const context = traceContextOf(properties.headers);
    if (!context) return;
    const span = this.#beginSpan('evenkeel fan out', context, { 'evenkeel.topic': topic });
    span?.end();
    this.#log?.debug({ trace: traceIdOf(context), topic, id: properties.messageId }, 'message fanned out');
  }

  /** What a client has sent is at the broker, or the broker has nobody for it. Begins when this is called, ends with `outcome`. */
  async handedOn(
    kind: 'publish' | 'request',
    { uid, sid }: Owner,
    key: string,
    context: TraceContext | undefined,
    outcome: Promise<PublishOutcome>,
  ): Promise<PublishOutcome> {
    if (!context) return await outcome;
    const span = this.#beginSpan(`evenkeel ${kind}`, context, {
      'evenkeel.session': sid,
      'evenkeel.key': key,
    });
    const fields = { trace: traceIdOf(context), session: sid, user: fromUid(uid), key };
    try {
      const is = await outcome;
      this.#log?.debug({ ...fields, outcome: is }, `${kind} handed on`);
      return is;
    } finally {
      span?.end();
    }
  }
}

/** Tells what becomes of a delivery, also once its content is forgotten. */
class FollowedDelivery implements Delivery {
  readonly #delivery: Delivery;
  readonly #tell: (step: string, more?: object) => void;
  #isWritten = false;

  constructor(delivery: Delivery, tell: (step: string, more?: object) => void) {
    this.#delivery = delivery;
    this.#tell = tell;
  }

  get body(): Buffer {
    return this.#delivery.body;
  }
  get exchange(): string {
    return this.#delivery.exchange;
  }
  get key(): string {
    return this.#delivery.key;
  }
  get redelivered(): boolean {
    return this.#delivery.redelivered;
  }
  get properties(): Delivery['properties'] {
    return this.#delivery.properties;
  }
  get isSettled(): boolean {
    return this.#delivery.isSettled;
  }
  get isVoid(): boolean {
    return this.#delivery.isVoid;
  }

  forgetContent(): void {
    this.#delivery.forgetContent();
  }

  written(seq: number | undefined): void {
    this.#isWritten = true;
    this.#tell('written', seq === undefined ? {} : { seq });
  }

  ack(): void {
    // What is too large is settled once it has gone to `mesh.undelivered`.
    this.#tell(this.#isWritten ? 'acknowledged' : 'dropped');
    this.#delivery.ack();
  }

  requeue(): void {
    this.#tell('given back');
    this.#delivery.requeue();
  }

  drop(): void {
    this.#tell('dropped');
    this.#delivery.drop();
  }
}
