import type { SendOptions } from '../calls/patience.js';
import { ClientError } from '../errors.js';

/**
 * What becomes of publishes while there is no connection.
 * @example
 * const offline: OfflineOptions = { max: 100 };
 * const patient = connect({ gateway, user, offline });
 */
export interface OfflineOptions {
  /** So many wait at most; one more is rejected with `offline-full`. Not more than `maxPending`. */
  readonly max: number;
}

/**
 * Publishes that outlast the time without a connection: kept in order, sent once when the client is back, under the ids they have. They
 * are in memory alone: a reload takes them along.
 */
export class OfflinePublishes {
  readonly #max: number | undefined;
  #open = 0;

  constructor(options: OfflineOptions | undefined) {
    this.#max = options?.max;
  }

  /** @throws ClientError `offline-full` */
  async send(
    isConnected: boolean,
    options: SendOptions,
    publish: (options: SendOptions) => Promise<void>,
  ): Promise<void> {
    if (this.#max === undefined) return publish(options);
    if (!isConnected && this.#open >= this.#max) {
      const message = `${this.#max} publishes wait for a connection; publish again once there is one`;
      throw new ClientError('offline-full', message);
    }
    this.#open += 1;
    try {
      await publish({ ...options, timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY });
    } finally {
      this.#open -= 1;
    }
  }
}
