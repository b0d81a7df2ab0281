import { BrokerError } from '@evenkeel/broker';

/** Events on their way that a batch fills up to: they keep a channel busy, and the broker's publisher refuses none of them. */
const mostEvents = 2_048;
/** Bytes of their bodies, likewise; one is always sent. */
const mostBytes = 16_777_216;

/** What no count of events is. */
const ofNone = -1;

/** Events sent and not confirmed; and the batch that goes on as they are. One at a time. */
export class OnWay {
  #events = 0;
  #bytes = 0;
  #confirmed = 0;
  #more: (() => void) | undefined;
  #unsent = 0;
  /** What is added is of the batch. */
  #isSending = false;
  #stuck: BrokerError | undefined;

  /** Events of the batch that are to be sent yet. */
  get unsent(): number {
    return this.#unsent;
  }

  /** One more; returns what {@link failed} wants to know. */
  add(bytes: number): number {
    this.#events += 1;
    this.#bytes += bytes;
    return this.#isSending ? this.#confirmed : ofNone;
  }

  confirmed(bytes: number): void {
    this.#confirmed += 1;
    this.#over(bytes);
  }

  failed(bytes: number, confirmedBefore: number, error: unknown): void {
    const isLate = error instanceof BrokerError && error.code === 'publish-timeout';
    // Nothing was confirmed while one of the batch waited: its rest would wait in vain as well, portion by portion.
    if (isLate && this.#confirmed === confirmedBefore) this.#stuck = error;
    this.#over(bytes);
  }

  /**
   * Calls `send` with each in order, once there is room for it; with an error where RabbitMQ has stopped to confirm: it is not to be sent.
   * @returns undefined: it is over; else a promise that resolves when it is
   */
  sendAll<Event extends { readonly bytes: number }>(
    all: readonly Event[],
    send: (event: Event, error?: BrokerError) => void,
  ): Promise<void> | undefined {
    let sent = 0;
    this.#stuck = undefined;
    const isOver = (): boolean => {
      for (let event = all[sent]; event !== undefined; event = all[sent]) {
        if (this.#stuck === undefined && !this.#hasRoom(event.bytes)) break;
        sent += 1;
        this.#isSending = true;
        send(event, this.#stuck);
        this.#isSending = false;
      }
      this.#unsent = all.length - sent;
      return this.#unsent === 0;
    };
    if (isOver()) return undefined;
    return new Promise((resolve) => {
      this.#more = () => {
        if (!isOver()) return;
        this.#more = undefined;
        resolve();
      };
    });
  }

  #hasRoom(bytes: number): boolean {
    return this.#events === 0 || (this.#events < mostEvents && this.#bytes + bytes <= mostBytes);
  }

  #over(bytes: number): void {
    this.#events -= 1;
    this.#bytes -= bytes;
    this.#more?.();
  }
}
