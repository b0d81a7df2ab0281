import { addressKey, isLoopback } from '@evenkeel/runtime';

export interface PendingOptions {
  readonly room: { readonly maxPending: number };
  readonly maxPerAddress: number;
  /** Proxies in front: an address is theirs, and they answer for their clients. */
  readonly trustedHops: number;
  readonly limitLoopback: boolean;
}

/**
 * How long a connection counts for its address that has asked for nothing: as long as uWebSockets.js waits for its request, which
 * does not say whose connection has gone.
 */
const countedMs = 12_000;
/** Addresses remembered. */
const maxAddresses = 10_000;

/** The connections between `accept` and the first request, which nobody has vouched for. */
export class PendingConnections {
  readonly #options: PendingOptions;
  #count = 0;
  /** When the connections of an address came that have not asked yet, oldest first. */
  readonly #timesOf = new Map<string, number[]>();
  /** Closed at once, by the limit. */
  readonly refusedFor = { maxPending: 0, maxPendingPerAddress: 0 };

  constructor(options: PendingOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Closed at once, in all. */
  get refused(): number {
    return this.refusedFor.maxPending + this.refusedFor.maxPendingPerAddress;
  }

  /** One has come; false: there are too many, and it is to be closed. */
  opened(address: string, nowMs: number): boolean {
    this.#count += 1;
    const hasRoom = this.#count <= this.#options.room.maxPending;
    if (hasRoom && this.#isWithin(address, nowMs)) return true;
    this.refusedFor[hasRoom ? 'maxPendingPerAddress' : 'maxPending'] += 1;
    return false;
  }

  /** One that came from there has asked for something. */
  asked(address: string): void {
    if (this.#isExempt(address)) return;
    const key = addressKey(address);
    const times = this.#timesOf.get(key);
    times?.pop();
    if (times?.length === 0) this.#timesOf.delete(key);
  }

  /** One has gone, or is a WebSocket now. */
  settled(): void {
    this.#count -= 1;
  }

  /** One that was settled goes as what it was before: it is settled once more. */
  unsettled(): void {
    this.#count += 1;
  }

  #isWithin(address: string, nowMs: number): boolean {
    if (this.#isExempt(address)) return true;
    const key = addressKey(address);
    const times = this.#timesOf.get(key) ?? [];
    while (times[0] !== undefined && times[0] <= nowMs - countedMs) times.shift();
    if (times.length >= this.#shareOf()) return false;
    times.push(nowMs);
    this.#timesOf.delete(key);
    this.#timesOf.set(key, times);
    if (this.#timesOf.size > maxAddresses) {
      const [oldest] = this.#timesOf.keys();
      if (oldest !== undefined) this.#timesOf.delete(oldest);
    }
    return true;
  }

  /**
   * Most of one address: half of what was left when this one came, so that a handful of them cannot keep newcomers from elsewhere
   * off until theirs have timed out. (uWebSockets.js does not say which one has gone, so the oldest cannot make room.)
   */
  #shareOf(): number {
    const { room, maxPerAddress } = this.#options;
    const left = room.maxPending - this.#count + 1;
    return Math.min(maxPerAddress, Math.max(1, Math.floor(left / 2)));
  }

  #isExempt(address: string): boolean {
    const { trustedHops, limitLoopback } = this.#options;
    return trustedHops > 0 || (!limitLoopback && isLoopback(address));
  }
}
