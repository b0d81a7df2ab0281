import { setTimeout as sleep } from 'node:timers/promises';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { type Answer, type AskOptions, ask, dial, exchange, type RawAnswer } from './http.js';
import { Peer, type Place } from './peer.js';
import { jwt, nowS } from './token.js';

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
  /** The issuer whose keys the `keys-gateway` fetches: a GET of it with `?mode=` changes how it answers. */
  readonly issuer: string;
  /** A token that this issuer has signed. */
  readonly issuerToken: string;
}

/** The attacker comes from here, innocent clients from 127.0.0.1: limits by address are not to hit the wrong ones. */
export const attackersAddress = '127.0.0.66';

/** What an attack has to play with. On the sink, questions are answered anyhow, and nothing is waited for. */
export class World {
  readonly at: Places;
  readonly #restart: (extra: Extra) => Promise<void>;
  readonly #peers: Peer[] = [];
  #publisher: Promise<Publisher> | undefined;

  constructor(places: Places, restart: (extra: Extra) => Promise<void>) {
    this.at = places;
    this.#restart = restart;
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

  tcp(url: string): ReturnType<typeof dial> {
    return dial(url, attackersAddress);
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

  /** Publishes as the application `shop` does; the sink has no broker. */
  async publish(user: string, event: string, data: unknown): Promise<void> {
    if (this.isSink) return;
    const { 'app-shop': amqpUrl = '' } = this.at.amqp;
    this.#publisher ??= createPublisher({ amqpUrl, name: 'shop' });
    await (await this.#publisher).toUser(user, event, data);
  }

  /** Ends one of the further processes at once, as a crash would, and starts it again. */
  async restart(extra: Extra): Promise<void> {
    if (!this.isSink) await this.#restart(extra);
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
  }
}
