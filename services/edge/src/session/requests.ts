import { TokenBucket } from '@evenkeel/pace';
import { errorCodes, type ParsedClientFrame } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { errorFrame, okFrame } from '../frame/frames.js';
import { sendInbound } from '../inbound/inbound.js';
import type { SessionContext } from './context.js';
import type { Subscriptions } from './subscriptions.js';

type RequestFrame = Extract<ParsedClientFrame, { id: string }>;

/** What one connection asks for: counted, paced, carried out, answered. */
export class ClientRequests {
  /** Frames accepted; `moved` tells the client, which sends the later ones again elsewhere. */
  received = 0;
  readonly #context: SessionContext;
  readonly #claims: TicketClaims;
  readonly #subscriptions: Subscriptions;
  readonly #say: (frame: string) => void;
  /** Made with the first request: most connections never make one. */
  #bucket: TokenBucket | undefined;
  #pending = 0;
  #onAnswered: (() => void) | undefined;
  /** Requests without a reply, with their deadlines, oldest first. */
  readonly #deadlines = new Map<string, number>();

  constructor(
    context: SessionContext,
    claims: TicketClaims,
    subscriptions: Subscriptions,
    say: (frame: string) => void,
  ) {
    this.#context = context;
    this.#claims = claims;
    this.#subscriptions = subscriptions;
    this.#say = say;
  }

  handle(frame: RequestFrame): void {
    const { config, tally, now } = this.#context;
    this.received += 1;
    tally.received += 1;
    this.#bucket ??= new TokenBucket(config.framesPerSecond, config.framesBurst, now());
    if (!this.#bucket.tryTake(now())) {
      this.#say(errorFrame(frame.id, errorCodes.rateLimited, 'too many frames; slow down and send it again'));
      return;
    }
    switch (frame.t) {
      case 'subscribe':
        return this.#whilePending(this.#subscriptions.join(frame.topic, frame.id));
      case 'unsubscribe':
        this.#subscriptions.leave(frame.topic);
        this.#say(okFrame(frame.id));
        return;
      default:
        return this.#sendInbound(frame);
    }
  }

  /** Resolves when all accepted so far is published or answered, or after `timeoutMs`. */
  async answered(timeoutMs: number): Promise<void> {
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onAnswered = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Answers requests that no service has replied to in time. */
  sweep(nowMs: number): void {
    for (const [id, deadline] of this.#deadlines) {
      if (deadline > nowMs) return;
      this.#deadlines.delete(id);
      this.#say(errorFrame(id, errorCodes.requestTimeout, 'no service answered in time; ask again'));
    }
  }

  /** A reply has been written to the connection. */
  replied(id: string): void {
    this.#deadlines.delete(id);
  }

  #sendInbound(frame: Extract<RequestFrame, { t: 'publish' | 'request' }>): void {
    const { config, publisher, now } = this.#context;
    if (frame.t === 'request') this.#deadlines.set(frame.id, now() + config.requestTimeoutMs);
    const answer = (text: string) => {
      this.#deadlines.delete(frame.id);
      this.#say(text);
    };
    this.#whilePending(
      sendInbound(
        { ...frame, data: frame.data },
        this.#claims,
        config.node,
        publisher,
        config.requestTimeoutMs,
        answer,
      ),
    );
  }

  #whilePending(work: Promise<void>): void {
    this.#pending += 1;
    void work.finally(() => {
      this.#pending -= 1;
      if (this.#pending === 0) this.#onAnswered?.();
    });
  }
}
