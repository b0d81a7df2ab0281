import { Mesh } from '@evenkeel/mesh';
import { LogLimits, monotonicNow, sleep, wallNow, withDeadline } from '@evenkeel/pace';
import { exchanges } from '@evenkeel/protocol';
import {
  type CreatePublisherOptions,
  createPublisher,
  type InboundMessage,
  type Publisher,
} from '@evenkeel/publisher';
import { type Log, postSigned } from '@evenkeel/runtime';
import { happeningBody, inboundBody, replyOf } from './bodies.js';
import { type Delivered, deliver } from './deliver.js';
import { InOrder } from './in-order.js';
import type { HookKind, Webhook } from './settings.js';

/** Waits between tries: eight in about two minutes. Then it is dead. */
const delaysMs = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000];
/** A client waits for its answer. */
const requestDelaysMs = [250, 1_000];
/** Of one post. */
const timeoutMs = 10_000;
const requestTimeoutMs = 8_000;
const maxAnswerBytes = 1_048_576;
/** Told at the same time, of one application and kind. */
const atOnce = 64;
/** What waits while no API runs is kept for so long, and so many happenings of sessions. */
const keepMs = 3_600_000;
const maxWaiting = 100_000;
const stopMs = 2_000;
/** What could not be started is tried again after this. */
const startAgainMs = 5_000;
const logEveryMs = 10_000;

/** What became of something that an application was to be told. `retried` is counted for each further try. */
type HookOutcome = 'done' | 'retried' | 'refused' | 'dead';

export interface WebhookOptions {
  readonly webhook: Webhook;
  readonly amqpUrl: string;
  readonly tls: CreatePublisherOptions['tls'];
  readonly onOutcome: (kind: HookKind, outcome: HookOutcome) => void;
  readonly log: Log;
}

/** Tells one application by HTTP what clients send to it, and what becomes of sessions. */
export class WebhookService {
  readonly #options: WebhookOptions;
  readonly #stopping = new AbortController();
  readonly #sessions = new InOrder();
  readonly #logLimits = new LogLimits(logEveryMs);
  #publisher: Publisher | undefined;
  #mesh: Mesh | undefined;
  /** Why it has not started. */
  #reason: string | undefined = 'not started yet; the log says why';

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** True, or why it hears nothing at present. */
  readiness(): true | string {
    const parts = [this.#reason, this.#publisher?.readiness(), this.#mesh?.readiness()];
    return parts.find((each): each is string => typeof each === 'string') ?? true;
  }

  /** Waits for nothing, and tries until it is stopped: an application that cannot be told is no reason not to serve the others. */
  start(signal: AbortSignal): void {
    void this.#keepStarting(AbortSignal.any([signal, this.#stopping.signal]));
  }

  async #keepStarting(signal: AbortSignal): Promise<void> {
    const { webhook, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#start(signal);
        this.#reason = undefined;
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#reason = error instanceof Error ? error.message : String(error);
        log.error({ webhook: webhook.name, err: error }, 'webhook cannot start');
        await this.#close();
        await sleep(startAgainMs, signal).catch(() => {});
      }
    }
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { webhook, amqpUrl, tls, log } = this.#options;
    const { name, on } = webhook;
    if (on.includes('opened') || on.includes('ended')) await this.#hearSessions(signal);
    if (!on.includes('publish') && !on.includes('request')) return;
    this.#publisher = await createPublisher({
      amqpUrl,
      ...(tls && { tls }),
      name,
      log,
      signal,
      closeTimeoutMs: stopMs,
    });
    // What has come to nothing is counted here, and not tried once more there.
    const served = {
      graceMs: keepMs,
      concurrency: atOnce,
      handlerTimeoutMs: Number.POSITIVE_INFINITY,
      retryDelaysMs: [],
    };
    const words = `${name}.#`;
    if (on.includes('request'))
      await this.#publisher.serve(words, (message) => this.#ask(message), { ...served, order: 'none' });
    if (on.includes('publish')) await this.#publisher.on(words, (message) => this.#tell(message), served);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const publisher = this.#publisher;
    this.#publisher = undefined;
    await Promise.all([publisher?.close(), withDeadline(this.#sessions.idle(), stopMs, () => undefined)]);
    await this.#close();
  }

  async #close(): Promise<void> {
    const [publisher, mesh] = [this.#publisher, this.#mesh];
    this.#publisher = undefined;
    this.#mesh = undefined;
    await Promise.all([publisher?.close(), mesh?.stop()]);
  }

  async #hearSessions(signal: AbortSignal): Promise<void> {
    const { webhook, amqpUrl, tls, log } = this.#options;
    const kinds = (['opened', 'ended'] as const).filter((kind) => webhook.on.includes(kind));
    this.#mesh = new Mesh({
      url: amqpUrl,
      tls,
      name: `${webhook.name} webhooks`,
      log,
      uses: [exchanges.sessions],
    });
    const queue = this.#mesh.durableQueue({
      name: `service.${webhook.name}.webhooks`,
      arguments: { 'x-max-length': maxWaiting, 'x-overflow': 'drop-head', 'x-expires': keepMs },
      bindings: kinds.map((kind) => ({ exchange: exchanges.sessions, key: `*.${kind}` })),
      prefetch: atOnce,
      onDelivery: (delivery) => {
        const told = happeningBody(delivery.key, delivery.properties.messageId, delivery.body);
        const kind = kinds.find((each) => delivery.key.endsWith(`.${each}`));
        if (told === undefined || kind === undefined) return delivery.ack();
        this.#sessions.push(told.session, async () => {
          const { is } = await this.#post(kind, told.body, delaysMs, timeoutMs);
          if (is === 'stopped') delivery.requeue();
          else delivery.ack();
        });
      },
      log,
    });
    await this.#mesh.start(signal);
    await queue.start(signal);
  }

  /** @throws Error where it is to be handed out again */
  async #tell(message: InboundMessage): Promise<void> {
    const { is } = await this.#post('publish', inboundBody('publish', message), delaysMs, timeoutMs);
    // It goes back to the queue, as what is still being handled does.
    if (is === 'stopped') await new Promise(() => {});
  }

  /** @throws ServiceError */
  async #ask(message: InboundMessage): Promise<unknown> {
    return replyOf(
      await this.#post('request', inboundBody('request', message), requestDelaysMs, requestTimeoutMs),
    );
  }

  async #post(
    kind: HookKind,
    body: object | string,
    delays: readonly number[],
    limitMs: number,
  ): Promise<Delivered> {
    const { webhook, onOutcome, log } = this.#options;
    const delivered = await deliver({
      post: () =>
        postSigned(webhook, body, { timeoutMs: limitMs, maxBytes: maxAnswerBytes, nowMs: wallNow() }),
      delaysMs: delays,
      sleep,
      signal: this.#stopping.signal,
      onRetry: () => onOutcome(kind, 'retried'),
    });
    if (delivered.is === 'stopped') return delivered;
    onOutcome(kind, delivered.is);
    if (delivered.is !== 'done') {
      const { name } = webhook;
      const why = delivered.is === 'dead' ? delivered.why : `it answered ${delivered.status}`;
      const suppressed = this.#logLimits.pass(`${kind} ${delivered.is}`, monotonicNow());
      if (suppressed !== undefined)
        log.warn(
          { webhook: name, kind, outcome: delivered.is, reason: why, suppressed },
          'webhook not delivered',
        );
    }
    return delivered;
  }
}
