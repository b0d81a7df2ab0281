import type { Client } from '@evenkeel/client';
import type { InboundMessage } from '@evenkeel/publisher';
import { addOne, type Counts } from '../../fleet/counts.js';
import { SequenceRecord } from '../../fleet/sequence-record.js';
import { steadily } from '../../fleet/steady.js';
import { ThinSocket } from '../../fleet/thin-socket.js';
import { type Group, judged, noDeliveries } from './group.js';
import { application, ask, type Sdk, type Service, tell, type Version, versions } from './sdk.js';

/** What became of requests and publishes. */
export interface CallsOutcome {
  readonly requests: number;
  readonly answered: number;
  /** The answer of another request, or of another service. */
  readonly wrong: number;
  readonly requestsFailed: Readonly<Counts>;
  readonly publishes: number;
  readonly publishesFailed: Readonly<Counts>;
  /** Of the publishes that were confirmed to their clients, what the services got. */
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
}

interface Call {
  readonly n: number;
  readonly k: number;
}

interface Caller {
  readonly sdk: Version;
  readonly client: Client;
  /** Publishes that each service got of this client. */
  readonly records: Record<Version, SequenceRecord>;
  readonly published: Record<Version, number>;
  changes: number;
  disconnects: number;
  node: string;
}

const callTimeoutMs = 60_000;

/** Clients of both SDKs that ask services of both SDKs, and publish to them. */
export class Callers {
  readonly group: Group;
  readonly services: Service[] = [];
  readonly #callers: Caller[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #counts = { requests: 0, answered: 0, wrong: 0, publishes: 0 };
  readonly #requestsFailed: Counts = {};
  readonly #publishesFailed: Counts = {};
  #underWay = 0;
  #stopCalling: () => void = () => undefined;

  private constructor(size: number) {
    const callers = this.#callers;
    this.group = {
      name: 'callers',
      size,
      publisher: undefined,
      connected: async () => callers.filter(({ client }) => client.state === 'connected').length,
      changes: async () => callers.map(({ changes }) => changes),
      delivered: () => 0,
      outcome: async () => ({
        ...noDeliveries,
        published: 0,
        unconfirmed: 0,
        misrouted: 0,
        topics: noDeliveries,
        gaps: {},
        topicGaps: {},
        disconnects: callers.reduce((sum, { disconnects }) => sum + disconnects, 0),
        incidents: [],
      }),
      stop: async () => {
        this.#stopCalling();
        await Promise.all(this.#closers.map((close) => close()));
      },
    };
  }

  /** Starts the services and the clients; resolves when all are connected. */
  static async start(options: {
    readonly amqpUrl: string;
    readonly gatewayUrl: string;
    readonly sdks: readonly Sdk[];
    /** Clients of each SDK. */
    readonly ofEach: number;
  }): Promise<Callers> {
    const { amqpUrl, gatewayUrl, sdks, ofEach } = options;
    const all = new Callers(sdks.length * ofEach);
    for (const sdk of sdks) await all.serve(sdk, amqpUrl);
    for (const sdk of sdks) for (let i = 0; i < ofEach; i++) all.#add(sdk, gatewayUrl);
    await Promise.all(all.#callers.map(({ client }) => client.ready()));
    return all;
  }

  /** Starts a service as this user of the broker; then the one of this version that ran before, if any, ends. */
  async serve(sdk: Sdk, amqpUrl: string): Promise<void> {
    const { version, createPublisher } = sdk;
    const name = version === 'old' ? `${application}-before` : application;
    const publisher = await createPublisher({ amqpUrl, name, attempts: 3 });
    this.#closers.push(() => publisher.close());
    const note = ({ data }: InboundMessage<Call>): void => {
      this.#callers[data.n]?.records[version].note(data.k);
    };
    const running = [
      await publisher.serve(ask(version), ({ data }: InboundMessage<Call>) => ({ by: version, ...data })),
      // The older SDK has one way for both.
      await (version === 'old' ? publisher.serve(tell(version), note) : publisher.on(tell(version), note)),
    ];
    const before = this.services.findIndex((each) => each.sdk.version === version);
    const [ended] = this.services.splice(before < 0 ? this.services.length : before, 1, {
      sdk,
      publisher,
      running,
    });
    for (const service of ended?.running ?? []) await service.stop();
    await ended?.publisher.close();
  }

  /** Calls at this pace from now on until `finish`: requests and publishes in turn. */
  call(ratePerSecond: number): void {
    let turn = 0;
    const mayPass = () => this.#underWay < this.#callers.length * 8;
    this.#stopCalling = steadily(ratePerSecond, mayPass, () => {
      const n = turn % this.#callers.length;
      const round = Math.floor(turn / this.#callers.length);
      turn++;
      const caller = this.#callers[n];
      const service = versions[round % 2];
      if (caller === undefined || service === undefined) return;
      if (round % 4 < 2) this.#request(caller, service, { n, k: round });
      else this.#publish(caller, service, n);
    });
  }

  /** Calls no more; resolves with what came of all, at the latest when the last can have been answered. */
  async finish(): Promise<CallsOutcome> {
    this.#stopCalling();
    const deadline = Date.now() + callTimeoutMs;
    while (this.#underWay > 0 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const sequences = this.#callers.flatMap(({ records, published }) =>
      versions.map((each) => ({ record: records[each], sent: published[each] })),
    );
    const { lost, repeated, reordered } = judged(sequences);
    return {
      ...this.#counts,
      requestsFailed: { ...this.#requestsFailed, ...(this.#underWay > 0 && { unsettled: this.#underWay }) },
      publishesFailed: this.#publishesFailed,
      lost,
      repeated,
      reordered,
    };
  }

  #add(sdk: Sdk, gatewayUrl: string): void {
    const client = sdk.connect({
      gateway: gatewayUrl,
      user: `caller-${this.#callers.length}`,
      WebSocket: ThinSocket,
      storage: false,
    });
    const caller: Caller = {
      sdk: sdk.version,
      client,
      records: { old: new SequenceRecord(), new: new SequenceRecord() },
      published: { old: 0, new: 0 },
      changes: 0,
      disconnects: 0,
      node: '',
    };
    client.onStatus((status) => {
      if (status.type === 'disconnected') caller.disconnects++;
      if (status.type !== 'connected' && status.type !== 'moved') return;
      if (caller.node !== '' && caller.node !== status.node) caller.changes++;
      caller.node = status.node;
    });
    this.#callers.push(caller);
    this.#closers.push(() => client.close());
  }

  #request({ client }: Caller, service: Version, call: Call): void {
    this.#counts.requests++;
    this.#settle(
      client.request<Call & { by: string }>(ask(service), call).then(({ by, n, k }) => {
        if (by === service && n === call.n && k === call.k) this.#counts.answered++;
        else this.#counts.wrong++;
      }),
      this.#requestsFailed,
    );
  }

  #publish({ client, published }: Caller, service: Version, n: number): void {
    this.#counts.publishes++;
    published[service]++;
    this.#settle(client.publish(tell(service), { n, k: published[service] }), this.#publishesFailed);
  }

  #settle(done: Promise<unknown>, failed: Counts): void {
    this.#underWay++;
    done
      .catch((error: unknown) => addOne(failed, String((error as { code?: unknown }).code ?? error)))
      .finally(() => {
        this.#underWay--;
      });
  }
}
