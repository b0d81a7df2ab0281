import type { Delivery, Publisher } from '@evenkeel/broker';
import { type Mesh, type OwnQueue, readJson } from '@evenkeel/mesh';
import { exchanges, fromUid, isNodeName, isUid, maxPassBytes, queues, refreshKey } from '@evenkeel/protocol';
import type { Log, Refused } from '@evenkeel/runtime';
import { z } from 'zod';
import { AuthError, type Credentials, type Identity } from '../auth/credentials.js';
import type { Times } from '../placement/placer.js';
import { heldAt, type PassIssuer } from './pass-issuer.js';

/** Questions in work at the same time; the others wait in the queue, where each lives for {@link answerMs}. */
const prefetch = 64;
/** Questions that wait for a gateway at most; the oldest go. */
const maxWaiting = 10_000;
/** An edge waits so long for its answer, ms. */
const answerMs = 5_000;
/** The queue goes when no gateway has been there for this long: edges are then told at once that none is, ms. */
const unusedMs = 60_000;
/** Longest question that is read, bytes. */
const maxBytes = 2 * maxPassBytes;

const question = z.object({
  token: z.string().min(1).max(maxPassBytes),
  uid: z.string().refine(isUid),
  sid: z.string(),
  /** Of the pass that counts for the session: the new one is to be newer. */
  rev: z.number().int().nonnegative().optional(),
});

/** What an edge is answered. `exp`: by the clock of that edge. */
type Answer =
  | { ok: true; pass: string; exp: number; rev: number; hash: string }
  | { ok: false; code: string; message: string };

export interface RefreshesOptions {
  mesh: Pick<Mesh, 'durableQueue' | 'publisher'>;
  /** @throws AuthError */
  authenticate(credentials: Credentials): Promise<Identity>;
  /** Whether an operator keeps them out. */
  denies(who: { uid: string; sid: string }): boolean;
  passes: PassIssuer;
  /** What time it is for the node, and for all. */
  times(node: string | undefined): Times;
  /** How each ended, for a metric. */
  onAnswered(outcome: 'refreshed' | 'refused' | 'undecided'): void;
  /** Somebody gets no new pass. */
  onRefused(refused: Refused): void;
  log: Pick<Log, 'debug' | 'info' | 'warn' | 'error'>;
}

/** Exchanges new tokens for new passes, for sockets that are open: edges ask over `mesh.inbound`, one of the gateways answers. */
export class Refreshes {
  readonly #options: RefreshesOptions;
  readonly #queue: OwnQueue;
  readonly #publisher: Pick<Publisher, 'publish'>;

  constructor(options: RefreshesOptions) {
    this.#options = options;
    this.#publisher = options.mesh.publisher;
    this.#queue = options.mesh.durableQueue({
      name: queues.refresh,
      isOptional: true,
      arguments: {
        'x-max-length': maxWaiting,
        'x-message-ttl': answerMs,
        'x-expires': unusedMs,
      },
      bindings: [{ exchange: exchanges.inbound, key: refreshKey }],
      prefetch,
      log: options.log,
      onDelivery: (delivery) => void this.#onDelivery(delivery),
    });
  }

  /** Why nothing is answered, if so. That is no reason to place nobody: an older broker user may lack the right to the queue. */
  note(): string | undefined {
    const readiness = this.#queue.readiness();
    return readiness === true ? undefined : readiness;
  }

  /** Does not wait for the queue. */
  start(signal?: AbortSignal): void {
    this.#queue.start(signal).catch(() => {});
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  /** Settled once it is answered: until then it counts as one in work, and a gateway that dies leaves it to another. */
  async #onDelivery(delivery: Delivery): Promise<void> {
    const { onAnswered, log } = this.#options;
    const { replyTo, correlationId, headers } = delivery.properties;
    const { body } = delivery;
    const asked = body.length > maxBytes ? undefined : question.safeParse(readJson(body)).data;
    try {
      const { outcome, answer } = await this.#answer(asked, headers['evenkeel-node']);
      onAnswered(outcome);
      if (!answer.ok) this.#refused(answer, asked);
      if (replyTo === undefined) return;
      const properties = { contentType: 'application/json', correlationId, expiration: answerMs };
      await this.#publisher.publish(exchanges.replies, replyTo, JSON.stringify(answer), properties, answerMs);
    } catch (err) {
      // What is asked never shows: it is a token.
      log.warn({ err }, 'a refresh was not answered');
    } finally {
      delivery.ack();
    }
  }

  #refused(answer: Extract<Answer, { ok: false }>, asked: z.infer<typeof question> | undefined): void {
    const { code, message } = answer;
    const reason = `refresh: ${code}`;
    const user = asked === undefined ? undefined : fromUid(asked.uid);
    this.#options.onRefused({ reason, said: message, user, session: asked?.sid });
  }

  async #answer(
    asked: z.infer<typeof question> | undefined,
    node: unknown,
  ): Promise<{ outcome: 'refreshed' | 'refused' | 'undecided'; answer: Answer }> {
    if (asked === undefined) return refused('bad-credentials', 'the token cannot be read; get a new one');
    const { authenticate, denies, passes, times } = this.#options;
    try {
      const credentials = { authorization: `Bearer ${asked.token}`, cookie: undefined, user: undefined };
      const identity = await authenticate(credentials);
      if (identity.uid !== asked.uid)
        return refused('bad-credentials', 'the token is of another user; close, and connect as that one');
      if (denies(asked)) return refused('bad-credentials', 'an operator keeps this user or session out');
      const moment = times(isNodeName(node) ? node : undefined);
      const issued = passes.issue(identity, moment.meshNowMs, asked.rev);
      if (issued === undefined)
        return refused('bad-credentials', 'this gateway is in development mode: there are no tokens');
      return {
        outcome: 'refreshed',
        answer: { ok: true, pass: issued.pass, ...heldAt(issued.hold, moment) },
      };
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (!error.isOutage) return refused('bad-credentials', error.message);
      return { outcome: 'undecided', answer: { ok: false, code: error.code, message: error.message } };
    }
  }
}

function refused(code: string, message: string) {
  return { outcome: 'refused', answer: { ok: false, code, message } } as const;
}
