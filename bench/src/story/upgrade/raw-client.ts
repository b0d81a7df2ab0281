import { addOne, type Counts } from '../../fleet/counts.js';
import { LightClient } from '../../fleet/light-client.js';
import type { NumberedEvent } from '../../fleet/messages.js';
import { SequenceRecord } from '../../fleet/sequence-record.js';
import type { RecordedClient } from './group.js';

/** A client of raw frames without any SDK: what the edges themselves repeat or reorder shows here. */
export class RawFrameClient implements RecordedClient {
  readonly record = new SequenceRecord();
  readonly topicGaps: Readonly<Counts> = {};
  changes = 0;
  misrouted = 0;
  readonly #n: number;
  readonly #client: LightClient;

  constructor(gatewayUrl: string, user: string, n: number) {
    this.#n = n;
    this.#client = new LightClient({
      gatewayUrl,
      user,
      onData: (data) => {
        const event = data as NumberedEvent;
        if (event.n === this.#n) this.record.note(event.k);
        else this.misrouted++;
      },
      onMoved: () => {
        this.changes++;
      },
    });
  }

  async connect(): Promise<this> {
    await this.#client.connect();
    return this;
  }

  get isConnected(): boolean {
    return this.#client.failure === undefined && this.#client.node !== '';
  }

  get isConnectionNamed(): boolean {
    return this.#client.isConnectionNamed;
  }

  get disconnects(): number {
    return this.#client.failure === undefined ? 0 : 1;
  }

  get gaps(): Readonly<Counts> {
    const gaps: Counts = {};
    if (this.#client.failure?.startsWith('gap')) addOne(gaps, this.#client.failure);
    return gaps;
  }

  get incidents(): readonly string[] {
    const { failure, session } = this.#client;
    return failure === undefined ? [] : [`${session}: ${failure}`];
  }

  async stop(): Promise<void> {
    this.#client.close();
  }
}
