import { monotonicNow } from '@evenkeel/pace';

/**
 * An alarm of RabbitMQ, for memory or disk, as several connections know of it together. RabbitMQ tells a connection only when it publishes,
 * and leaves what it publishes then unread until the alarm is over: what one has been told keeps the others from handing anything over.
 */
export class Alarm {
  readonly #blocked = new Map<object, string>();
  readonly #listeners = new Set<() => void>();
  #sinceMs: number | undefined;

  /** RabbitMQ takes nothing from publishers, as far as any of the connections has been told. */
  get isOn(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** For how long, ms; undefined: there is none. */
  get ageMs(): number | undefined {
    return this.#sinceMs === undefined ? undefined : monotonicNow() - this.#sinceMs;
  }

  /** What RabbitMQ gives as the reason: `low on memory`, `low on disk`. */
  get reason(): string | undefined {
    const [first] = this.#blocked.values();
    return first;
  }

  /** `connection` has been told. */
  raised(connection: object, reason: string): void {
    this.#blocked.set(connection, reason);
    this.#sinceMs ??= monotonicNow();
  }

  /** It is over for `connection`, or that is no more. */
  over(connection: object): void {
    if (!this.#blocked.delete(connection) || this.#blocked.size > 0) return;
    this.#sinceMs = undefined;
    for (const fn of this.#listeners) fn();
  }

  /** Calls `fn` whenever it is over for all of them. */
  onOver(fn: () => void): void {
    this.#listeners.add(fn);
  }
}
