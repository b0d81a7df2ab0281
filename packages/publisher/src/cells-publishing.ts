import { BrokerError } from '@evenkeel/broker';
import { fromUid } from '@evenkeel/protocol';
import { v7 as newMessageId } from 'uuid';
import type { DirectedOptions, TopicOptions } from './message.js';
import type { Ready } from './publishing.js';
import type { Sends } from './sending.js';
import type { Published } from './types.js';

/** An event's message to one cell. */
interface Part {
  readonly cell: string;
  readonly event: Ready;
}

/** An event that is checked, with a message for each cell that it goes to. */
class PartedEvent implements Ready {
  readonly id: string;
  readonly parts: readonly Part[];

  constructor(id: string, parts: readonly Part[]) {
    this.id = id;
    this.parts = parts;
  }

  get bytes(): number {
    return this.parts.reduce((sum, { event }) => sum + event.bytes, 0);
  }

  get wantsReceipts(): boolean {
    return this.parts.some(({ event }) => event.wantsReceipts);
  }

  async send(): Promise<Published> {
    return together(this.id, await Promise.allSettled(this.parts.map(({ event }) => event.send())));
  }
}

export interface CellsPublishingOptions {
  /** The cells of a user, by name. */
  of(user: string): readonly string[];
  /** What publishes into a cell. */
  sendsOf(cell: string): Sends | undefined;
  /** All cells. */
  names(): Iterable<string>;
}

/** As {@link Publishing}, into the cells that an event is for: one id, and in each of them in the order of the calls. */
export class CellsPublishing implements Sends {
  readonly #options: CellsPublishingOptions;

  constructor(options: CellsPublishingOptions) {
    this.#options = options;
  }

  /** @throws PublisherError at once for what can never be sent. */
  ready(
    key: string,
    payload: unknown,
    options: DirectedOptions & TopicOptions,
    others: readonly string[] = [],
  ): PartedEvent {
    const id = options.id ?? newMessageId();
    const parts = [...this.#keysOf([key, ...others])].map(([cell, [first = '', ...more]]) => ({
      cell,
      event: this.#sendsOf(cell).ready(first, payload, { ...options, id }, more),
    }));
    return new PartedEvent(id, parts);
  }

  /** Resolves once every cell has it. @throws BrokerError of one that has not; the others have it all the same. */
  async send(event: PartedEvent, given?: Promise<unknown>): Promise<Published> {
    const sent = event.parts.map((part) =>
      named(part.cell, this.#sendsOf(part.cell).send(part.event, given)),
    );
    return together(event.id, await Promise.allSettled(sent));
  }

  async sendAll(
    events: readonly PartedEvent[],
    given?: Promise<unknown>,
  ): Promise<PromiseSettledResult<Published>[]> {
    const ofCells = new Map<string, { readonly at: number; readonly event: Ready }[]>();
    for (const [at, { parts }] of events.entries())
      for (const { cell, event } of parts) ofCells.set(cell, [...(ofCells.get(cell) ?? []), { at, event }]);
    const settled: PromiseSettledResult<Published>[][] = events.map(() => []);
    const sends = [...ofCells].map(async ([cell, all]) => {
      const found = await this.#sendsOf(cell).sendAll(
        all.map(({ event }) => event),
        given,
      );
      for (const [n, { at }] of all.entries()) {
        const result = found[n];
        if (result !== undefined) settled[at]?.push(withCell(cell, result));
      }
    });
    await Promise.all(sends);
    return await Promise.allSettled(events.map(async ({ id }, at) => together(id, settled[at] ?? [])));
  }

  /** Of a user those of the user's cells, of a topic those of all. */
  #keysOf(keys: readonly string[]): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const key of keys) {
      const [kind, uid = ''] = key.split('.', 2);
      const names = kind === 'user' ? this.#options.of(fromUid(uid)) : this.#options.names();
      for (const name of names) found.set(name, [...(found.get(name) ?? []), key]);
    }
    return found;
  }

  #sendsOf(cell: string): Sends {
    const sends = this.#options.sendsOf(cell);
    if (sends === undefined) throw new BrokerError('broker-closed', `cell ${cell} is no longer in the map`);
    return sends;
  }
}

/** What became of it in all cells. @throws what failed first */
function together(id: string, settled: readonly PromiseSettledResult<Published>[]): Published {
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { id, routed: settled.some((each) => each.status === 'fulfilled' && each.value.routed) };
}

const withCell = <T>(cell: string, result: PromiseSettledResult<T>): PromiseSettledResult<T> =>
  result.status === 'fulfilled' ? result : { ...result, reason: ofCell(cell, result.reason) };

/** The same; what the broker says is said of the cell. */
export async function named<T>(cell: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw ofCell(cell, error);
  }
}

const ofCell = (cell: string, error: unknown): unknown =>
  error instanceof BrokerError ? new BrokerError(error.code, `cell ${cell}: ${error.message}`, error) : error;
