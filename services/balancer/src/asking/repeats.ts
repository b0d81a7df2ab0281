import type { Delivery } from '@evenkeel/broker';

/** Who has been answered is remembered for as long as RabbitMQ may bring the question again, ms. */
const keptMs = 60_000;
const maxKept = 10_000;

/** What tells one question from every other: whoever asks has named it. Undefined: by neither id, so nothing tells it. */
export function questionOf({ key, properties }: Pick<Delivery, 'key' | 'properties'>): string | undefined {
  const { messageId, correlationId, replyTo } = properties;
  if (messageId === undefined && correlationId === undefined) return undefined;
  return JSON.stringify([replyTo, key, messageId, correlationId]);
}

/** Questions that are in hand, and those that lately were: one that RabbitMQ brings again is asked once. */
export class Repeats {
  readonly #open = new Map<string, string>();
  readonly #over = new Map<string, number>();

  /** It is in hand under the id `id`. */
  begin(question: string, id: string): void {
    this.#open.set(question, id);
    this.#over.delete(question);
  }

  /** It has its answer; `isAnswered` false: it was not asked, and may be. */
  end(question: string, id: string, isAnswered: boolean, nowMs: number): void {
    if (this.#open.get(question) !== id) return;
    this.#open.delete(question);
    if (!isAnswered) return;
    this.#over.set(question, nowMs + keptMs);
    for (const [oldest, untilMs] of this.#over) {
      if (untilMs > nowMs && this.#over.size <= maxKept) break;
      this.#over.delete(oldest);
    }
  }

  /**
   * The id under which it is in hand; `over`: it was answered; undefined: it is new. Only what has a `message_id`, or comes by RabbitMQ
   * once more, is taken for the same: some ask everything under one `correlation_id`.
   */
  of(question: string, { redelivered, properties }: Delivery, nowMs: number): string | undefined {
    if (redelivered && (this.#over.get(question) ?? 0) > nowMs) return 'over';
    return redelivered || properties.messageId !== undefined ? this.#open.get(question) : undefined;
  }
}
