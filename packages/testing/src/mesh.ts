import {
  Client,
  type ConnectOptions,
  type connect,
  LookupError,
  type Placement,
  type PlacementQuery,
} from '@evenkeel/client';
import { closeCodes, defaults, type GapReason, NameError, toUid } from '@evenkeel/protocol/wire';
import {
  type CreatePublisherOptions,
  type createPublisher,
  type MethodMap,
  type PayloadMap,
  Publisher,
} from '@evenkeel/publisher';
import { MemoryBroker } from './broker/broker.js';
import { MemoryConnection } from './broker/channel.js';
import { EdgeConnection } from './edge/connection.js';
import { type Asked, Permissions } from './edge/permissions.js';
import { MemorySession, type SessionLimits } from './edge/session.js';
import { MemorySocket } from './edge/socket.js';
import { realNowMs, turn } from './soon.js';

/** A client that {@link TestMesh.connect} has made. */
export type TestClient = Pick<Client, 'state' | 'session' | 'close'>;

export interface TestMeshOptions {
  /** Names of its edges. Default `edge-1` and `edge-2`. */
  nodes?: readonly [string, ...string[]];
  /**
   * The user that a client's `user` or token stands for; undefined: it is refused (401). Default: `user`, else the claim `sub` of
   * the token, else, where that is no JWT, the token itself.
   */
  userOf?: (credentials: { user: string | undefined; token: string | undefined }) => string | undefined;
  /**
   * Who may subscribe to a topic, publish to it, or call a method: `true`, `false` (the client gets `forbidden`), or `'service'`: who has
   * called `authorize` is asked. Default: everybody may everything.
   */
  allow?: (asked: Asked) => boolean | 'service';
  /** Events that a client gets ahead of its acknowledgement. Default 64. */
  window?: number;
  /** How long a session without a connection lives. Default 300,000 ms. */
  sessionLifetimeMs?: number;
  /** Default 30,000 ms. */
  requestTimeoutMs?: number;
  /**
   * With fake timers: what advances them, as `(ms) => vi.advanceTimersByTimeAsync(ms)`. {@link TestMesh.settled} calls it with 1
   * until nothing more happens.
   */
  advanceTimers?: (ms: number) => unknown;
}

/** What is lost. */
export interface Loss {
  /** As a `gap` has it. Default `overflow`; of a topic `slow-consumer`. */
  reason?: GapReason;
  /** A topic's messages in place of the user's events. */
  topic?: string;
}

interface Link {
  readonly client: Client;
  readonly sockets: Set<MemorySocket>;
  uid: string | undefined;
  /** The network is away; resolves when it is back. */
  away: { readonly back: Promise<void>; resolve(): void } | undefined;
}

interface Ticket {
  readonly session: MemorySession;
  readonly node: string;
}

/** An Evenkeel mesh in memory: real clients and real publishers, with neither broker nor sockets between them. */
export class TestMesh {
  /** In place of `connect` of `@evenkeel/client`. */
  readonly connect: typeof connect;
  /** In place of `createPublisher` of `@evenkeel/publisher`. `amqpUrl` is not looked at and may be left out. */
  readonly createPublisher: typeof createPublisher &
    (<
      Events extends object = PayloadMap,
      Topics extends object = PayloadMap,
      Methods extends object = MethodMap,
    >(
      options: Omit<CreatePublisherOptions, 'amqpUrl'>,
    ) => Promise<Publisher<Events, Topics, Methods>>);
  readonly #options: TestMeshOptions;
  readonly #limits: SessionLimits;
  readonly #nodes: readonly [string, ...string[]];
  readonly #broker = new MemoryBroker();
  readonly #permissions: Permissions;
  readonly #denied = new Set<string>();
  readonly #links = new Map<TestClient, Link>();
  readonly #publishers = new Set<Publisher>();
  readonly #sessions = new Map<string, MemorySession>();
  readonly #tickets = new Map<string, Ticket>();
  #counter = 0;

  constructor(options: TestMeshOptions = {}) {
    this.#options = options;
    this.#permissions = new Permissions(this.#broker, options.allow);
    this.#nodes = options.nodes ?? ['edge-1', 'edge-2'];
    this.#limits = {
      window: options.window ?? defaults.window,
      lifetimeMs: options.sessionLifetimeMs ?? defaults.sessionLifetimeMs,
      requestTimeoutMs: options.requestTimeoutMs ?? defaults.requestTimeoutMs,
      moveDeadlineMs: defaults.moveDeadlineMs,
    };
    this.connect = ((given: ConnectOptions) => this.#connect(given)) as typeof connect;
    this.createPublisher = ((given: CreatePublisherOptions) =>
      this.#createPublisher(given)) as TestMesh['createPublisher'];
  }

  /** Asks a connected client to move to another edge, as a rebalance does: statuses `moving`, then `moved`. */
  move(client: TestClient, to?: string): void {
    const session = this.#sessionOf(client);
    const { attached } = session;
    if (!attached) throw new Error('this client has no connection to move; await mesh.settled() first');
    const others = this.#nodes.filter((node) => node !== attached.node);
    const node = to ?? others[0];
    if (node === undefined || !others.includes(node))
      throw new Error(
        `there is no edge ${node ?? 'besides its own'} to move to; the others are: ${others.join(', ') || 'none'}`,
      );
    const ticket = this.#ticket(session, node);
    session.move({ move: `move-${++this.#counter}`, node, url: urlOf(node), ticket });
  }

  /** The client's network is gone, until {@link TestMesh.restore}: status `disconnected`. Events wait for it. */
  disconnect(client: TestClient): void {
    const link = this.#linkOf(client);
    if (link.away) return;
    let resolve = (): void => {};
    const back = new Promise<void>((done) => {
      resolve = done;
    });
    link.away = { back, resolve };
    for (const socket of link.sockets) socket.cut();
  }

  /** The network is back; {@link TestMesh.settled} waits until the client is, too. */
  restore(client: TestClient): void {
    const link = this.#linkOf(client);
    link.away?.resolve();
    link.away = undefined;
  }

  /** The events that wait for this client are lost: status `gap`. Also where none waits, as in a real mesh that cannot know. */
  loseEvents(client: TestClient, { topic, reason }: Loss = {}): void {
    const session = this.#sessionOf(client);
    if (topic === undefined) session.lose(reason ?? 'overflow');
    else session.attached?.write({ t: 'gap', topic, reason: reason ?? 'slow-consumer' });
  }

  /** The lifetime of a disconnected client's session is over: when it is back it gets a `gap` `session-expired`. */
  expire(client: TestClient): void {
    const session = this.#sessionOf(client);
    if (session.attached)
      throw new Error('a session with a connection does not expire; call mesh.disconnect(client) first');
    session.end();
  }

  /** As an operator who disconnects this user: all its clients are closed for good (4502), and their sessions end. */
  expel(user: string): void {
    this.#endAll(user, closeCodes.disconnected);
  }

  /** As an operator who denies this user: as {@link TestMesh.expel} (4503, `denied`), and no new client of this user gets in. */
  deny(user: string): void {
    this.#denied.add(user);
    this.#endAll(user, closeCodes.denied);
  }

  /** A topic is taken away from a client, as when its token no longer grants it: status `unsubscribed`. */
  revoke(client: TestClient, topic: string): void {
    this.#sessionOf(client).attached?.takeAway(topic);
  }

  /** The client's token expires soon: it asks `getToken` for another, which counts if it is the same user's. */
  expiring(client: TestClient, inMs = 60_000): void {
    this.#sessionOf(client).attached?.write({ t: 'expiring', inMs });
  }

  /** The client's token has expired: it is disconnected (4011) and comes back with another. */
  expireToken(client: TestClient): void {
    const { code, reason } = closeCodes.tokenExpired;
    this.#sessionOf(client).attached?.shut(code, reason);
  }

  #endAll(user: string, { code, reason }: { code: number; reason: string }): void {
    const uid = toUid(user);
    for (const session of [...this.#sessions.values()]) {
      if (session.uid !== uid) continue;
      const { attached } = session;
      session.end();
      attached?.shut(code, reason);
    }
  }

  /**
   * Resolves when everything that was published, sent or asked for is delivered and handled, and every client whose network is
   * there is connected. What waits for a client or a service that is away goes on waiting.
   * @throws Error that says what is still under way after `timeoutMs` of real time. Default 4,000.
   */
  async settled({ timeoutMs = 4_000 }: { timeoutMs?: number } = {}): Promise<void> {
    const untilMs = realNowMs() + timeoutMs;
    for (let calmTurns = 0; calmTurns < 2; ) {
      await this.#options.advanceTimers?.(1);
      await turn();
      const busy = this.#busy();
      calmTurns = busy === undefined ? calmTurns + 1 : 0;
      if (busy !== undefined && realNowMs() > untilMs)
        throw new Error(
          `the mesh has not settled within ${timeoutMs} ms: ${busy}. Does it wait for a timer that the test fakes? Give createTestMesh advanceTimers`,
        );
    }
  }

  /** Closes all clients and publishers that it has made. */
  async close(): Promise<void> {
    for (const { client } of this.#links.values()) this.restore(client);
    await Promise.all([...this.#links.values()].map(({ client }) => client.close()));
    await Promise.all([...this.#publishers].map((publisher) => publisher.close()));
    for (const session of [...this.#sessions.values()]) session.end();
    for (const queue of [...this.#broker.queues.values()]) this.#broker.deleteQueue(queue);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #connect(given: ConnectOptions): Client {
    const sockets = new Set<MemorySocket>();
    const accept = (socket: MemorySocket, url: string) => this.#accept(sockets, socket, url);
    const client: Client = new Client({
      ...given,
      placement: (query) => this.#place(client, query),
      WebSocket: class extends MemorySocket {
        constructor(url: string) {
          super(url, accept);
        }
      },
      // Every handled event is acknowledged at once and every attempt comes at once: no test waits for these.
      ackEvery: 1,
      backoff: { minMs: 1, maxMs: 1_000 },
      random: () => 0.99,
    });
    this.#links.set(client, { client, sockets, uid: undefined, away: undefined });
    return client;
  }

  async #createPublisher(given: CreatePublisherOptions): Promise<Publisher> {
    const publisher = await Publisher.connect({
      ...given,
      amqpUrl: 'amqp://memory',
      dial: async () => new MemoryConnection(this.#broker),
    });
    this.#publishers.add(publisher);
    return publisher;
  }

  async #place(client: TestClient, { session: known, user, token }: PlacementQuery): Promise<Placement> {
    const link = this.#linkOf(client);
    await link.away?.back;
    const found = this.#userOf(user, token);
    if (found === undefined) {
      const message = 'this client has neither `user` nor a token that the mesh takes';
      throw new LookupError(401, 'unauthorized', message, undefined);
    }
    if (this.#denied.has(found))
      throw new LookupError(403, closeCodes.denied.reason, `${found} is denied`, undefined);
    const sid = known ?? `session-${++this.#counter}`;
    try {
      link.uid = toUid(found);
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      throw new LookupError(400, error.code, error.message, undefined);
    }
    const session = this.#session(link.uid, sid);
    const node = this.#nodes[this.#links.size % this.#nodes.length] ?? this.#nodes[0];
    return { url: urlOf(node), node, ticket: this.#ticket(session, node), session: sid, expiresInMs: 30_000 };
  }

  #accept(sockets: Set<MemorySocket>, socket: MemorySocket, url: string): EdgeConnection | undefined {
    const ticket = new URL(url).searchParams.get('ticket') ?? '';
    const found = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (!found) return undefined;
    sockets.add(socket);
    const id = `connection-${++this.#counter}`;
    // A session that has ended meanwhile begins anew.
    const session = this.#session(found.session.uid, found.session.sid);
    return new EdgeConnection(id, { node: found.node, ticket }, socket, session, this.#broker);
  }

  #userOf(user: string | undefined, token: string | undefined): string | undefined {
    const { userOf = defaultUserOf } = this.#options;
    return userOf({ user, token });
  }

  #ticket(session: MemorySession, node: string): string {
    const ticket = `${node}.${++this.#counter}`;
    this.#tickets.set(ticket, { session, node });
    return ticket;
  }

  #session(uid: string, sid: string): MemorySession {
    const key = `${uid}.${sid}`;
    const known = this.#sessions.get(key);
    if (known) return known;
    const access = {
      may: (asked: Asked) => this.#permissions.may(asked),
      userOf: (token: string) => this.#userOf(undefined, token),
    };
    const session = new MemorySession({ uid, sid }, this.#broker, this.#limits, access, () => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
    this.#sessions.set(key, session);
    return session;
  }

  #linkOf(client: TestClient): Link {
    const link = this.#links.get(client);
    if (!link) throw new Error('this client is not of this mesh; make it with connect of the mesh');
    return link;
  }

  #sessionOf(client: TestClient): MemorySession {
    const { uid } = this.#linkOf(client);
    const session = this.#sessions.get(`${uid}.${client.session}`);
    if (!session) throw new Error('this client has no session now; await client.ready() first');
    return session;
  }

  /** What is under way, as words; undefined: nothing. */
  #busy(): string | undefined {
    for (const { client, uid, away } of this.#links.values()) {
      if (client.state === 'connecting' && !away)
        return `a client of ${uid ?? 'a user not known yet'} is not connected`;
    }
    for (const session of this.#sessions.values())
      if (session.isMoving) return `a client of ${session.uid} is being moved`;
    for (const { name, consumers, messages, unacknowledged } of this.#broker.queues.values()) {
      if (unacknowledged > 0)
        return `${unacknowledged} of the queue ${name} are not handled yet: a handler has not settled, or there is none`;
      if (consumers > 0 && messages > 0) return `${messages} wait in the queue ${name}`;
    }
    return undefined;
  }
}

/** Makes a mesh in memory. Close it when the test is over. */
export const createTestMesh = (options?: TestMeshOptions): TestMesh => new TestMesh(options);

const urlOf = (node: string): string => `ws://${node}.memory/ws`;

function defaultUserOf({
  user,
  token,
}: {
  user: string | undefined;
  token: string | undefined;
}): string | undefined {
  if (token === undefined) return user;
  const [, claims, signature] = token.split('.');
  if (claims === undefined || signature === undefined) return token;
  try {
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return token;
  }
}
