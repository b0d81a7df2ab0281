import { setTimeout as sleep } from 'node:timers/promises';
import { toUid } from '@evenkeel/protocol';
import WebSocket from 'ws';
import type { Frame } from '../log.js';
import { Calls } from './calls.js';
import type { ClientOptions, Participant } from './participant.js';
import { isTakenAgain } from './thief.js';
import { Topics } from './topics.js';

interface Place {
  readonly url: string;
  readonly node: string;
  readonly ticket: string;
  readonly session: string;
}

const slowMs = 60;
const movedPatienceMs = 5000;
/** Of its tickets so many are tried by somebody else, once they are used. */
const thievesPart = 0.1;
let opened = 0;

/** A client of `evenkeel.v1` with frames of its own, that records everything. */
export class DeliveryClient implements Participant {
  readonly options: ClientOptions;
  session: string | undefined;
  lastAt = 0;
  failure: string | undefined;
  readonly #calls = new Calls();
  readonly #topics: Topics;
  #current: Link | undefined;
  readonly #links = new Set<Link>();
  #nodes: string[] = [];
  #tried: string[] = [];
  #last: { connection: string; seq: number } | undefined;
  #lostAt = 0;
  #hasBeenWelcome = false;
  #isAsleep = false;
  #isClosed = false;

  constructor(options: ClientOptions) {
    this.options = options;
    this.#topics = new Topics(options.topics);
    void this.#stay();
  }

  get isConnected(): boolean {
    return this.#current?.isWelcome === true && !this.#current.isOver;
  }

  get node(): string | undefined {
    return this.#current?.place.node;
  }

  get isWaiting(): boolean {
    return this.#calls.isWaiting || this.#topics.isWaiting;
  }

  /** Asks a service, unless it moves, or has no socket. */
  ask(): void {
    const link = this.#current;
    if (link?.isWelcome && !this.#isAsleep && this.#links.size === 1) this.#calls.ask(link);
  }

  cut(): void {
    for (const link of this.#links) link.cut();
  }

  /** Reads nothing and says nothing; in the middle of it the network forgets the sockets. */
  async sleep(ms: number): Promise<void> {
    this.#isAsleep = true;
    for (const link of this.#links) link.freeze();
    await sleep(ms / 2);
    this.cut();
    await sleep(ms / 2);
    this.#isAsleep = false;
  }

  freeze(): { thaw(): void }[] {
    const held = [...this.#links];
    for (const link of held) link.freeze();
    return held;
  }

  leave(): WebSocket[] {
    return [...this.#links].flatMap((link) => link.leave());
  }

  close(): void {
    this.#isClosed = true;
    for (const link of this.#links) link.close();
  }

  end(): void {
    this.#current?.send({ t: 'bye' });
    this.close();
  }

  async #stay(): Promise<void> {
    let failed = 0;
    while (!this.#isClosed) {
      if (this.#isAsleep || this.#links.size > 0) {
        await sleep(20);
        continue;
      }
      try {
        const place = await this.#place();
        const link = await this.#dial(place);
        await link.ended;
        const isFailed = !link.isWelcome;
        failed = isFailed ? failed + 1 : 0;
        if (isFailed) this.#tried = [place.node];
      } catch {
        failed++;
      }
      await sleep(Math.random() * Math.min(100 * 2 ** failed, 1500));
    }
  }

  async #place(): Promise<Place> {
    const query = new URLSearchParams({ user: this.options.user });
    if (this.session !== undefined) query.set('session', this.session);
    if (this.#nodes.length > 0) query.set('from', this.#nodes.join(','));
    if (this.#tried.length > 0) query.set('tried', this.#tried.join(','));
    const response = await fetch(`${this.options.gatewayUrl}/gateway?${query}`, {
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`gateway: ${response.status}`);
    return (await response.json()) as Place;
  }

  async #dial(place: Place): Promise<Link> {
    this.session ??= place.session;
    const resume = this.#hasBeenWelcome;
    const awayMs = resume && this.#lostAt > 0 ? { awayMs: Math.round(performance.now() - this.#lostAt) } : {};
    const link = new Link(place, this.session, this);
    this.#links.add(link);
    if (this.#current === undefined) this.#current = link;
    void link.ended.then(() => {
      this.#links.delete(link);
      if (this.#current !== link) return;
      this.#current = undefined;
      this.#lostAt = performance.now();
    });
    link.begin(() => ({
      t: 'hello',
      resume,
      topics: this.#topics.named(!resume),
      ack: 'client',
      ...awayMs,
      ...(this.#last && { last: this.#last }),
    }));
    return link;
  }

  /** @internal A frame on one of the sockets. */
  received(link: Link, frame: Frame): void {
    if (frame.t === 'welcome') this.#welcomed(link, frame);
    if (frame.t === 'event' || frame.t === 'message') this.lastAt = performance.now();
    if (frame.t === 'move') void this.#move(link, frame);
    this.#topics.received(frame);
    this.#calls.received(link, frame);
    if (isCounted(frame) && link === this.#current) {
      const seq = Number(frame.seq);
      this.#last = { connection: link.identity, seq };
      link.acknowledge(seq, this.options.manner === 'slow' ? slowMs : 0);
    }
  }

  #welcomed(link: Link, frame: Frame): void {
    const old = this.#current;
    this.#current = link;
    this.#tried = [];
    this.#nodes = [link.place.node, ...this.#nodes.filter((node) => node !== link.place.node)].slice(0, 4);
    link.identity = String(frame.connection ?? '');
    this.#hasBeenWelcome = true;
    if (Math.random() < thievesPart) void this.#beRobbed(link.place);
    if (old === undefined || old === link) return;
    void Promise.race([old.moved, old.ended, sleep(movedPatienceMs)]).then(() => old.closeWhenDone());
  }

  /** Its ticket has fallen into other hands. */
  async #beRobbed({ url, ticket, node }: Place): Promise<void> {
    if (await isTakenAgain(url, ticket)) this.failure ??= `${node} took a ticket twice`;
  }

  async #move(link: Link, frame: Frame): Promise<void> {
    await sleep(Math.random() * Number(frame.jitterMs ?? 0));
    if (this.#isClosed || this.#isAsleep || link !== this.#current || this.#links.size > 1) return;
    const { url, node, ticket } = frame as unknown as Place;
    const fresh = await this.#dial({ url, node, ticket, session: this.session ?? '' });
    await Promise.race([fresh.ended, sleep(10_000)]);
  }

  /** @internal */
  failed(code: number, reason: string): void {
    // Its own newer socket may have superseded it.
    if (code >= 4500 && code < 5000 && code !== 4501) this.failure = `${code} ${reason}`;
  }
}

/** Whether it has its place among the events, and is to be acknowledged. */
const isCounted = ({ t, seq }: Frame): boolean =>
  typeof seq === 'number' && ['event', 'part', 'ok', 'error'].includes(t);

/** One socket. */
class Link {
  readonly place: Place;
  readonly name = `c${++opened}`;
  identity = '';
  isWelcome = false;
  readonly ended: Promise<void>;
  readonly moved: Promise<void>;
  #isMoved: () => void = () => undefined;
  #hasEnded: () => void = () => undefined;
  isOver = false;
  #isFrozen = false;
  #socket: WebSocket | undefined;
  #heardAt = performance.now();
  #pings: NodeJS.Timeout | undefined;
  #due: number[] = [];
  /** Also while it could not be sent. */
  #ackedSeq = 0;
  #isAcknowledging = false;
  readonly #client: DeliveryClient;
  readonly #session: string;

  constructor(place: Place, session: string, client: DeliveryClient) {
    this.place = place;
    this.#session = session;
    this.#client = client;
    this.ended = new Promise((resolve) => {
      this.#hasEnded = resolve;
    });
    this.moved = new Promise((resolve) => {
      this.#isMoved = resolve;
    });
  }

  begin(hello: () => Frame): void {
    const { recorder, user } = this.#client.options;
    const { url, ticket, node } = this.place;
    recorder.add({ kind: 'open', connection: this.name, uid: toUid(user), session: this.#session, node });
    const socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`, 'evenkeel.v1', {
      handshakeTimeout: 5000,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on('open', () => this.send(hello()));
    socket.on('message', (bytes: Buffer) => this.#read(JSON.parse(bytes.toString()) as Frame));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.#client.failed(code, reason.toString());
      this.#end(code === 1006 ? 'cut' : 'edge', code);
    });
    this.#heardAt = performance.now();
    this.#pings = setInterval(() => this.#beat(), 500);
  }

  send(frame: Frame): void {
    if (this.isOver || this.#isFrozen || this.#socket?.readyState !== WebSocket.OPEN) return;
    if (frame.t !== 'ping') this.#client.options.recorder.add({ kind: 'send', connection: this.name, frame });
    this.#socket.send(JSON.stringify(frame));
  }

  /** Acknowledges later: everything up to `seq`, one event after another. */
  acknowledge(seq: number, eachMs: number): void {
    this.#due.push(seq);
    if (!this.#isAcknowledging) void this.#acknowledge(eachMs);
  }

  cut(): void {
    this.#end('cut', 1006);
    this.#socket?.terminate();
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#socket?.pause();
  }

  thaw(): void {
    if (this.isOver) return;
    this.#isFrozen = false;
    this.#heardAt = performance.now();
    this.#socket?.resume();
    if (this.#ackedSeq > 0) this.send({ t: 'ack', seq: this.#ackedSeq });
  }

  leave(): WebSocket[] {
    this.#socket?.pause();
    this.#end('cut', 1006);
    return this.#socket ? [this.#socket] : [];
  }

  close(): void {
    if (this.isOver) return;
    // What has come and was not read is no matter of the mesh.
    if (this.#isFrozen) return this.cut();
    this.#end('client', 1000);
    this.#socket?.close(1000);
  }

  /** Once everything that came here is acknowledged. */
  async closeWhenDone(): Promise<void> {
    while (this.#isAcknowledging && !this.isOver) await sleep(20);
    this.close();
  }

  async #acknowledge(eachMs: number): Promise<void> {
    this.#isAcknowledging = true;
    for (let seq = this.#due.shift(); seq !== undefined; seq = this.#due.shift()) {
      if (eachMs > 0) await sleep(eachMs);
      this.#ackedSeq = seq;
      this.send({ t: 'ack', seq });
    }
    this.#isAcknowledging = false;
  }

  #read(frame: Frame): void {
    this.#heardAt = performance.now();
    if (this.isOver || frame.t === 'pong') return;
    this.#client.options.recorder.add({ kind: 'frame', connection: this.name, frame });
    if (frame.t === 'welcome') this.isWelcome = true;
    if (frame.t === 'moved') this.#isMoved();
    this.#client.received(this, frame);
  }

  #beat(): void {
    if (this.#isFrozen) return;
    // Longer than any stall that is to be survived on the socket.
    if (performance.now() - this.#heardAt > 20_000) return this.cut();
    this.send({ t: 'ping' });
  }

  #end(by: 'client' | 'edge' | 'cut', code: number): void {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.#pings);
    this.#client.options.recorder.add({ kind: 'close', connection: this.name, by, code });
    this.#hasEnded();
  }
}
