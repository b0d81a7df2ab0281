import { Broker, BrokerError, type Log } from '@evenkeel/broker';
import { PerCell, shuffledAddresses, someCells, withDeadline } from '@evenkeel/pace';
import { askErrors, exchanges } from '@evenkeel/protocol';
import { CellServices } from './cell-services.js';
import { CellsPublishing, named } from './cells-publishing.js';
import { Checking } from './checking.js';
import { consoleLog } from './console-log.js';
import { AskError, PublisherError } from './errors.js';
import type { PublisherFigures } from './figures.js';
import { figuresOf } from './figures-of-cells.js';
import { MeshPublisher, type Placed } from './mesh-publisher.js';
import { Sending } from './sending.js';
import { findTracing, type Tracing } from './tracing.js';
import type {
  AskOptions,
  AuthorizeHandler,
  AuthorizeOptions,
  CellPublisherOptions,
  InboundHandler,
  OnlineOptions,
  Publisher,
  ServeOptions,
  Service,
  TopicPresence,
  UserPresence,
} from './types.js';

interface Member {
  readonly publisher: MeshPublisher;
  /** Connects it; resolves once it is connected and the mesh is there, rejects where it is closed before. */
  there(): Promise<void>;
}

/** A publisher into several cells: one of a mesh for each, and what is for a user goes to the user's. */
export class CellsPublisher extends Sending implements Publisher {
  readonly #options: CellPublisherOptions;
  readonly #log: Log;
  readonly #tracing: Tracing;
  protected readonly checking: Checking;
  readonly #members = new PerCell<Member>({
    make: (cell, amqpUrl) => this.#make(cell, amqpUrl),
    enter: (member) => {
      void member.there();
      this.#services.enter(member.publisher);
    },
    leave: ({ publisher }) => {
      this.#services.leave(publisher);
      void publisher.close();
    },
  });
  readonly publishing: CellsPublishing;
  readonly #services = new CellServices();
  readonly #unfollow: () => void;

  /** @throws BrokerError `broker-closed` by `signal`, `broker-unreachable` where no cell is there within `timeoutMs`. */
  static async connect(options: CellPublisherOptions): Promise<CellsPublisher> {
    const publisher = new CellsPublisher(options, await findTracing());
    try {
      await publisher.#start();
      return publisher;
    } catch (error) {
      await publisher.close();
      throw error;
    }
  }

  private constructor(options: CellPublisherOptions, tracing: Tracing) {
    super();
    this.#options = options;
    this.#log = options.log ?? consoleLog(options.name);
    this.#tracing = tracing;
    this.checking = new Checking(options.mesh);
    this.publishing = new CellsPublishing({
      of: (user) => options.cells.of(user),
      sendsOf: (cell) => this.#members.get(cell)?.publisher.publishing,
      names: () => this.#members.names(),
    });
    const follow = () => this.#members.follow(options.cells.addresses);
    follow();
    this.#unfollow = options.cells.onUpdate(follow);
  }

  async join(topic: string, who: Placed): Promise<void> {
    await Promise.all(
      this.#of(who.user).map(({ cell, publisher }) => named(cell, publisher.join(topic, who))),
    );
  }

  async leave(topic: string, who: Placed): Promise<void> {
    await Promise.all(
      this.#of(who.user).map(({ cell, publisher }) => named(cell, publisher.leave(topic, who))),
    );
  }

  /** In the user's cell; where no session is there, in the one before. */
  async ask<Answer>(user: string, method: string, data?: unknown, options: AskOptions = {}): Promise<Answer> {
    const [home, before] = this.#of(user);
    if (home === undefined) throw noCell(user);
    try {
      return await home.publisher.ask<Answer>(user, method, data, options);
    } catch (error) {
      const isAway = error instanceof AskError && error.code === askErrors.noSession;
      if (!isAway || before === undefined) throw error;
      return await before.publisher.ask<Answer>(user, method, data, options);
    }
  }

  async online(user: string, options?: OnlineOptions): Promise<UserPresence> {
    const found = await Promise.all(
      this.#of(user).map(({ cell, publisher }) => named(cell, publisher.online(user, options))),
    );
    const since = found.flatMap((each) => each.since ?? []);
    return {
      user,
      online: found.some((each) => each.online),
      ...(since.length > 0 && { since: Math.min(...since) }),
      sessions: found.flatMap(({ sessions }) => sessions),
      complete: found.every(({ complete }) => complete),
    };
  }

  async presence(topic: string, options?: OnlineOptions): Promise<TopicPresence> {
    const found = await Promise.all(
      this.#members.entries().map(([cell, { publisher }]) => named(cell, publisher.presence(topic, options))),
    );
    const users = found.map((each) => each.users);
    return {
      topic,
      count: found.reduce((sum, { count }) => sum + count, 0),
      ...(users.every((each) => each !== undefined) && { users: users.flat() }),
    };
  }

  serve(method: string, handler: (message: never) => unknown, options: ServeOptions = {}): Promise<Service> {
    return this.#serve((publisher) => publisher.serve(method, handler as InboundHandler, options));
  }

  on<Payload = unknown>(
    topic: string,
    handler: InboundHandler<Payload>,
    options: ServeOptions = {},
  ): Promise<Service> {
    return this.#serve((publisher) => publisher.on(topic, handler, options));
  }

  authorize(pattern: string, handler: AuthorizeHandler, options: AuthorizeOptions = {}): Promise<Service> {
    return this.#serve((publisher) => publisher.authorize(pattern, handler, options));
  }

  figures(): PublisherFigures {
    return figuresOf(this.#members.values().map(({ publisher }) => publisher.figures()));
  }

  readiness(): true | string {
    const found = this.#members.entries().map(([cell, { publisher }]) => {
      const readiness = publisher.readiness();
      return readiness === true || `cell ${cell}: ${readiness}`;
    });
    return found.find((each) => each !== true) ?? true;
  }

  async #start(): Promise<void> {
    const { signal, timeoutMs } = this.#options;
    const first = someCells(this.#members.values().map((member) => member.there()));
    const late = () => {
      throw new BrokerError('broker-unreachable', `no cell is there within ${timeoutMs} ms (timeoutMs)`);
    };
    const aborted = new Promise<never>((_, reject) => {
      const end = () => reject(new BrokerError('broker-closed', 'Connecting was aborted by the signal.'));
      if (signal?.aborted) end();
      signal?.addEventListener('abort', end, { once: true });
    });
    const isTimed = timeoutMs !== undefined && Number.isFinite(timeoutMs);
    await Promise.race([isTimed ? withDeadline(first, timeoutMs, late) : first, aborted]);
  }

  #serve(start: (publisher: MeshPublisher) => Promise<Service>): Promise<Service> {
    const publishers = this.#members.values().map(({ publisher }) => publisher);
    return this.#services.add(start, publishers, (error) =>
      this.#log.error({ error }, 'a service does not run in one of the cells'),
    );
  }

  /** @throws BrokerError `bad-address` */
  #make(cell: string, amqpUrl: string): Member {
    const { cells: _, attempts: __, tls, dial, ...options } = this.#options;
    const log = this.#log;
    const broker = new Broker({
      url: shuffledAddresses(amqpUrl, Math.random),
      ...(tls && { tls }),
      ...(dial && { dial }),
      name: options.name,
      log,
    });
    const given = { ...options, ...(tls && { tls }), ...(dial && { dial }), amqpUrl };
    const publisher = new MeshPublisher(given, broker, log, this.#tracing);
    let there: Promise<void> | undefined;
    const open = () => {
      const opened = broker.open().then(() => broker.expect([exchanges.events]));
      opened.catch((error: unknown) => log.debug({ cell, error }, 'a cell was left before it was there'));
      return opened;
    };
    return {
      publisher,
      there: () => {
        there ??= open();
        return there;
      },
    };
  }

  /** The cells of a user. */
  #of(user: string): { readonly cell: string; readonly publisher: MeshPublisher }[] {
    return this.#options.cells.of(user).flatMap((cell) => {
      const publisher = this.#members.get(cell)?.publisher;
      return publisher === undefined ? [] : [{ cell, publisher }];
    });
  }

  protected async end(): Promise<void> {
    this.#unfollow();
    await Promise.all(this.#members.values().map(({ publisher }) => publisher.close()));
  }
}

const noCell = (user: string): PublisherError =>
  new PublisherError('bad-option', `the map of cells has none for ${user}`);
