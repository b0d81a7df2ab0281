import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Client, ClientError, connect, type Status } from '@evenkeel/client';
import { toUid } from '@evenkeel/protocol';
import type WebSocket from 'ws';
import type { Handed } from '../log.js';
import type { ClientOptions, Participant } from './participant.js';
import { RecordedSocket, type SocketOwner } from './recorded-socket.js';

/** What a handler of an event takes at most. */
const handlerMs = 30;
const backoff = { minMs: 100, maxMs: 1_500 };
/** Longer than an edge waits for an answer. */
const patienceMs = 8_000;
const parts = 5;

type Handing = Omit<Handed, 'kind' | 'at' | 'uid' | 'session'>;

/** A client on the project's own SDK: what passes on its sockets is recorded, and what it hands over. */
export class SdkClient implements Participant, SocketOwner {
  readonly options: ClientOptions;
  readonly uid: string;
  readonly sockets = new Set<RecordedSocket>();
  session = '';
  lastAt = 0;
  failure: string | undefined;
  readonly #client: Client;
  #asked = 0;
  #waiting = 0;

  constructor(options: ClientOptions) {
    const { gatewayUrl, user, topics } = options;
    this.options = options;
    this.uid = toUid(user);
    this.#client = connect({
      gateway: gatewayUrl,
      user,
      storage: false,
      backoff,
      fetch: (...asked) => this.#lookUp(...asked),
      WebSocket: RecordedSocket.of(this),
    });
    this.#client.on('*', ({ id, name, data, redelivered }) => this.#event(id, name, data, redelivered));
    this.#client.onStatus((status) => this.#status(status));
    for (const topic of topics) {
      this.#client
        .subscribe(topic, ({ id, data }) => this.#hand({ what: 'message', topic, id, data }))
        .catch((error: unknown) => this.#failed(`subscribe to ${topic}: ${String(error)}`));
    }
  }

  get recorder(): ClientOptions['recorder'] {
    return this.options.recorder;
  }

  get isConnected(): boolean {
    return this.#client.state === 'connected';
  }

  get node(): string | undefined {
    return this.#client.node;
  }

  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  ask(): void {
    if (!this.isConnected) return;
    this.#asked += 1;
    this.#waiting += 1;
    const asking = this.#asked % 2 === 0 ? this.#count() : this.#echo({ asked: this.#asked });
    void asking
      .catch((error: unknown) => {
        // The mesh may answer anything with an error.
        if (!(error instanceof ClientError)) this.#failed(String(error));
      })
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  cut(): void {
    for (const each of this.sockets) each.terminate();
  }

  freeze(): { thaw(): void }[] {
    const held = [...this.sockets];
    for (const each of held) each.freeze();
    return held;
  }

  leave(): WebSocket[] {
    return [...this.sockets].map((each) => each.leave());
  }

  close(): void {
    void this.#client.close();
  }

  end(): void {
    void this.#client.end();
  }

  async #lookUp(...asked: Parameters<typeof fetch>): Promise<Response> {
    const response = await fetch(...asked);
    const { session } = (await response.clone().json()) as { session?: unknown };
    if (typeof session === 'string') this.session = session;
    return response;
  }

  async #event(id: string, name: string, data: unknown, redelivered: true | undefined): Promise<void> {
    await sleep(Math.random() * handlerMs);
    this.#hand({ what: 'event', id, name, data, ...(redelivered && { redelivered }) });
  }

  #status(status: Status): void {
    const { type } = status;
    if (type === 'gap')
      this.#hand({
        what: 'gap',
        reason: status.reason,
        ...(status.topic !== undefined && { topic: status.topic }),
      });
    if (type === 'closed' && status.error !== undefined) this.#failed(String(status.error));
    if (type === 'handler-error') this.#failed(String(status.error));
    if (type === 'unsubscribed') this.#failed(`${status.topic} has ended: ${status.reason}`);
  }

  #hand(handed: Handing): void {
    this.lastAt = performance.now();
    const { uid, session } = this;
    this.recorder.add({ kind: 'handed', uid, session, ...handed });
  }

  async #echo(data: unknown): Promise<void> {
    const answer = await this.#client.request('shop.echo', data, { timeoutMs: patienceMs });
    if (!isDeepStrictEqual(answer, data)) this.#failed(`shop.echo answered ${JSON.stringify(answer)}`);
  }

  async #count(): Promise<void> {
    let came = 0;
    for await (const { n } of this.#client.stream<{ n: number }>('shop.count', { to: parts })) {
      if (n !== came) this.#failed(`shop.count answered ${n} in place of ${came}`);
      came += 1;
    }
    if (came !== parts) this.#failed(`shop.count answered ${came} of ${parts} parts`);
  }

  #failed(why: string): void {
    this.failure ??= why;
  }
}
