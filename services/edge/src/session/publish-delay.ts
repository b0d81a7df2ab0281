import type { Delivery } from '@evenkeel/broker';
import { atHeader } from '@evenkeel/protocol';
import { quickSeconds, slowSeconds, Tally } from '@evenkeel/runtime';

/** One event in so many is measured: the first, and so on. */
const every = 8;

/**
 * How long events take from publishing, as their header `evenkeel-at` says, to the socket, and until the client has acknowledged
 * them. AMQP's own `timestamp` is in seconds: too coarse. Hosts' clocks are not the same, so what seems to have come before it was
 * published took no time.
 */
export class PublishDelays {
  readonly toSocket = new Tally(quickSeconds);
  readonly toAck = new Tally(slowSeconds);
  #skipped = every - 1;

  /** An event is written now. Of one that is measured: when it was published, for {@link PublishDelays.acked}. */
  take({ properties }: Pick<Delivery, 'properties'>, wallMs: number): number | undefined {
    this.#skipped += 1;
    if (this.#skipped < every) return undefined;
    const at = properties.headers[atHeader];
    if (typeof at !== 'number') return undefined;
    this.#skipped = 0;
    const seconds = secondsSince(at, wallMs);
    // What is in µs, or in another century, is no delay.
    if (!Number.isFinite(seconds)) return undefined;
    this.toSocket.add(seconds);
    return at;
  }

  /** One that was measured, published at `atMs`, has been acknowledged by its client. */
  acked(atMs: number, wallMs: number): void {
    this.toAck.add(secondsSince(atMs, wallMs));
  }
}

const secondsSince = (atMs: number, wallMs: number): number => Math.max(0, wallMs - atMs) / 1_000;
