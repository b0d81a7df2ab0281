import { randomBytes } from 'node:crypto';
import type { Delivery, PublishOutcome, PublishProperties } from '@evenkeel/broker';
import {
  edgeKey,
  exchanges,
  type MoveFrame,
  type Placement,
  sessionQueue,
  ticketBoot,
  topicKey,
  toUid,
  userKey,
  type WelcomeFrame,
} from '@evenkeel/protocol';
import type { MeshUnderTest } from './mesh.js';
import { type OpenOptions, RawSocket } from './raw-socket.js';
import { must, pause, Violation } from './verdict.js';

export interface PlaceOptions {
  readonly user?: string;
  readonly session?: string;
  readonly from?: string;
  readonly tried?: string;
  /** Asks until the gateway gives this node (or, with `isNot`, another). */
  readonly node?: string;
  readonly isNot?: string;
}

export interface ConnectOptions extends PlaceOptions {
  readonly hello?: Record<string, unknown>;
}

/** An attached session. */
export interface Attached {
  readonly socket: RawSocket;
  readonly placement: Placement;
  readonly welcome: WelcomeFrame;
  readonly user: string;
}

/** What one rule works with: its own user, and every socket closed at its end. */
export class Case {
  readonly mesh: MeshUnderTest;
  readonly user: string;
  readonly #atEnd: (() => unknown)[] = [];

  constructor(mesh: MeshUnderTest) {
    this.mesh = mesh;
    this.user = `conf-${mesh.run}-${randomBytes(5).toString('hex')}`;
  }

  async end(): Promise<void> {
    for (const fn of this.#atEnd.reverse()) await fn();
  }

  /** A word nobody else uses. */
  word(prefix: string): string {
    return `${prefix}-${randomBytes(5).toString('hex')}`;
  }

  // --- the gateway ---

  ask(query: Record<string, string>): Promise<Response> {
    const url = `${this.mesh.gateway}/gateway?${new URLSearchParams(query)}`;
    return fetch(url, { signal: AbortSignal.timeout(8_000) });
  }

  async place(options: PlaceOptions = {}): Promise<Placement> {
    const { user = this.user, session, from, node, isNot } = options;
    let { tried } = options;
    const endsAtMs = Date.now() + 15_000;
    for (;;) {
      const response = await this.ask({
        user,
        ...(session && { session }),
        ...(from && { from }),
        ...(tried && { tried }),
      });
      // It has nobody to place at yet, or this user has asked often: it says when to come back.
      if (response.status === 503 || response.status === 429) {
        await pause(1_000 * Number(response.headers.get('retry-after') ?? 1));
      } else {
        if (!response.ok)
          throw new Violation(`GET /gateway answered ${response.status}: ${await readText(response)}`);
        const placement = (await response.json()) as Placement;
        const isRight = node === undefined ? placement.node !== isNot : placement.node === node;
        if (isRight) return placement;
        // The load alone may speak for the wrong one for as long as it likes.
        tried = placement.node;
      }
      must(Date.now() < endsAtMs, `the gateway does not place at ${node ?? `another node than ${isNot}`}`);
      await pause(5);
    }
  }

  // --- sockets ---

  async open(placement: Pick<Placement, 'url' | 'ticket'>, options?: OpenOptions): Promise<RawSocket> {
    const socket = await RawSocket.dial(placement.url, placement.ticket, options);
    this.#atEnd.push(() => socket.terminate());
    return socket;
  }

  /** Through the gateway, with hello, until welcome. */
  async attach(options: ConnectOptions = {}): Promise<Attached> {
    const placement = await this.place(options);
    const socket = await this.open(placement);
    socket.send({ t: 'hello', ...options.hello });
    const welcome = await socket.next('welcome');
    return { socket, placement, welcome, user: options.user ?? this.user };
  }

  /** Comes back to a session. */
  resume(
    previous: Attached,
    hello: Record<string, unknown> = {},
    options: PlaceOptions = {},
  ): Promise<Attached> {
    return this.attach({
      user: previous.user,
      session: previous.placement.session,
      from: previous.welcome.node,
      ...options,
      hello: { resume: true, ...hello },
    });
  }

  async bare(options: PlaceOptions = {}): Promise<{ socket: RawSocket; placement: Placement }> {
    const placement = await this.place(options);
    const socket = await this.open(placement, { isBare: true });
    await this.attachedSomewhere(placement.session, options.user);
    return { socket, placement };
  }

  /** Waits until the session's queue is consumed: a bare client is not told. */
  attachedSomewhere(session: string, user = this.user): Promise<void> {
    return this.#consumed(session, user, 1);
  }

  /** Waits until no edge holds the session: it takes a moment to notice that a socket has gone. */
  unattended(session: string, user = this.user): Promise<void> {
    return this.#consumed(session, user, 0);
  }

  async #consumed(session: string, user: string, consumers: number): Promise<void> {
    const queue = sessionQueue(toUid(user), session);
    const endsAtMs = Date.now() + 8_000;
    for (;;) {
      const found = await this.mesh.topology.checkQueue(queue);
      if (found?.consumers === consumers) return;
      must(
        Date.now() < endsAtMs,
        `${queue} has ${found?.consumers ?? 'no'} consumers where ${consumers} were wanted`,
      );
      await pause(20);
    }
  }

  // --- the broker ---

  publish(key: string, body: string | Buffer, p: PublishProperties = {}): Promise<PublishOutcome> {
    return this.mesh.publisher.publish(exchanges.events, key, body, { mandatory: true, ...p });
  }

  /** A directed event with everything a publisher should set. */
  event(name: string, body: unknown, p: PublishProperties & { user?: string } = {}): Promise<PublishOutcome> {
    const { user = this.user, ...properties } = p;
    return this.publish(userKey(toUid(user), name), JSON.stringify(body), {
      ...fullProperties(),
      ...properties,
    });
  }

  topic(topic: string, body: unknown, p: PublishProperties = {}): Promise<PublishOutcome> {
    return this.publish(topicKey(topic), JSON.stringify(body), { ...fullProperties(), ...p });
  }

  /** Numbered events `e.<from>` … published in order; resolves when all are confirmed. */
  async series(count: number, start = 1): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, n) => this.event('e', start + n)));
  }

  async listen(exchange: string, key: string, onDelivery: (d: Delivery) => void): Promise<void> {
    this.#atEnd.push(await this.mesh.listen(exchange, key, onDelivery));
  }

  /** The name of a queue of its own. */
  async queue(onDelivery: (d: Delivery) => void): Promise<string> {
    const { name, end } = await this.mesh.queue(onDelivery);
    this.#atEnd.push(end);
    return name;
  }

  /** Answers what clients send under `key` to the application. */
  async serve(key: string, onDelivery: (d: Delivery) => void): Promise<void> {
    await this.listen(exchanges.inbound, key, onDelivery);
  }

  // --- moves ---

  /** Another edge than `node`. @throws Violation when there is none. */
  otherNode(node: string): { node: string; url: string; boot?: string } {
    const other = this.mesh.nodes.find((each) => each.node !== node);
    if (other === undefined) throw new Violation(`a move takes two edges: only ${node} is active`);
    const boot = ticketBoot(other);
    return { node: other.node, url: other.url, ...(boot === undefined ? {} : { boot }) };
  }

  /** Commands the edge that holds it to move this session; a `move` of somebody else's will do as well. */
  async commandMove(session: Attached, extra: Record<string, unknown> = {}): Promise<MoveFrame> {
    await this.command(session.welcome.node, {
      command: 'reconnect',
      move: this.word('move'),
      to: this.otherNode(session.welcome.node),
      sessions: [`${toUid(session.user)}.${session.placement.session}`],
      reason: 'conformance',
      ...extra,
    });
    return await session.socket.next('move');
  }

  async command(node: string, command: object): Promise<void> {
    const outcome = await this.mesh.publisher.publish(
      exchanges.control,
      edgeKey(node),
      JSON.stringify(command),
      {
        mandatory: true,
        contentType: 'application/json',
        userId: this.mesh.user,
      },
    );
    must(outcome === 'routed', `the edge ${node} has no queue bound to ${exchanges.control}`);
  }

  /** The second socket of a move, with its hello sent and nothing awaited. */
  async dial(move: MoveFrame, hello: Record<string, unknown> = {}): Promise<RawSocket> {
    const socket = await this.open(move);
    socket.send({ t: 'hello', resume: true, ...hello });
    return socket;
  }
}

function fullProperties(): PublishProperties {
  return {
    messageId: randomBytes(12).toString('base64url'),
    timestamp: Math.floor(Date.now() / 1_000),
    contentType: 'application/json',
  };
}

const readText = async (response: Response): Promise<string> => (await response.text()).slice(0, 200);
