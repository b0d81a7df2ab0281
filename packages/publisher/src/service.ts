import { BrokerError, type Consumer, type Delivery } from '@evenkeel/broker';
import { withDeadline } from '@evenkeel/pace';
import { inboundKind, traceContextOf, traceIdOf } from '@evenkeel/protocol/wire';
import { Answered } from './answered.js';
import { attempt, type Result } from './attempt.js';
import { isOfMesh } from './authorize.js';
import { WrongInbound } from './checking.js';
import type { HandledOutcome } from './figures.js';
import { inboundMessage } from './inbound.js';
import { Lanes, type Turn } from './lanes.js';
import type { Serving } from './options.js';
import { type Served, ServiceQueue } from './queues.js';
import type { ReplyAddress } from './replies.js';
import { errorReplyOf, type Reply, replyOf, serviceFailed } from './reply.js';
import { addressOf, type ServiceMesh } from './service-mesh.js';
import { shown } from './shown.js';
import { cancelled, isStream, Stream } from './stream.js';
import type { InboundHandler, InboundMessage, Service } from './types.js';

/** How often a queue of an earlier version is looked at, ms. */
const olderEveryMs = 1_000;
/** How long the broker may take to say that it has what was given back, ms. */
const givenBackMs = 2_000;
/** When a reply is sent again that the broker did not take, ms; then no more. */
const replyDelaysMs = [1_000, 5_000];
/** Share of the messages taken ahead that may wait behind one which is handled again later. */
const crowdShare = 0.25;

/** A message that is here, until it is settled. */
interface Taken {
  readonly delivery: Delivery;
  /** So often its handler has run, or its reply was sent. */
  attempts: number;
  /** The broker delivers it again: its channel is gone, or it has been given back. */
  isVoid: boolean;
  /** Of a request whose handler has run: only the reply is still to be sent. */
  reply?: Reply;
}

/** Consumes what is to be served. @throws PublisherError `method-taken`, `queue-differs`; BrokerError. */
export async function serve(
  mesh: ServiceMesh,
  served: Served,
  handler: InboundHandler,
  serving: Serving,
): Promise<Service> {
  const service = new RunningService(mesh, served, handler, serving);
  await service.start();
  return service;
}

class RunningService implements Service {
  ignored = 0;
  dropped = 0;
  readonly #mesh: ServiceMesh;
  readonly #served: Served;
  readonly #handler: InboundHandler;
  readonly #serving: Serving;
  readonly #queue: ServiceQueue;
  readonly #lanes: Lanes<Taken>;
  /** Replies to requests, and whether publishes were handled or dropped. */
  readonly #answered: Answered<Reply>;
  readonly #published: Answered<'handled' | 'dropped'>;
  #mark: Consumer | undefined;
  #consumer: Consumer | undefined;
  #olderTimer: NodeJS.Timeout | undefined;
  /** Answers in parts that are under way. */
  readonly #streams = new Set<AbortController>();
  #unnamed = 0;
  #stopped: Promise<void> | undefined;

  constructor(mesh: ServiceMesh, served: Served, handler: InboundHandler, serving: Serving) {
    const { broker, name, log } = mesh;
    const { queue, graceMs, concurrency, remember } = serving;
    this.#mesh = mesh;
    this.#served = served;
    this.#handler = handler;
    this.#serving = serving;
    const topology = broker.topology({ channels: 1 });
    this.#queue = new ServiceQueue({ service: name, served, queue, graceMs, topology, log });
    this.#lanes = new Lanes(
      concurrency,
      (taken) => this.#carryOut(taken),
      Math.ceil(serving.prefetch * crowdShare),
    );
    this.#answered = new Answered(remember, ({ body }) => body.length);
    this.#published = new Answered(remember);
  }

  async start(): Promise<void> {
    const { consumers } = this.#mesh;
    const { mark, name } = this.#queue;
    try {
      // First: nothing is to be routed to the queue of a service that is refused.
      if (mark !== undefined) {
        const prepare = () => this.#queue.claim(mark);
        await prepare();
        this.#mark = await consumers.consume(mark, { prepare, onDelivery: (delivery) => delivery.ack() });
      }
      await this.#queue.prepare();
      this.#consumer = await consumers.consume(name, {
        prefetch: this.#serving.prefetch,
        prepare: async () => {
          // After a long absence the method may be another service's.
          if (mark !== undefined) await this.#queue.claim(mark);
          await this.#queue.prepare();
        },
        onDelivery: (delivery) => this.#take(delivery),
        onLost: (why) => {
          if (why === 'channel') this.#void();
        },
      });
    } catch (error) {
      await this.#mark?.cancel();
      throw error;
    }
    this.#olderTimer = setInterval(() => this.#replaceOlder(), olderEveryMs);
    this.#olderTimer.unref();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { closeTimeoutMs, log } = this.#mesh;
    clearInterval(this.#olderTimer);
    this.#lanes.stop();
    const finished = async () => {
      await this.#consumer?.cancel();
      await this.#lanes.finished();
    };
    await withDeadline(finished(), closeTimeoutMs, () => undefined).catch(() => {});
    for (const stream of this.#streams) stream.abort(new Error('the service stops'));
    const { running } = this.#lanes;
    if (running.length > 0) {
      const fields = { queue: this.#queue.name, running: running.length, closeTimeoutMs };
      log.warn(fields, 'stopped while handlers ran: their messages go back to the queue');
    }
    for (const taken of running) taken.isVoid = true;
    const waiting = this.#lanes.drain();
    const done = waiting.filter((taken) => this.#isDone(taken));
    for (const taken of [...running, ...waiting]) if (!done.includes(taken)) taken.delivery.requeue();
    const givenBack = Promise.all([this.#conclude(done), this.#isGivenBack(), this.#mark?.cancel()]);
    await withDeadline(givenBack, givenBackMs, () => undefined).catch(() => {});
  }

  /** Whether its handler has run, here: another instance would run it once more. */
  #isDone({ delivery, reply }: Taken): boolean {
    const of = this.#served.kind === 'request' ? this.#answered : this.#published;
    return reply !== undefined || of.of(delivery.properties.messageId) !== undefined;
  }

  /** Settles what is done; what cannot be settled now is given back. */
  async #conclude(done: readonly Taken[]): Promise<void> {
    const turns = await Promise.all(done.map((taken) => this.#carryOut(taken)));
    for (const [n, turn] of turns.entries()) if (turn !== undefined) done[n]?.delivery.requeue();
  }

  /** Resolves when the broker has what was given back. A queue that goes with its last consumer has nothing to be given. */
  async #isGivenBack(): Promise<void> {
    if (this.#serving.graceMs > 0 && !this.#queue.isOlder) await this.#consumer?.barrier();
  }

  #take(delivery: Delivery): void {
    const { type, replyTo } = delivery.properties;
    const { kind, pattern } = this.#served;
    // What edges ask matches `#` too, and is for nobody who serves clients.
    if (inboundKind(type, replyTo) !== kind || isOfMesh(delivery.key) !== isOfMesh(pattern))
      return this.#ignore(delivery);
    this.#lanes.push(this.#laneOf(delivery), { delivery, attempts: 0, isVoid: false });
  }

  #ignore(delivery: Delivery): void {
    const { kind } = this.#served;
    this.ignored += 1;
    this.#mesh.counts.add('ignored');
    if (this.ignored === 1) {
      const { type } = delivery.properties;
      const fields = { queue: this.#queue.name, key: delivery.key, type };
      this.#mesh.log.warn(fields, `not a ${kind}: not handled; further ones are counted`);
    }
    delivery.ack();
  }

  /** Repeats are of one lane in every order, so that the second knows what became of the first. */
  #laneOf({ key, properties: { headers, messageId } }: Delivery): string {
    const { order } = this.#serving;
    const { 'evenkeel-uid': uid, 'evenkeel-session': sid } = headers;
    if (order === 'session' && typeof sid === 'string') return `session ${String(uid)} ${sid}`;
    if (order !== 'none') return `key ${key}`;
    this.#unnamed += 1;
    return messageId === undefined ? `unnamed ${this.#unnamed}` : `id ${messageId}`;
  }

  /** The channel is gone, and comes back with all that was not settled. */
  #void(): void {
    this.#lanes.drain();
    for (const taken of this.#lanes.running) taken.isVoid = true;
  }

  #replaceOlder(): void {
    if (!this.#queue.isOlder || !this.#lanes.isIdle) return;
    this.#queue.replaceOlder().catch((error: unknown) => {
      this.#mesh.log.warn(
        { queue: this.#queue.name, error: String(error) },
        'queue of an earlier version not replaced',
      );
    });
  }

  async #carryOut(taken: Taken): Promise<Turn> {
    try {
      return await (this.#served.kind === 'request' ? this.#answer(taken) : this.#handle(taken));
    } catch (error) {
      // Nothing below throws; if it did, the message must not be lost.
      this.#mesh.log.error({ ...this.#about(taken), error: shown(error) }, 'message not settled');
      taken.delivery.requeue();
      return undefined;
    }
  }

  /** A publish: nobody waits for an answer, so it may be tried again. */
  async #handle(taken: Taken): Promise<Turn> {
    const { delivery } = taken;
    const { messageId } = delivery.properties;
    const known = this.#published.of(messageId);
    const outcome = known === undefined ? await this.#outcomeOf(taken) : known;
    if (known !== undefined) this.#came(taken, 'repeated');
    if (typeof outcome === 'object') return taken.isVoid ? undefined : outcome;
    if (known === undefined) this.#published.remember(messageId, outcome);
    if (outcome === 'handled') delivery.ack();
    else delivery.drop();
    return undefined;
  }

  async #outcomeOf(taken: Taken): Promise<'handled' | 'dropped' | { againInMs: number }> {
    const { log, counts } = this.#mesh;
    const { retryDelaysMs } = this.#serving;
    taken.attempts += 1;
    const result = await this.#attempt(taken, async (message) => this.#handler(message));
    if (result.is === 'done') return this.#came(taken, 'handled');
    // It comes again anyway.
    if (taken.isVoid) return { againInMs: 0 };
    const { attempts } = taken;
    const fields = { ...this.#about(taken), attempts, error: shown(result.error) };
    const againInMs = result.error instanceof WrongInbound ? undefined : retryDelaysMs[attempts - 1];
    if (againInMs !== undefined) {
      counts.add('retried');
      log.warn({ ...fields, againInMs }, 'handler failed: the message is handled again');
      return { againInMs };
    }
    this.dropped += 1;
    log.error({ ...fields, dropped: this.dropped }, 'handler failed each time: the message is dropped');
    return this.#came(taken, 'dropped');
  }

  /** A request: answered whatever happens, once. */
  async #answer(taken: Taken): Promise<Turn> {
    const { delivery } = taken;
    const { messageId } = delivery.properties;
    const known = this.#answered.of(messageId);
    const address = addressOf(delivery);
    if (taken.reply === undefined && known !== undefined) this.#came(taken, 'repeated');
    taken.reply ??= known ?? (await this.#replyTo(taken, address));
    const { reply } = taken;
    if (known === undefined) this.#answered.remember(messageId, reply);
    if (address !== undefined) {
      const turn = await this.#send(taken, (what) => this.#mesh.replies.send(address, what), reply);
      if (turn) return turn;
    }
    delivery.ack();
    return undefined;
  }

  async #replyTo(taken: Taken, address: ReplyAddress | undefined): Promise<Reply> {
    const ending = new AbortController();
    const result = await this.#attempt(taken, async (message) => {
      const signal = AbortSignal.any([message.signal, ending.signal]);
      const value = await this.#handler({ ...message, signal });
      return isStream(value) ? value : replyOf(value);
    });
    if (result.is === 'done') {
      if (isStream(result.value)) return await this.#streamed(taken, address, result.value, ending);
      this.#came(taken, 'answered');
      return result.value;
    }
    const told = errorReplyOf(result.error);
    this.#came(taken, told === undefined ? 'failed' : 'refused');
    if (told) return told;
    this.#mesh.log.error({ ...this.#about(taken), error: shown(result.error) }, 'handler failed');
    return serviceFailed;
  }

  /** Sends the parts; resolves with the last message of the answer. */
  async #streamed(
    taken: Taken,
    address: ReplyAddress | undefined,
    parts: AsyncIterable<unknown>,
    ending: AbortController,
  ): Promise<Reply> {
    const { replies, cancellations, counts, log } = this.#mesh;
    const { delivery } = taken;
    const stream = new Stream({
      parts,
      limitMs: this.#serving.handlerTimeoutMs,
      ending,
      send: async (n, part, isAsked) =>
        address !== undefined &&
        (await replies.sendPart(address, part, n, isAsked ? cancellations.word : undefined)),
      // What has been sent no other instance could go on with.
      onBegun: () => delivery.ack(),
      onFailed: (error) => log.error({ ...this.#about(taken), error: shown(error) }, 'handler failed'),
    });
    const followed = { cancelled: () => ending.abort(cancelled()), taken: (n: number) => stream.taken(n) };
    this.#streams.add(ending);
    counts.running += 1;
    let end = (): void => {};
    try {
      end = await cancellations.follow(delivery.properties.messageId ?? '', followed);
      const reply = await stream.run();
      this.#came(taken, reply.errorCode === undefined ? 'answered' : 'refused');
      return reply;
    } catch (error) {
      log.error({ ...this.#about(taken), error: shown(error) }, 'answer in parts not begun');
      this.#came(taken, 'failed');
      return serviceFailed;
    } finally {
      end();
      counts.running -= 1;
      this.#streams.delete(ending);
    }
  }

  /** What the broker refuses for good becomes an error; what it did not take is sent again, a few times. */
  async #send(taken: Taken, send: (reply: Reply) => Promise<void>, reply: Reply): Promise<Turn> {
    try {
      await send(reply);
      return undefined;
    } catch (cause) {
      const fields = { ...this.#about(taken), error: String(cause) };
      if (cause instanceof BrokerError && cause.code === 'publish-refused' && reply !== serviceFailed) {
        this.#mesh.log.error(
          fields,
          'the broker refuses the reply: the client is told that the service failed',
        );
        taken.reply = serviceFailed;
        this.#answered.remember(taken.delivery.properties.messageId, serviceFailed);
        return this.#send(taken, send, serviceFailed);
      }
      const againInMs = replyDelaysMs[taken.attempts];
      taken.attempts += 1;
      if (againInMs === undefined || taken.isVoid) {
        this.#mesh.log.error(fields, 'reply not sent, and given up');
        return undefined;
      }
      this.#mesh.log.warn({ ...fields, againInMs }, 'reply not sent: it is sent again');
      return { againInMs };
    }
  }

  /** Runs the handler once. */
  async #attempt<Value>(
    { delivery }: Taken,
    run: (message: InboundMessage) => Promise<Value>,
  ): Promise<Result<Value>> {
    const { counts, tracing } = this.#mesh;
    const { headers } = delivery.properties;
    const handle = (signal: AbortSignal) =>
      tracing.within(headers, () => run(inboundMessage(delivery, signal)));
    counts.running += 1;
    try {
      return await attempt(handle, this.#serving.handlerTimeoutMs);
    } finally {
      counts.running -= 1;
    }
  }

  /** Counts what came of a message, and says it to whoever follows its session. */
  #came<Outcome extends HandledOutcome>(taken: Taken, outcome: Outcome): Outcome {
    const { counts, log } = this.#mesh;
    counts.add(outcome);
    const { headers } = taken.delivery.properties;
    const { 'evenkeel-user': user, 'evenkeel-session': session } = headers;
    const context = traceContextOf(headers);
    const trace = context && { trace: traceIdOf(context) };
    log.debug({ ...this.#about(taken), user, session, ...trace, outcome }, this.#served.kind);
    return outcome;
  }

  /** For the log: which message it is, and nothing of what is in it. */
  #about({ delivery }: Taken): { queue: string; method: string; id: string | undefined } {
    return { queue: this.#queue.name, method: delivery.key, id: delivery.properties.messageId };
  }
}
