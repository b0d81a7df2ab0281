import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, ClientError, connect } from '@evenkeel/client';
import { clock } from '../../fleet/clock.js';
import { ThinSocket } from '../../fleet/thin-socket.js';
import type { CallOutcome } from './judge.js';
import { answerTo, methods } from './service.js';

type Call = { -readonly [Key in keyof CallOutcome]: CallOutcome[Key] } & { readonly got: number[] };

const tickMs = 20;

/** Clients with the SDK, in this process, that call services at a pace. */
export class Callers {
  readonly calls: Call[] = [];
  readonly clients: Client[] = [];
  /** Clients that have moved. */
  readonly moved = new Set<number>();
  readonly counts = { moves: 0, disconnects: 0 };
  readonly inFlight = { request: 0, stream: 0 };
  readonly begun = { request: 0, stream: 0 };
  readonly #open = new Map<Client, Set<Call>>();
  #isCalling = false;
  #next = 0;

  constructor(gateway: string, count: number) {
    for (let n = 0; n < count; n += 1) {
      const client = connect({ gateway, user: `caller-${n}`, WebSocket: ThinSocket, storage: false });
      client.onStatus(({ type }) => {
        if (type === 'disconnected') {
          this.counts.disconnects += 1;
          for (const call of this.#open.get(client) ?? []) call.hasLostEdge = true;
        }
        if (type !== 'moved') return;
        this.counts.moves += 1;
        this.moved.add(n);
        for (const call of this.#open.get(client) ?? []) call.hasMoved = true;
      });
      this.#open.set(client, new Set());
      this.clients.push(client);
    }
  }

  async ready(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.ready()));
  }

  get connected(): number {
    return this.clients.filter(({ state }) => state === 'connected').length;
  }

  on(node: string): number {
    return this.clients.filter(({ state, node: at }) => state === 'connected' && at === node).length;
  }

  /** Calls from now on, so many of each kind a second, until `stop`. */
  begin(perSecond: { readonly request: number; readonly stream: number }): void {
    this.#isCalling = true;
    const sinceMs = clock();
    void (async () => {
      while (this.#isCalling) {
        const seconds = (clock() - sinceMs) / 1_000;
        for (const kind of ['request', 'stream'] as const)
          while (this.begun[kind] < perSecond[kind] * seconds) this.#call(kind);
        await sleep(tickMs);
      }
    })();
  }

  stop(): void {
    this.#isCalling = false;
  }

  /** Nothing is waited for any more. */
  get isQuiet(): boolean {
    return this.inFlight.request + this.inFlight.stream === 0;
  }

  outcomes(kind: CallOutcome['kind']): CallOutcome[] {
    return this.calls
      .filter((call) => call.kind === kind)
      .map(({ got, ...call }) => ({ ...call, parts: got }));
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.clients.map((client) => client.close()));
  }

  #call(kind: 'request' | 'stream'): void {
    const client = this.clients[this.#next % this.clients.length] as Client;
    this.#next += 1;
    this.begun[kind] += 1;
    const call: Call = { name: `${kind}-${this.begun[kind]}`, kind, settled: 0, got: [] };
    this.calls.push(call);
    this.#open.get(client)?.add(call);
    this.inFlight[kind] += 1;
    void (kind === 'request' ? this.#request(client, call) : this.#stream(client, call))
      .catch((error: unknown) => {
        call.code = error instanceof ClientError ? error.code : String(error);
      })
      .finally(() => {
        call.settled += 1;
        this.#open.get(client)?.delete(call);
        this.inFlight[kind] -= 1;
      });
  }

  async #request(client: Client, call: Call): Promise<void> {
    call.isAnswer = (await client.request(methods.request, call.name)) === answerTo(call.name);
  }

  async #stream(client: Client, call: Call): Promise<void> {
    let isAnswer = true;
    for await (const part of client.stream(methods.stream, call.name)) {
      const { of, n } = part as { of: string; n: number };
      isAnswer &&= of === answerTo(call.name);
      call.got.push(n);
    }
    call.isAnswer = isAnswer;
  }
}
