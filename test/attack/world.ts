import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker } from '@evenkeel/broker';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { jwt, nowS } from '@evenkeel/testkit';
import { createOperator, type Operator } from 'evenkeel';
import { type Answer, type AskOptions, ask, dial, exchange, type RawAnswer } from './http.js';
import { Peer, type Place } from './peer.js';

const root = join(import.meta.dirname, '..', '..', '..');

/** Sockets that an address may ask the spare edge for: an attacker at idle priority is to meet the limit. */
export const fewHandshakes = { perSecond: 200, burst: 2_000 } as const;

/** Another process that a row needs beside the mesh; started once, before the first row that needs it. */
export type Extra = 'spare-edge' | 'few-files-edge' | 'keys-gateway' | 'keyless-gateway';

/** Where everything is; the sink has everything in one place. */
export interface Places {
  readonly isSink: boolean;
  readonly gateway: string;
  readonly edges: readonly { node: string; url: string; opsUrl: string }[];
  /** The address on the broker of a user; `guest` is its administrator. */
  readonly amqp: Readonly<Record<string, string>>;
  readonly jwtSecret: string;
  readonly ticketSecret: string;
  readonly extras: Readonly<Partial<Record<Extra, { url: string; node: string }>>>;
  /** Their ops ports. */
  readonly opsOf: Readonly<Partial<Record<Extra, string>>>;
  /** A token of the issuer whose keys the `keys-gateway` fetches. */
  readonly issuerToken: string;
}

/** What only whoever runs the mesh can do. */
export interface Help {
  restart(extra: Extra): Promise<void>;
  /** Changes how the issuer answers; resolves to how often it was asked since the last change. */
  tellIssuer(mode: string): Promise<{ asked: number }>;
}

/** The attacker comes from here, innocent clients from 127.0.0.1: limits by address are not to hit the wrong ones. */
export const attackersAddress = '127.0.0.66';

/** What an attacker of the broker attacks in the control run. */
export const sinkQueue = 'attack.sink';

/** What an attack has to play with. On the sink, questions are answered anyhow, and nothing is waited for. */
export class World {
  readonly at: Places;
  readonly #help: Help;
  readonly #peers: Peer[] = [];
  #publisher: Promise<Publisher> | undefined;
  #toSink: Promise<Broker> | undefined;

  constructor(places: Places, help: Help) {
    this.at = places;
    this.#help = help;
  }

  get isSink(): boolean {
    return this.at.isSink;
  }

  /** A good token for this user: what every attacker may have one of. */
  token(user: unknown, claims: object = {}): string {
    return jwt({ sub: user, exp: nowS() + 3600, ...claims }, this.at.jwtSecret);
  }

  url(query: Readonly<Record<string, string>> = {}, gateway = this.at.gateway): string {
    const text = new URLSearchParams(query).toString();
    return `${gateway}/gateway${text === '' ? '' : `?${text}`}`;
  }

  ask(url: string, options: AskOptions = {}): Promise<Answer> {
    return ask(url, { localAddress: attackersAddress, ...options });
  }

  /** `GET /gateway` with this token. */
  lookup(
    token: string,
    query: Readonly<Record<string, string>> = {},
    options: AskOptions & { gateway?: string } = {},
  ): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, ...options.headers };
    return this.ask(this.url(query, options.gateway), { ...options, headers });
  }

  /** The same; tries on while it is asked to wait. @throws Error when it is refused */
  async place(token: string, query: Readonly<Record<string, string>> = {}): Promise<Place> {
    for (let tried = 1; ; tried++) {
      const { status, code, body } = await this.lookup(token, query);
      if (status === 200) return body as unknown as Place;
      if (tried === 20 || (status !== 503 && status !== 429)) throw new Error(`gateway: ${status} ${code}`);
      await sleep(250);
    }
  }

  /** Dials what the gateway has named. */
  dial(place: Place, options: ConstructorParameters<typeof Peer>[1] = {}): Peer {
    const peer = new Peer(`${place.url}?ticket=${place.ticket}`, {
      localAddress: attackersAddress,
      ...options,
    });
    this.#peers.push(peer);
    return peer;
  }

  /** A user's session, welcome and all. @throws Error when it is not let in */
  async attach(
    user: string,
    given: { claims?: object; query?: Readonly<Record<string, string>>; hello?: object; acks?: boolean } = {},
  ): Promise<Peer & { place: Place }> {
    const place = await this.place(this.token(user, given.claims), given.query);
    const peer = this.dial(place, { acks: given.acks ?? true });
    await this.open(peer);
    peer.send({ t: 'hello', ...(place.pass !== undefined && { pass: place.pass }), ...given.hello });
    await peer.until(() => peer.of('welcome').length > 0, 15_000);
    if (peer.of('welcome').length === 0) throw new Error(`no welcome: ${JSON.stringify(peer.closed)}`);
    return Object.assign(peer, { place });
  }

  async open(peer: Peer): Promise<boolean> {
    return peer.until(() => peer.isOpen || peer.refused !== undefined, 10_000);
  }

  /** Waits for what the mesh is to say; the sink says nothing. */
  async until(peer: Peer, isSo: () => boolean, withinMs = 5000): Promise<boolean> {
    return peer.until(isSo, this.isSink ? 20 : withinMs);
  }

  /** The answer to one frame, as `code`, `ok`, `closed N`, or `nothing`. */
  async answer(peer: Peer, frame: object | string, id: string | number, withinMs = 5000): Promise<string> {
    peer.send(frame);
    await this.until(peer, () => peer.answerTo(id) !== undefined, withinMs);
    const answer = peer.answerTo(id);
    if (answer !== undefined) return answer.t === 'error' ? String(answer.code) : answer.t;
    return peer.closed === undefined ? 'nothing' : `closed ${peer.closed.code}`;
  }

  tcp(url: string, from = attackersAddress): ReturnType<typeof dial> {
    return dial(url, from);
  }

  raw(url: string, bytes: string | Buffer, forMs = 3000): Promise<RawAnswer> {
    return exchange(this.tcp(url), bytes, this.isSink ? 50 : forMs);
  }

  /** Does this so many times a second, for so long. */
  async flood(forMs: number, perSecond: number, step: (n: number) => unknown): Promise<number> {
    const beganAt = performance.now();
    let n = 0;
    for (;;) {
      const passed = performance.now() - beganAt;
      if (passed >= forMs) return n;
      const due = (passed * perSecond) / 1000;
      while (n < due) step(n++);
      await sleep(5);
    }
  }

  /** Publishes as the application `shop` does. */
  async publish(user: string, event: string, data: unknown): Promise<void> {
    if (!this.isSink) return void (await (await this.#application()).toUser(user, event, data));
    this.#toSink ??= Broker.connect({ url: this.at.amqp['app-shop'] ?? '', name: 'shop', attempts: 3 });
    const publisher = (await this.#toSink).publisher();
    await publisher.publish('', sinkQueue, JSON.stringify(data), { persistent: true });
  }

  /** The same, to a topic. */
  async publishTo(topic: string, data: unknown): Promise<void> {
    if (!this.isSink) await (await this.#application()).toTopic(topic, data);
  }

  /** Serves a method as the application `shop`; the function returned ends it. */
  async serve(method: string, handler: () => unknown): Promise<() => Promise<void>> {
    const service = await (await this.#application()).serve(method, async () => {
      handler();
      return 'done';
    });
    return () => service.stop();
  }

  #application(): Promise<Publisher> {
    this.#publisher ??= createPublisher({ amqpUrl: this.at.amqp['app-shop'] ?? '', name: 'shop' });
    return this.#publisher;
  }

  /** Does this as the operator. */
  async operate(act: (operator: Operator) => Promise<unknown>): Promise<void> {
    const operator = await createOperator({ amqpUrl: this.at.amqp.operator ?? '' });
    try {
      await act(operator);
    } finally {
      await operator.close();
    }
  }

  /** What an edge says of itself. */
  async statusOf(node: string): Promise<Readonly<Record<string, unknown>>> {
    const edge = this.at.edges.find((each) => each.node === node);
    const { body } = await ask(`${edge?.opsUrl}/status`);
    return body;
  }

  /** Has this session moved to the other edge; resolves to where its client is sent. @throws Error when it is not */
  async moveOf(peer: Peer & { place: Place }, user: string): Promise<Place> {
    const to = this.at.edges.find(({ node }) => node !== peer.place.node);
    const command = {
      command: 'reconnect',
      move: randomUUID(),
      to: { node: to?.node, url: to?.url },
      sessions: [`${user}.${peer.place.session}`],
    };
    const broker = await Broker.connect({ url: this.at.amqp.guest ?? '', name: 'attack', attempts: 3 });
    try {
      const properties = { userId: 'guest', contentType: 'application/json' };
      const key = `edge.${peer.place.node}`;
      await broker.publisher().publish('mesh.control', key, JSON.stringify(command), properties);
      await peer.until(() => peer.of('move').length > 0, 8000);
    } finally {
      await broker.close();
    }
    const [move] = peer.of('move');
    if (move === undefined) throw new Error('the session was not moved');
    return { ...(move as unknown as Place), session: peer.place.session };
  }

  /** Changes how the issuer answers; resolves to how often it was asked since the last change. */
  tellIssuer(mode: string): Promise<{ asked: number }> {
    return this.#help.tellIssuer(mode);
  }

  /** Names a key that no set has. */
  tokenOfUnknownKey(kid: string): string {
    return jwt({ sub: 'reader', exp: nowS() + 600 }, 'x', { alg: 'ES256', kid });
  }

  /** Starts a service that is expected to end at once; how it ended and what it said. */
  async startService(
    role: 'edge' | 'gateway',
    env: Readonly<Record<string, string>>,
  ): Promise<{ status: number | string; text: string }> {
    const child = spawn(process.execPath, [join(root, 'services', role, 'dist', 'main.js')], {
      env: { PATH: process.env.PATH, EVENKEEL_PORT: '0', EVENKEEL_HOST: '127.0.0.1', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 45_000,
      killSignal: 'SIGKILL',
    });
    raisePriority(child.pid);
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { status: code ?? signal ?? 'unknown', text };
  }

  /** Ends one of the further processes at once, as a crash would, and starts it again. */
  async restart(extra: Extra): Promise<void> {
    await this.#help.restart(extra);
  }

  /** Where a further process is. */
  extra(name: Extra): { url: string; node: string } {
    const found = this.at.extras[name];
    if (found === undefined) throw new Error(`${name} does not run`);
    return found;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.drop();
    await (await this.#publisher)?.close();
    await (await this.#toSink)?.close();
  }
}

/** What is attacked is not idle, as its attacker is; without the right to raise it, it takes its time. */
function raisePriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, 0);
  } catch {
    // An ordinary user may not.
  }
}
